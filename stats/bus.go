package stats

import (
	"context"

	"github.com/crawlstats/crawlstats/events"
)

// subscribe listens to the bus: what asks for a save gets one before Publish
// returns, and the events of requests are counted.
func (s *Statistics) subscribe() {
	b := s.cfg.Events
	if b == nil {
		return
	}
	if s.cfg.Persist == PersistAuto {
		onSave[events.PersistState](s)
		onSave[events.Migrating](s)
		onSave[events.Aborting](s)
		onSave[events.Exit](s)
	}
	onRequest(s, func(e events.RequestStarted) string { return e.Crawler }, func(e events.RequestStarted) {
		s.StartWith(e.ID, Request{Host: e.Host, URL: e.URL, Retries: e.Retries, QueuedAt: e.QueuedAt})
	})
	onRequest(s, func(e events.RequestFinished) string { return e.Crawler }, func(e events.RequestFinished) { s.Finish(e.ID) })
	onRequest(s, func(e events.RequestFailed) string { return e.Crawler }, func(e events.RequestFailed) { s.Fail(e.ID, e.Err) })
	onRequest(s, func(e events.RequestRetried) string { return e.Crawler }, func(e events.RequestRetried) { s.Retry(e.ID, e.Err) })
	onRequest(s, func(e events.RequestDiscarded) string { return e.Crawler }, func(e events.RequestDiscarded) {
		s.Discard(e.ID, DiscardReason(e.Reason))
	})
	onRequest(s, func(e events.StatusReceived) string { return e.Crawler }, func(e events.StatusReceived) { s.StatusCode(e.Code) })
}

// onSave saves on every event E. While Close is at work it waits for its save;
// after Close it does nothing.
func onSave[E any](s *Statistics) {
	s.leave = append(s.leave, events.Subscribe(s.cfg.Events, func(ctx context.Context, _ E) error {
		if !s.closed.Load() {
			return s.persist(ctx)
		}
		select {
		case <-s.ended:
			return s.closeErr
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}))
}

// onRequest counts the events E that are for this crawler.
func onRequest[E any](s *Statistics, crawler func(E) string, count func(E)) {
	s.leave = append(s.leave, events.Subscribe(s.cfg.Events, func(_ context.Context, e E) error {
		if to := crawler(e); to == "" || to == s.cfg.ID {
			count(e)
		}
		return nil
	}))
}
