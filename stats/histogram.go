package stats

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Durations fall into log-linear buckets: every octave above the unit is cut
// into 1<<resolution equal parts. The bounds of a coarse histogram are bounds
// of every finer one too, so counts are coarsened and merged without loss.
const (
	unitShift = 6                 // the unit is 64 ns
	topUnits  = uint64(1)<<37 - 1 // 2.4 h; what is longer counts in the last bucket
	fine      = 6                 // 64 parts: a value is off by at most 1/128 = 0.78 %
	medium    = 5                 // 32 parts, 1.6 %: the timers
	coarse    = 2                 // 4 parts, 12.5 %: one histogram a host
)

// cellsOf returns the number of buckets at a resolution.
func cellsOf(resolution int) int { return (38 - resolution) << resolution }

// bucketOf returns the index of the bucket that d falls into.
func bucketOf(d time.Duration, resolution int) int {
	return bucketOfUnits(min(uint64(max(d, 0))>>unitShift, topUnits), resolution)
}

func bucketOfUnits(u uint64, resolution int) int {
	e := bits.Len64(u|1<<resolution) - (resolution + 1)
	return e<<resolution + int(u>>e)
}

// lowerUnits returns the lower bound of bucket i in units.
func lowerUnits(i, resolution int) uint64 {
	if i < 2<<resolution {
		return uint64(i)
	}
	e := i>>resolution - 1
	return uint64(i-e<<resolution) << e
}

// bucketBounds returns the durations between which the values of bucket i lie:
// lower <= value < upper.
func bucketBounds(i, resolution int) (lower, upper time.Duration) {
	return time.Duration(lowerUnits(i, resolution) << unitShift),
		time.Duration(lowerUnits(i+1, resolution) << unitShift)
}

// histogram is a read-only set of bucket counts in its one canonical form:
// cells starts and ends with a count that is not zero, and is nil, with the
// other fields zero, when nothing was counted. Histograms share cells freely.
type histogram struct {
	resolution int
	first      int // index of the bucket that cells[0] counts
	cells      []int64
}

// newHistogram takes over cells, the counts from bucket first on.
func newHistogram(resolution, first int, cells []int64) histogram {
	lo, hi := 0, len(cells)
	for lo < hi && cells[lo] == 0 {
		lo++
	}
	for hi > lo && cells[hi-1] == 0 {
		hi--
	}
	if lo == hi {
		return histogram{}
	}
	return histogram{resolution, first + lo, cells[lo:hi:hi]}
}

func (h histogram) total() (n int64) {
	for _, c := range h.cells {
		n = add(n, c)
	}
	return n
}

// coarsen returns h with buckets no finer than the resolution.
func (h histogram) coarsen(resolution int) histogram {
	if len(h.cells) == 0 || h.resolution <= resolution {
		return h
	}
	first := bucketOfUnits(lowerUnits(h.first, h.resolution), resolution)
	last := bucketOfUnits(lowerUnits(h.first+len(h.cells)-1, h.resolution), resolution)
	cells := make([]int64, last-first+1)
	for i, c := range h.cells {
		j := bucketOfUnits(lowerUnits(h.first+i, h.resolution), resolution) - first
		cells[j] = add(cells[j], c)
	}
	return newHistogram(resolution, first, cells)
}

// combine folds the counts of b into those of a, at the coarser resolution.
func (h histogram) combine(b histogram, fold func(x, y int64) int64) histogram {
	if len(b.cells) == 0 {
		return h
	}
	if len(h.cells) == 0 {
		h = histogram{resolution: b.resolution, first: b.first}
	}
	resolution := min(h.resolution, b.resolution)
	h, b = h.coarsen(resolution), b.coarsen(resolution)
	first := min(h.first, b.first)
	last := max(h.first+len(h.cells), b.first+len(b.cells))
	cells := make([]int64, last-first)
	copy(cells[h.first-first:], h.cells)
	for i, c := range b.cells {
		if c != 0 { // as most are
			j := b.first - first + i
			cells[j] = fold(cells[j], c)
		}
	}
	return newHistogram(resolution, first, cells)
}

func (h histogram) merge(b histogram) histogram { return h.combine(b, add) }
func (h histogram) sub(b histogram) histogram   { return h.combine(b, sub) }

