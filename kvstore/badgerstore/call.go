package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// access is what a call does to the store; it decides what an abandoned call
// returns.
type access bool

const (
	reading access = false
	writing access = true
)

// do runs op, one at a time per directory, on a goroutine that the caller can
// leave when ctx ends. Closing waits for that goroutine.
func do[T any](ctx context.Context, s *Store, need access, op func(*database) (T, error)) (T, error) {
	var none T
	h := s.handle
	if err := h.begin(ctx, s); err != nil {
		return none, err
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	var began atomic.Bool
	go func() {
		var r result
		if r.err = h.open(); r.err == nil {
			began.Store(true) // before ctx is asked: who sees false knows that op will not run
			r.err = given(ctx)
		}
		if r.err == nil {
			r.value, r.err = op(h.db)
		}
		<-h.turn
		done <- r
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	outcome := kvstore.ErrUnavailable
	if need == writing && began.Load() {
		outcome = kvstore.ErrUnknown
	}
	return none, fmt.Errorf("%w: the database did not answer in time: %w", outcome, context.Cause(ctx))
}

// given says whether ctx still allows to begin.
func given(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
	return nil
}

// begin takes the turn once the directory is ours. A context that is done
// already still gets the answer that can be had at once.
func (h *handle) begin(ctx context.Context, s *Store) error {
	for {
		if err := h.takeTurn(ctx); err != nil {
			return err
		}
		var err error
		if s.closed.Load() {
			err = kvstore.ErrClosed
		} else {
			err = h.own()
		}
		if err == nil {
			return nil
		}
		<-h.turn
		if !errors.Is(err, kvstore.ErrLocked) {
			return err
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return fmt.Errorf("%w: stop that process or choose another directory: %w", err, context.Cause(ctx))
		}
	}
}

func (h *handle) takeTurn(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
	}
	timer := time.NewTimer(turnGrace)
	defer timer.Stop()
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return fmt.Errorf("%w: the database is busy: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
}
