package httpstats

import (
	"context"
	"sync/atomic"

	"github.com/crawlstats/crawlstats/stats"
)

// above is who stands above a Transport on the way of a request. It leaves
// itself in the context under the key of its Statistics.
type above interface {
	// yield leaves the counting to the Transport below. It reports whether the
	// attempt has been counted as begun.
	yield() (begun bool)
}

type aboveKey struct{ s *stats.Statistics }

// Watch returns a context for the requests of an adapter that feeds s itself.
// Transports of s below it leave the request layer to the adapter, and Counted
// tells whether one of them counts the status codes.
func Watch(ctx context.Context, s *stats.Statistics) context.Context {
	return context.WithValue(ctx, aboveKey{s}, new(watch))
}

// Counted reports whether a Transport of s has counted a request that was made
// with ctx, which Watch returned, or with a context derived from it. The adapter
// then counts no status code.
func Counted(ctx context.Context, s *stats.Statistics) bool {
	w, ok := ctx.Value(aboveKey{s}).(*watch)
	return ok && w.counted.Load()
}

type watch struct{ counted atomic.Bool }

func (w *watch) yield() bool {
	if !w.counted.Load() { // may be shared by all requests of a crawl
		w.counted.Store(true)
	}
	return false
}
