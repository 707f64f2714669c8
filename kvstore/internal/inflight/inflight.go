// Package inflight runs the calls of a store to its server on goroutines that
// their callers can leave, so that a deadline holds whatever the client does.
//
// # Concurrency
//
// A Group is safe for any number of goroutines. Close waits for those it started.
package inflight

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

const (
	closeMost  = 10 * time.Second       // that Close waits when its context does not end
	closeGrace = 100 * time.Millisecond // that Close waits after its context ended
)

// Group has the calls under way. Its zero value is ready.
type Group struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// Do runs op until it ends or ctx does. In the second case op goes on alone and
// Do returns an error that wraps left. Before op it returns kvstore.ErrClosed or
// kvstore.ErrUnavailable.
func Do[T any](ctx context.Context, g *Group, left error, op func() (T, error)) (T, error) {
	var none T
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	if err := g.Go(ctx, func() {
		value, err := op()
		done <- result{value, err}
	}); err != nil {
		return none, err
	}
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done: // both at once: the answer is worth more
		return r.value, r.err
	default:
		return none, fmt.Errorf("%w: the server did not answer in time: %w", left, context.Cause(ctx))
	}
}

// Go runs fn on a goroutine that Close waits for. Its error is that fn was not
// begun: kvstore.ErrClosed or kvstore.ErrUnavailable.
func (g *Group) Go(ctx context.Context, fn func()) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return kvstore.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
	g.running.Go(fn)
	return nil
}

// Close lets no call begin any more and waits for those under way until ctx
// ends, ten seconds at most. The error says that some are still running.
func (g *Group) Close(ctx context.Context) error {
	g.mu.Lock()
	already := g.closed
	g.closed = true
	g.mu.Unlock()
	if already {
		return nil
	}
	idle := make(chan struct{})
	go func() {
		g.running.Wait()
		close(idle)
	}()
	most := time.NewTimer(closeMost)
	defer most.Stop()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	case <-most.C:
	}
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-idle:
		return nil
	case <-grace.C:
		return fmt.Errorf("%w: calls still wait for the server; they end with the timeouts of its client", kvstore.ErrUnknown)
	}
}
