package statsdpush

import (
	"errors"
	"sync"

	"github.com/crawlstats/crawlstats/stats"
)

// tapped is a Source whose events can be heard one by one, as those of
// *stats.Statistics can.
type tapped interface {
	Tap(fn func(stats.Tapped)) (remove func())
}

// tap keeps events between two flushes. Its part on a recording goroutine is one
// short lock and no allocation.
type tap struct {
	timings, sets bool
	limit         int
	remove        func()

	mu      sync.Mutex
	heard   []stats.Tapped
	dropped int64 // did not fit

	// Owned by the goroutine of the Pusher.
	spare   []stats.Tapped
	pending []line // not sent yet
}

func newTap(src stats.Source, cfg Config) (*tap, error) {
	s, ok := src.(tapped)
	if !ok {
		return nil, errors.New("statsdpush: start: Config.Timings, Sets: single events can only be had from a *stats.Statistics; leave TimingEvents and Sets out")
	}
	t := &tap{
		timings: cfg.Timings == TimingEvents, sets: cfg.Sets, limit: cfg.MaxEvents,
		heard: make([]stats.Tapped, 0, cfg.MaxEvents), spare: make([]stats.Tapped, 0, cfg.MaxEvents),
	}
	t.remove = s.Tap(t.hear)
	return t, nil
}

// hear runs on the goroutine that records.
func (t *tap) hear(e stats.Tapped) {
	if e.Kind == stats.TapUnique && !t.sets || e.Kind != stats.TapUnique && !t.timings {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heard) == t.limit {
		t.dropped++
		return
	}
	t.heard = append(t.heard, e)
}

// take returns what was heard since the last call, until the next, and how many
// events did not fit.
func (t *tap) take() (events []stats.Tapped, dropped int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, dropped = t.heard, t.dropped
	t.heard, t.spare, t.dropped = t.spare[:0], events, 0
	return events, dropped
}
