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

type pinned = *token

type token struct {
	home int
	_    [56]byte // a cache line each
}

func (t *token) n() int { return t.home }

// pin returns a number that goroutines on one processor mostly share. Nobody
// else has it until unpin.
func (h *homes) pin() pinned {
	if t, ok := h.pool.Get().(*token); ok {
		return t
	}
	return &token{home: int(h.last.Add(1))}
}

func (h *homes) unpin(p pinned) { h.pool.Put(p) }
