//go:build crawlstats_portable

package stats

import (
	"sync"
	"sync/atomic"
)

// homes hands out tokens through a sync.Pool, which keeps what was put back
// close to the processor that put it there.
type homes struct {
	last atomic.Int64
	pool sync.Pool
}

type token struct {
	n int
	_ [56]byte // a cache line each
}

// home returns a number that goroutines on one processor mostly share.
func (h *homes) home() int {
	t, ok := h.pool.Get().(*token)
	if !ok {
		t = &token{n: int(h.last.Add(1))}
	}
	n := t.n
	h.pool.Put(t)
	return n
}
