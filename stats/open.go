package stats

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Open returns a Statistics that has restored what earlier runs saved, has
// claimed the record, and checkpoints and logs by itself. ctx bounds the restore
// and the wait for a locked store; it is not kept.
//
// It fails when the config is wrong, the store does not answer, or the record is
// of a newer schema (ErrNewerSchema). A crawl that must run whatever the store
// says uses New then. A record that cannot be read is no error: it is put aside,
// the newest good copy is restored, and a warning says so.
func Open(ctx context.Context, cfg Config) (*Statistics, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	legacy := crawleeKeys(cfg.ID)
	if cfg.Key != "" || cfg.Member != "" {
		legacy = nil
	}
	s := newStatistics(cfg.withDefaults())
	var r restored
	if s.cfg.Store != nil {
		s.keeper = newKeeper(s.cfg.Store, s.cfg.Key, newOwner())
		var err error
		if r, err = s.restore(ctx, legacy); err != nil {
			return nil, fmt.Errorf("stats: open %q: %w", s.cfg.Key, err)
		}
	}
	s.start(r.snapshot)
	s.tellRestored(r)
	s.health.begin(s.changes(), s.cfg.Persist == PersistAuto)
	s.subscribe()
	s.loop = startLoop(s)
	return s, nil
}

func (s *Statistics) restore(ctx context.Context, legacy []string) (restored, error) {
	r, err := s.keeper.load(ctx, legacy)
	if err != nil {
		return r, err
	}
	if s.cfg.Persist == PersistManual {
		s.keeper.adopt(r)
		return r, nil
	}
	return s.keeper.claim(ctx, r, legacy, func(h header, a Snapshot) ([]byte, error) {
		// As this run finds it, and with this run: should it die before its first
		// save, the next one learns of it.
		a = a.inherited()
		a.Segments = mergeSegments(a.Segments, []Segment{{
			Owner: s.keeper.owner, Host: s.host, Version: Version, Start: h.at, End: h.at,
		}})
		a.PersistedAt = h.at
		record, _, err := encodeRecord(h, a)
		return record, err
	})
}

// tellRestored writes the one line about what came back.
func (s *Statistics) tellRestored(r restored) {
	if r.damage != nil {
		log := s.cfg.Logger.With("crawler", s.cfg.ID, "error", r.damage)
		if r.found {
			log.Warn("the saved statistics could not be read: going on from the copy of an earlier start, what came after it is missing",
				"saved_at", r.snapshot.PersistedAt, "finished", r.snapshot.Finished, "failed", r.snapshot.Failed)
		} else {
			log.Warn("the saved statistics could not be read and there is no copy: starting from zero")
		}
		return
	}
	if !r.found {
		return
	}
	a := r.snapshot
	clean := len(a.Segments) == 0 || a.Segments[len(a.Segments)-1].Clean
	s.cfg.Logger.Info("resumed", "crawler", s.cfg.ID,
		"finished", a.Finished, "failed", a.Failed, "discarded", a.Discarded, "retries", a.Retries,
		"interrupted", a.InFlight, "runtime", a.Runtime.Round(time.Millisecond).String(),
		"saved_at", a.PersistedAt, "clean", clean)
}

// newOwner returns a name no other run has.
func newOwner() string { return fmt.Sprintf("%s-%d", rand.Text()[:13], os.Getpid()) }

// segment describes this run.
func (s *Statistics) segment(e *era, live *Snapshot) Segment {
	end := e.closed
	if end.IsZero() {
		end = time.Now()
	}
	seg := Segment{
		Host: s.host, Version: Version, Start: wall(e.opened), End: wall(end),
		Clean: !e.closed.IsZero(), Finished: live.Finished, Failed: live.Failed,
	}
	if s.keeper != nil {
		seg.Owner = s.keeper.owner
	}
	return seg
}

// Reset puts everything back to zero and deletes the record: Generation grows
// and Since is now. The configuration stays, handles of instruments stay valid,
// extensions go back to their defaults, and a request begun before the Reset and
// ended after it is Unmatched. When the record cannot be deleted the error says
// so; counting starts anew all the same, and the next save replaces it.
func (s *Statistics) Reset(ctx context.Context) error {
	if s.closed.Load() {
		return fmt.Errorf("stats: reset: %w", ErrClosed)
	}
	s.restart()
	if s.keeper == nil {
		return nil
	}
	err := s.keeper.remove(ctx)
	s.tellIfSuperseded(err)
	if err != nil {
		return fmt.Errorf("stats: reset: delete the record: %w", err)
	}
	return nil
}

// restart begins the next generation.
func (s *Statistics) restart() {
	s.resets.Lock()
	defer s.resets.Unlock()
	e := s.currentEra()
	s.instruments.reset()
	s.extensions.reset()
	s.unmatched.Store(0)
	s.late.Store(0)
	s.overflows.Store(0)
	// As it is before anything is counted in it, nothing needs to be saved: a new
	// recorder adds no change.
	s.health.begin(s.instruments.changes()+s.extensions.changes(), false)
	s.start(Snapshot{Generation: e.generation + 1})
	e.recorder.seal()
}

// Close is Shutdown within Config.CloseTimeout. It is idempotent, and safe on a
// nil Statistics, so that it can always be deferred.
func (s *Statistics) Close() error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.CloseTimeout)
	defer cancel()
	return s.Shutdown(ctx)
}

// Shutdown leaves the bus, stops the timers, saves for the last time and logs
// the summary. It returns what went wrong with the save. Requests that are
// recorded later count as Late, and instruments are no longer saved; reading goes
// on working and shows the final state. The Store and the Bus stay open: they
// belong to the caller.
func (s *Statistics) Shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	if s.closed.Swap(true) {
		select {
		case <-s.ended:
			return s.closeErr
		case <-ctx.Done():
			return fmt.Errorf("stats: close: another Close is still at work: %w", context.Cause(ctx))
		}
	}
	for _, unsubscribe := range s.leave {
		unsubscribe()
	}
	s.loop.stop()
	s.end()

	if s.cfg.Persist == PersistAuto {
		if err := s.saveForGood(ctx); err != nil {
			s.closeErr = fmt.Errorf("stats: close: %w", err)
		}
	}
	s.loop.beside(func() { s.logLine(s.cfg.Logger, s.Calculate(), slog.String("state", "final")) })
	s.loop.wait(ctx)
	close(s.ended)
	s.tellIfSuperseded(s.closeErr) // last: a handler of it may close, too
	return s.closeErr
}

// end stops the clock of this run and every recording.
func (s *Statistics) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.era.closed = time.Now()
	s.era.recorder.seal()
}
