package hostile

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/stats"
)

// Numbers that no clock and no counter gives, wherever one can be given.
func TestNumbers(t *testing.T) {
	o := newOutlet(t, stats.Config{ID: "shop"})
	s := o.st
	var finished, codes, hits int64
	for _, d := range hostile.Durations() {
		j := s.Begin()
		j.Took(d)
		j.Finish()
		s.Timer("took").Observe(d)
		s.Observe(stats.Outcome{Duration: d, QueueWait: d})
		s.Observe(stats.Outcome{Request: stats.Request{QueuedAt: time.Now().Add(-d)}, Duration: d, Err: errors.New("late")})
		finished += 2
	}
	for _, n := range hostile.Counts() {
		s.StatusCode(int(n))
		codes++
		s.Observe(stats.Outcome{Request: stats.Request{Retries: int(n)}})
		finished++
		s.Counter("hits").Add(n)
		if n > 0 {
			hits = min(hits, math.MaxInt64-n) + n
		}
	}
	for _, v := range hostile.Floats() {
		s.Gauge("level").Set(v)
		s.Gauge("sum").Add(v)
	}
	s.Gauge("nan").Set(math.NaN())
	s.Gauge("inf").Set(math.Inf(1))
	o.close(t)
	a := o.final
	if a.Finished != finished || a.Failed != int64(len(hostile.Durations())) || sum(a.StatusCodes) != codes {
		t.Errorf("%d finished, %d failed, %d codes; want %d, %d, %d", a.Finished, a.Failed, sum(a.StatusCodes), finished, len(hostile.Durations()), codes)
	}
	if n := a.Counters["hits"]; n < 0 || n != hits {
		t.Errorf("the counter is %d, want %d", n, hits)
	}
	for name, v := range a.Gauges {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("the gauge %s is %v", name, v)
		}
	}
	for name, d := range map[string]stats.Durations{"finished": a.FinishedDuration, "timer": a.Timers["took"], "wait": a.QueueWait, "total": a.TotalDuration} {
		if d.Min < 0 || d.Sum < 0 || d.Max < d.Min || d.Average() < 0 {
			t.Errorf("%s: from %v to %v, %v in all", name, d.Min, d.Max, d.Sum)
		}
	}
	each(t, o)
}
