package hostile

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Durations returns durations that no clock gives.
func Durations() []time.Duration {
	return []time.Duration{math.MinInt64, -time.Hour, -1, 0, 1, 100 * 365 * 24 * time.Hour, math.MaxInt64}
}

// Counts returns whole numbers at the edges: as status codes, retries and what is
// added to a counter.
func Counts() []int64 {
	return []int64{math.MinInt64, -1_000_000, -1, 0, 1, 99, 100, 599, 600, 999, 1000, math.MaxInt32 + 1, math.MaxInt64}
}

// Floats returns what a gauge can be set to.
func Floats() []float64 {
	return []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, 1e308}
}

// Names yields n names that no mask makes equal: letters alone, all different.
func Names(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			word := make([]byte, 0, 8)
			for k := i; len(word) < 8; k /= 16 {
				word = append(word, 'g'+byte(k%16)) // no hex digits
			}
			if !yield(string(word)) {
				return
			}
		}
	}
}

// Hosts yields n different host names.
func Hosts(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield("h" + strconv.Itoa(i) + ".site.example") {
				return
			}
		}
	}
}

// Colliding yields n different ids, at most 65,536, that are the same to hashes of
// the form h = h*31 + c, as many languages have, and to sums of bytes.
func Colliding(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			bits := fmt.Sprintf("%016b", i)
			if !yield(strings.NewReplacer("0", "Aa", "1", "BB").Replace(bits)) {
				return
			}
		}
	}
}
