package reading

import (
	"math"
	"time"
)

// Scale of exponential buckets: eight to an octave, each 9 % wide. Durations are
// counted in finer buckets, up to 1.6 %, that do not line up with them, so each
// is put where its middle lies.
const Scale = 3

// ZeroThreshold in seconds: durations below it are counted as zero. It is the
// unit of stats.Durations.
const ZeroThreshold = 64e-9

// Exponential returns the counts of exponential buckets by index: bucket i holds
// what is more than b^(i-1) and at most b^i seconds, where b = 2^(1/8). With
// zero they add up to Durations.Count.
func (h Histogram) Exponential() (counts map[int]int64, zero uint64) {
	counts = make(map[int]int64)
	left := h.Durations.Count
	h.Durations.Buckets(func(lower, upper time.Duration, count int64) bool {
		left -= count
		if lower == 0 {
			zero += natural(count)
		} else {
			counts[exponent(lower+(upper-lower)/2)] += count
		}
		return true
	})
	if left > 0 { // without a distribution, from a record of another library
		counts[exponent(h.Durations.Average())] += left
	}
	return counts, zero
}

func exponent(d time.Duration) int {
	return int(math.Ceil(math.Log2(max(d.Seconds(), ZeroThreshold)) * (1 << Scale)))
}
