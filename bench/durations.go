package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// heavyTail returns n durations of which 97 % are lognormal around 250 ms, and 3 %
// reach from 5 seconds to 2 hours.
func heavyTail(n int) []time.Duration {
	rng := rand.New(rand.NewPCG(3, 4))
	values := make([]time.Duration, n)
	for i := range values {
		seconds := math.Exp(math.Log(0.25) + rng.NormFloat64())
		if rng.Float64() < 0.03 {
			seconds = min(5*math.Pow(rng.Float64(), -1/1.1), 7200)
		}
		values[i] = time.Duration(seconds * 1e9)
	}
	return values
}

// histogramError counts n durations of a heavy tail, and returns the largest
// relative error of a quantile from 0.1 to 99.999 % and the bytes that the
// distribution takes in a record.
func histogramError(n int) (worst float64, size int, err error) {
	values := heavyTail(n)
	s := stats.New()
	for _, d := range values {
		s.Observe(stats.Outcome{Duration: d})
	}
	d := s.Snapshot().FinishedDuration
	saved, err := json.Marshal(d)
	if err != nil {
		return 0, 0, err
	}
	slices.Sort(values)
	for _, q := range []float64{.001, .01, .05, .1, .25, .5, .75, .9, .95, .99, .999, .9999, .99999} {
		exact := float64(values[max(int(math.Ceil(q*float64(n)))-1, 0)])
		worst = max(worst, math.Abs(float64(d.Quantile(q))-exact)/exact)
	}
	return worst, len(saved), nil
}
