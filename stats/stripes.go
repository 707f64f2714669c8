package stats

import (
	"math/bits"
	"runtime"
	"sync"
)

const maxStripes = 64

// stripes holds one T for each processor, each under a lock of its own. One
// lock costs two locked instructions however many cells it covers, and is
// uncontended as long as writers stay on their processors; a reader takes the
// locks one by one.
type stripes[T any] struct {
	homes homes
	cells []stripe[T]
}

type stripe[T any] struct {
	mu sync.Mutex
	v  T
	_  [128]byte // keeps neighbours off this one's cache lines, prefetched ones included
}

func newStripes[T any]() *stripes[T] {
	n := min(runtime.GOMAXPROCS(0), maxStripes)
	return &stripes[T]{cells: make([]stripe[T], 1<<bits.Len(uint(n-1)))}
}

// at returns the stripe of a processor, unlocked.
func (s *stripes[T]) at(home int) *stripe[T] { return &s.cells[home&(len(s.cells)-1)] }

// home returns this processor's stripe, unlocked.
func (s *stripes[T]) home() *stripe[T] {
	p := s.homes.pin()
	c := s.at(p.n())
	s.homes.unpin(p)
	return c
}

// lock returns a locked stripe: this processor's, or the next one that is free.
func (s *stripes[T]) lock() *stripe[T] {
	p := s.homes.pin()
	home := p.n()
	s.homes.unpin(p)
	if c := s.at(home); c.mu.TryLock() {
		return c
	}
	return s.lockAny(home)
}

// lockAny passes by stripes whose holder was descheduled, and waits only when
// all are taken.
func (s *stripes[T]) lockAny(home int) *stripe[T] {
	for i := range s.cells {
		if c := &s.cells[(home+i)&(len(s.cells)-1)]; c.mu.TryLock() {
			return c
		}
	}
	c := &s.cells[home&(len(s.cells)-1)]
	c.mu.Lock()
	return c
}

// each calls fn for every stripe under its lock.
func (s *stripes[T]) each(fn func(*T)) {
	for i := range s.cells {
		c := &s.cells[i]
		c.mu.Lock()
		fn(&c.v)
		c.mu.Unlock()
	}
}
