package stats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/events"
)

// Persist saves now. It returns nil when the store has acknowledged the state,
// and, where the store can promise it, a loss of power would not lose it either.
// ErrNoStore without a store, ErrSuperseded when another owner took over,
// ErrTooLarge when an extension did not fit and the rest was saved.
func (s *Statistics) Persist(ctx context.Context) error {
	switch {
	case s.keeper == nil:
		return fmt.Errorf("stats: persist: %w: give Config.Store, and a Config.Persist other than PersistOff", ErrNoStore)
	case s.closed.Load():
		return fmt.Errorf("stats: persist: %w", ErrClosed)
	}
	if err := s.persist(ctx); err != nil {
		return fmt.Errorf("stats: persist: %w", err)
	}
	return nil
}

// persist saves, asks the store for its barrier, and tells of a new owner.
func (s *Statistics) persist(ctx context.Context) error {
	err := s.saveForGood(ctx)
	s.tellIfSuperseded(err)
	return err
}

// saveForGood saves and asks the store for its barrier.
func (s *Statistics) saveForGood(ctx context.Context) error {
	err := s.checkpoint(ctx)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return err
	}
	return errors.Join(err, s.judge(withBarrier, s.keeper.sync(ctx)))
}

// checkpoint saves the newest state. How it went is in Health, and in the log
// when a trouble begins or ends.
func (s *Statistics) checkpoint(ctx context.Context) error { return s.save(ctx, always) }

func always(uint64) bool { return true }

// save saves when it is its turn and the state, as it is then, is due.
func (s *Statistics) save(ctx context.Context, due func(state uint64) bool) error {
	var left error // written before save returns nil, so read only then
	err := s.keeper.save(ctx, func(h header) ([]byte, func(), error) {
		start, state := time.Now(), s.changes()
		if !due(state) {
			return nil, nil, nil
		}
		a := s.Snapshot()
		a.PersistedAt = h.at
		record, tooLarge, err := s.encode(h, &a)
		left = errors.Join(s.extensions.check(), s.extensions.tooLarge(tooLarge))
		return record, func() { s.acknowledged(&a, state, time.Since(start)) }, err
	})
	s.tellLost()
	if s.judge(withSave, err) != nil {
		return err
	}
	return s.judge(withExtensions, left)
}

// encode returns the record of a. An extension that is too large stands in it as
// it was when it last fitted, or not at all; tooLarge names them.
func (s *Statistics) encode(h header, a *Snapshot) (record []byte, tooLarge []string, err error) {
	for {
		record, left, err := encodeRecord(h, *a)
		if err != nil || len(left) == 0 {
			return record, tooLarge, err
		}
		a.Extensions = s.extensions.fallBack(a.Extensions, left, tooLarge)
		tooLarge = append(tooLarge, left...)
	}
}

// acknowledged notes that the record holds a.
func (s *Statistics) acknowledged(a *Snapshot, state uint64, took time.Duration) {
	s.mu.Lock()
	current := s.era.generation == a.Generation
	if current {
		s.era.persisted = a.PersistedAt
	}
	s.mu.Unlock()
	if current { // else a Reset came meanwhile, and deletes what was just saved
		s.extensions.keep(a.Extensions)
		s.health.acknowledge(state, took)
	}
}

// tellIfSuperseded says once that another owner has the record.
func (s *Statistics) tellIfSuperseded(err error) {
	if !errors.Is(err, ErrSuperseded) || s.fenced.Swap(true) {
		return
	}
	s.cfg.Logger.Warn("another owner has taken over the saved statistics: counting goes on in memory, nothing is saved any more",
		"crawler", s.cfg.ID, "key", s.cfg.Key, "error", err)
	if s.cfg.Events != nil {
		s.report(events.Publish(context.Background(), s.cfg.Events, events.Superseded{Key: s.cfg.Key}))
	}
}

// report logs what subscribers returned for an event of this Statistics.
func (s *Statistics) report(err error) {
	if err != nil {
		s.cfg.Logger.Warn("a subscriber failed", "crawler", s.cfg.ID, "error", err)
	}
}