// quantile returns the middle of the bucket that holds the nearest rank: the
// least value that the fraction q of all do not exceed. It is zero when nothing
// was counted.
func (h histogram) quantile(q float64) time.Duration {
	if math.IsNaN(q) {
		q = 0
	}
	rank := min(max(q, 0), 1) * float64(h.total())
	rank -= rank * 1e-12 // 0.07 times 100 is a little more than 7
	var seen int64
	for i, c := range h.cells {
		if seen = add(seen, c); c > 0 && float64(seen) >= rank {
			lower, upper := bucketBounds(h.first+i, h.resolution)
			return lower + (upper-lower)/2
		}
	}
	return 0
}

// Durations is a distribution of durations: exact count, sum and extremes, and
// buckets of at most 1.6 % width for quantiles.
type Durations struct {
	Count int64
	Sum   time.Duration
	// Min and Max are exact, and zero while Count is zero. In a window made by
	// Sub they are the edges of the outermost buckets.
	Min, Max time.Duration
	// Unbucketed of Count came without a distribution, from a record of another
	// library: they are in Sum, Min and Max, and in no quantile.
	Unbucketed int64

	buckets histogram
}

// Quantile returns the least duration that the fraction q (0 to 1) of them do not
// exceed, off by at most 0.8 % and 32 ns, and never outside Min and Max: of two
// durations, the shorter one for 0.5 and the longer one for 0.95. It is zero while
// nothing was counted in buckets.
func (d Durations) Quantile(q float64) time.Duration {
	if len(d.buckets.cells) == 0 {
		return 0
	}
	return min(max(d.buckets.quantile(q), d.Min), d.Max)
}

// Average returns Sum/Count, zero while Count is zero.
func (d Durations) Average() time.Duration {
	if d.Count == 0 {
		return 0
	}
	return d.Sum / time.Duration(d.Count)
}

// CountBelow returns how many of the durations that are in buckets lie below
// bound, to the resolution of the buckets. Exporters cut their own buckets with
// it.
func (d Durations) CountBelow(bound time.Duration) (n int64) {
	for i, c := range d.buckets.cells {
		lower, upper := bucketBounds(d.buckets.first+i, d.buckets.resolution)
		if lower+(upper-lower)/2 >= bound {
			break
		}
		n = add(n, c)
	}
	return n
}

// Buckets calls yield for every bucket with a count, shortest durations first.
// A duration d in a bucket lies in lower <= d < upper; the last possible bucket
// holds everything from 2.4 hours on.
func (d Durations) Buckets(yield func(lower, upper time.Duration, count int64) bool) {
	for i, c := range d.buckets.cells {
		if c == 0 {
			continue
		}
		lower, upper := bucketBounds(d.buckets.first+i, d.buckets.resolution)
		if !yield(lower, upper, c) {
			return
		}
	}
}

func (d Durations) merge(b Durations) Durations {
	switch {
	case b.Count == 0:
		return d.clone()
	case d.Count == 0:
		return b.clone()
	}
	return Durations{
		Count: add(d.Count, b.Count), Sum: add(d.Sum, b.Sum), Unbucketed: add(d.Unbucketed, b.Unbucketed),
		Min: min(d.Min, b.Min), Max: max(d.Max, b.Max),
		buckets: d.buckets.merge(b.buckets),
	}
}

// sub leaves what came after b. Extremes cannot be subtracted: the edges of the
// outermost buckets that remain bound them.
func (d Durations) sub(b Durations) Durations {
	w := Durations{
		Count: sub(d.Count, b.Count), Sum: sub(d.Sum, b.Sum), Unbucketed: sub(d.Unbucketed, b.Unbucketed),
		buckets: d.buckets.sub(b.buckets),
	}
	if n := len(w.buckets.cells); n > 0 {
		w.Min, _ = bucketBounds(w.buckets.first, w.buckets.resolution)
		_, w.Max = bucketBounds(w.buckets.first+n-1, w.buckets.resolution)
		w.Min, w.Max = max(w.Min, d.Min), min(w.Max, d.Max)
	}
	return w
}

func (d Durations) clone() Durations {
	d.buckets.cells = slices.Clone(d.buckets.cells)
	return d
}

// add and sub saturate, so that a hostile record or a negative count can never
// turn a total around.
func add[N ~int64](a, b N) N {
	s := a + b
	switch {
	case b > 0 && s < a:
		return math.MaxInt64
	case b < 0 && s > a:
		return math.MinInt64
	}
	return s
}

func sub[N ~int64](a, b N) N {
	if b == math.MinInt64 {
		return math.MaxInt64
	}
	return add(a, -b)
}
