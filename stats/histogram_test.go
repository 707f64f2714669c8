package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsCoverEveryDuration(t *testing.T) {
	for _, resolution := range []int{fine, medium, coarse} {
		last := -1
		for i := range cellsOf(resolution) {
			lower, upper := bucketBounds(i, resolution)
			if got := bucketOf(lower, resolution); got != i {
				t.Fatalf("resolution %d: lower bound %v of bucket %d falls into %d", resolution, lower, i, got)
			}
			if got := bucketOf(upper-1, resolution); got != i {
				t.Fatalf("resolution %d: %v, just below bucket %d's upper bound, falls into %d", resolution, upper-1, i, got)
			}
			last = i
		}
		for _, d := range []time.Duration{3 * time.Hour, math.MaxInt64} {
			if got := bucketOf(d, resolution); got != last {
				t.Errorf("resolution %d: %v falls into %d, want the last bucket %d", resolution, d, got, last)
			}
		}
		if got := bucketOf(-time.Second, resolution); got != 0 {
			t.Errorf("resolution %d: a negative duration falls into %d", resolution, got)
		}
	}
}

// A tenth of the 10 M values of the benchmark's sample: log-normal with a
// Pareto tail up to two hours.
func TestQuantileErrorIsBelowOneInAHundredTwentyFive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]time.Duration, 1_000_000)
	var s fineSpread
	for i := range values {
		v := 250 * math.Exp(rng.NormFloat64())
		if i%33 == 0 {
			v = min(5_000*math.Pow(rng.Float64(), -1/1.1), 7_200_000)
		}
		values[i] = time.Duration(v * float64(time.Millisecond))
		s.add(values[i])
	}
	slices.Sort(values)
	d := s.durations()
	for _, q := range []float64{0, .001, .01, .1, .25, .5, .75, .9, .95, .99, .999, .99999, 1} {
		want := values[max(int(math.Ceil(q*float64(len(values))*(1-1e-12)))-1, 0)]
		got := d.Quantile(q)
		if off := math.Abs(float64(got-want)) / float64(want); off > 0.008 {
			t.Errorf("quantile %v is %v, want %v: off by %.2f %%", q, got, want, 100*off)
		}
	}
	if d.Min != values[0] || d.Max != values[len(values)-1] || d.Count != int64(len(values)) {
		t.Errorf("min %v max %v count %d", d.Min, d.Max, d.Count)
	}
}

func TestCoarseningAgreesWithCountingCoarsely(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, resolution := range []int{medium, coarse} {
		cells := make([]int64, cellsOf(resolution))
		var s fineSpread
		for range 10_000 {
			d := time.Duration(math.Exp(rng.Float64()*30)) * 64
			s.add(d)
			cells[bucketOf(d, resolution)]++
		}
		got := s.durations().buckets.coarsen(resolution)
		want := newHistogram(resolution, 0, cells)
		if got.first != want.first || !slices.Equal(got.cells, want.cells) {
			t.Errorf("resolution %d: coarsened %v, counted %v", resolution, got, want)
		}
	}
}

func TestDurationsOfWindow(t *testing.T) {
	var s fineSpread
	s.add(10 * time.Millisecond)
	before := s.durations()
	s.add(100 * time.Millisecond)
	s.add(200 * time.Millisecond)
	w := s.durations().sub(before)
	if w.Count != 2 || w.Sum != 300*time.Millisecond {
		t.Errorf("window holds %d durations of %v in all", w.Count, w.Sum)
	}
	if w.Min > 100*time.Millisecond || w.Min < 98*time.Millisecond || w.Max != 200*time.Millisecond {
		t.Errorf("window is from %v to %v, want the edges of its outermost buckets", w.Min, w.Max)
	}
}

func TestQuantileOfNothingAndOfNonsense(t *testing.T) {
	var d Durations
	for _, q := range []float64{-1, 0, .5, 1, 2, math.NaN(), math.Inf(1)} {
		if got := d.Quantile(q); got != 0 {
			t.Errorf("Quantile(%v) of nothing is %v", q, got)
		}
	}
	var s fineSpread
	s.add(time.Second)
	for _, q := range []float64{-1, 2, math.NaN(), math.Inf(-1)} {
		if got := s.durations().Quantile(q); got != time.Second {
			t.Errorf("Quantile(%v) of one second is %v", q, got)
		}
	}
}

// The nearest rank: the least value that q of all do not exceed.
func TestQuantileOfAFew(t *testing.T) {
	for _, tt := range []struct {
		n    int
		q    float64
		want int // the how manieth
	}{
		{2, 0, 1},
		{2, .5, 1},
		{2, .51, 2},
		{2, .95, 2},
		{2, 1, 2},
		{3, .5, 2},
		{10, .9, 9},
		{10, .91, 10},
		{100, .07, 7},
		{100, .95, 95},
		{100, .99, 99},
		{100, .999, 100},
	} {
		var s fineSpread
		for i := range tt.n {
			s.add(time.Duration(i+1) * time.Second)
		}
		want := time.Duration(tt.want) * time.Second
		if got := s.durations().Quantile(tt.q); got < want*992/1000 || got > want*1008/1000 {
			t.Errorf("%v of 1 to %d s is %v, want %v", tt.q, tt.n, got, want)
		}
	}
}

func TestSumsSaturate(t *testing.T) {
	var s fineSpread
	for range 200 {
		s.add(maxDuration)
	}
	if d := s.durations(); d.Sum != math.MaxInt64 || d.Average() < 0 {
		t.Errorf("sum %v average %v", d.Sum, d.Average())
	}
	if got := sub(int64(-2), int64(math.MaxInt64)); got != math.MinInt64 {
		t.Errorf("sub is %d", got)
	}
}
