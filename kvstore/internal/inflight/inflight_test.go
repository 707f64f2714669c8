package inflight

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

func TestDeadlineHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		release := make(chan struct{})
		_, err := Do(ctx, &g, kvstore.ErrUnknown, func() (int, error) { <-release; return 1, nil })
		if !errors.Is(err, kvstore.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Do after %v: %v, want ErrUnknown after a second", time.Since(start), err)
		}
		if _, err := Do(ctx, &g, kvstore.ErrUnknown, func() (int, error) { t.Error("began"); return 0, nil }); !errors.Is(err, kvstore.ErrUnavailable) {
			t.Errorf("Do with a done context: %v, want ErrUnavailable", err)
		}
		time.AfterFunc(3*time.Second, func() { close(release) })
		start = time.Now()
		if err := g.Close(t.Context()); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("Close after %v: %v, want it to wait for the call", time.Since(start), err)
		}
	})
}

func TestCloseIsBounded(t *testing.T) {
	for name, limit := range map[string]time.Duration{"by its context": time.Second, "by itself": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g Group
				left, leave := context.WithTimeout(t.Context(), time.Millisecond)
				defer leave()
				release := make(chan struct{})
				defer close(release)
				_, _ = Do(left, &g, kvstore.ErrUnknown, func() (int, error) { <-release; return 0, nil })
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				start := time.Now()
				err := g.Close(ctx)
				if want := min(limit, closeMost) + closeGrace; !errors.Is(err, kvstore.ErrUnknown) || time.Since(start) != want {
					t.Errorf("Close after %v: %v, want ErrUnknown after %v", time.Since(start), err, want)
				}
				if err := g.Close(ctx); err != nil {
					t.Errorf("second Close: %v", err)
				}
				if _, err := Do(t.Context(), &g, kvstore.ErrUnknown, func() (int, error) { return 0, nil }); !errors.Is(err, kvstore.ErrClosed) {
					t.Errorf("Do after Close: %v, want ErrClosed", err)
				}
			})
		})
	}
}
