package reading

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// Every bucket holds what lies in it, within the 1.6 % that a duration may be
// off by, and nothing is lost.
func TestExponential(t *testing.T) {
	st := stats.New()
	timer := st.Timer("t")
	rng := rand.New(rand.NewPCG(1, 2))
	exact := map[int]int64{}
	const n = 20000
	near := 0
	for i := range n {
		d := time.Duration(math.Exp(rng.Float64() * math.Log(float64(2*time.Hour))))
		if i == 0 {
			d = 0
		}
		timer.Observe(d)
		if d < 64 {
			continue
		}
		at := math.Log2(d.Seconds()) * 8
		exact[int(math.Ceil(at))]++
		if math.Abs(at-math.Round(at)) < 8*.025 || d < 4096 { // the first cells are wider than 1.6 %
			near++
		}
	}
	h := Histogram{Durations: st.Live().Timers["t"]}
	counts, zero := h.Exponential()
	sum, off := int64(zero), int64(0)
	for i, c := range counts {
		sum += c
		off += max(c-exact[i], exact[i]-c)
	}
	if sum != n {
		t.Errorf("%d in buckets, want %d", sum, n)
	}
	if zero == 0 {
		t.Error("nothing in the bucket of zero")
	}
	if off > int64(2*near) || len(counts) < 200 {
		t.Errorf("%d in wrong buckets, but only %d are near a border; %d buckets", off, near, len(counts))
	}
}
