package stats

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Tapped is one event as a Tap sees it. Snapshots carry sums; a tap is for
// exporters that must send events one by one.
type Tapped struct {
	Kind     TapKind
	Key      string        // of the Timer or Unique
	Duration time.Duration // working time, or what a Timer observed
	Queued   time.Duration // queue wait of a request; negative: unknown
	Hash     uint64        // of the value that a Unique was given
}

// TapKind says what a Tapped is about.
type TapKind uint8

// The kinds.
const (
	TapFinished TapKind = iota // a request
	TapFailed                  // a request
	TapTimer
	TapUnique
)

// Tap calls fn for every finished or failed request and for every event of a
// Timer or Unique, on the goroutine that records it and after all locks are
// released, until remove is called. fn must be quick, must not block, and must
// not call the Statistics. Without a tap the cost is one load.
func (s *Statistics) Tap(fn func(Tapped)) (remove func()) { return s.taps.add(&fn) }

// taps is a list that is read on the hot path: nil while it is empty.
type taps struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*func(Tapped)]
}

func (t *taps) add(fn *func(Tapped)) (remove func()) {
	t.change(func(list []*func(Tapped)) []*func(Tapped) { return append(list, fn) })
	return sync.OnceFunc(func() {
		t.change(func(list []*func(Tapped)) []*func(Tapped) {
			return slices.DeleteFunc(list, func(f *func(Tapped)) bool { return f == fn })
		})
	})
}

func (t *taps) change(edit func([]*func(Tapped)) []*func(Tapped)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*func(Tapped)
	if old := t.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	if list = edit(list); len(list) == 0 {
		t.list.Store(nil)
		return
	}
	t.list.Store(&list)
}

// any reports whether there is somebody to tell.
func (t *taps) any() bool { return t.list.Load() != nil }

func (t *taps) tell(e Tapped) {
	if list := t.list.Load(); list != nil {
		for _, fn := range *list {
			(*fn)(e)
		}
	}
}

// settled tells of a request that ended.
func (t *taps) settled(j *Job) {
	if t.any() {
		t.tellSettled(j)
	}
}

//go:noinline // so that settled is: it is on the path of every request
func (t *taps) tellSettled(j *Job) {
	if j.ending != discarded {
		t.tell(Tapped{Kind: TapKind(j.ending), Duration: j.duration, Queued: j.queued})
	}
}
