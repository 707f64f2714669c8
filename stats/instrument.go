package stats

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Counter counts something of the crawler's own. It only grows, up to the largest
// number.
type Counter struct{ cells *stripes[atomic.Int64] }

func newCounter() *Counter { return &Counter{newStripes[atomic.Int64]()} }

// Inc adds one.
func (c *Counter) Inc() { c.cells.home().v.Add(1) }

// Add adds n. A negative n is ignored: what can fall is a Gauge.
func (c *Counter) Add(n int64) {
	if n <= 0 {
		return
	}
	if v := &c.cells.home().v; v.Add(n) < 0 {
		v.Store(math.MinInt64) // full, and stays negative whatever is added
	}
}

func (c *Counter) value() (n int64) {
	for i := range c.cells.cells {
		v := c.cells.cells[i].v.Load()
		if v < 0 {
			return math.MaxInt64
		}
		n = add(n, v)
	}
	return n
}

func (c *Counter) reset() {
	for i := range c.cells.cells {
		c.cells.cells[i].v.Store(0)
	}
}

// Gauge is a value that goes up and down, such as the length of a queue.
type Gauge struct {
	bits atomic.Uint64
	sets atomic.Uint64
}

// Set sets the value. NaN counts as 0, an infinity as the largest number.
func (g *Gauge) Set(v float64) {
	g.bits.Store(math.Float64bits(finite(v)))
	g.sets.Add(1)
}

// Add adds v, which may be negative.
func (g *Gauge) Add(v float64) {
	for {
		old := g.bits.Load()
		if g.bits.CompareAndSwap(old, math.Float64bits(finite(math.Float64frombits(old)+v))) {
			g.sets.Add(1)
			return
		}
	}
}

func (g *Gauge) value() float64 { return math.Float64frombits(g.bits.Load()) }

func (g *Gauge) reset() { g.Set(0) }

// Timer is a distribution of durations of the crawler's own.
type Timer struct {
	key   string
	taps  *taps
	cells *stripes[timerCells]
}

type timerCells struct {
	spread
	cells [(38 - medium) << medium]int64
}

func newTimer(key string, taps *taps) *Timer {
	return &Timer{key: key, taps: taps, cells: newStripes[timerCells]()}
}

// Observe adds a duration. A negative one counts as 0.
func (t *Timer) Observe(d time.Duration) {
	d = clampDuration(d)
	c := t.cells.lock()
	c.v.cells[bucketOf(d, medium)]++
	c.v.add(d)
	c.mu.Unlock()
	if t.taps.any() {
		t.taps.tell(Tapped{Kind: TapTimer, Key: t.key, Duration: d})
	}
}

// Time starts a clock; the returned function stops it and observes the time
// that passed, once.
func (t *Timer) Time() (stop func()) {
	start := time.Now()
	return sync.OnceFunc(func() { t.Observe(time.Since(start)) })
}

func (t *Timer) count() (n int64) {
	t.cells.each(func(c *timerCells) { n += c.count })
	return n
}

func (t *Timer) durations() (d Durations) {
	t.cells.each(func(c *timerCells) { d = d.merge(c.durations(medium, 0, c.cells[:])) })
	return d
}

func (t *Timer) reset() { t.cells.each(func(c *timerCells) { *c = timerCells{} }) }

// Unique estimates a number of distinct values, such as the URLs seen.
type Unique struct {
	key      string
	taps     *taps
	distinct distinct
}

// Add counts value, if it was not counted before.
func (u *Unique) Add(value string) {
	h := hash64(value)
	u.distinct.add(h)
	if u.taps.any() {
		u.taps.tell(Tapped{Kind: TapUnique, Key: u.key, Hash: h})
	}
}
