package stats

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

func TestHistoryFillsFourRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), Config{ID: "h", LogEvery: -1, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * 60 * 60 {
			j := s.Begin()
			time.Sleep(400 * time.Millisecond)
			j.StatusCode(200)
			j.Finish()
			time.Sleep(600 * time.Millisecond)
		}
		synctest.Wait()
		h := s.Snapshot().History
		if at := h.LastSuccess(); !at.Equal(h.Seconds[299].At) || !(History{}).LastSuccess().IsZero() {
			t.Errorf("last success at %v", at)
		}
		if len(h.Seconds) != 300 || len(h.TenSeconds) != 90 || len(h.Minutes) != 120 || len(h.Hours) != 2 {
			t.Fatalf("%d, %d, %d, %d points", len(h.Seconds), len(h.TenSeconds), len(h.Minutes), len(h.Hours))
		}
		for _, r := range rings {
			points := *r.points(&h)
			last := points[len(points)-1]
			if want := int64(r.step / time.Second); last.Finished < want-1 || last.Finished > want+1 {
				t.Errorf("ring %s: %d finished in the last step, want %d", r.name, last.Finished, want)
			}
			if last.P50 < 396*time.Millisecond || last.P50 > 404*time.Millisecond || last.Status[2] != last.Finished {
				t.Errorf("ring %s: %+v", r.name, last)
			}
			if !last.At.Equal(last.At.Truncate(r.step)) {
				t.Errorf("ring %s: the step ends at %v", r.name, last.At)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestHistoryOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		for range 2 {
			s, err := Open(t.Context(), Config{ID: "h", Store: store, LogEvery: -1, Logger: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				s.Observe(Outcome{Duration: time.Millisecond})
				time.Sleep(time.Second)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		}
		a, err := Load(t.Context(), store, Key("h", ""))
		if err != nil {
			t.Fatal(err)
		}
		points := a.History.Seconds
		var finished int64
		var gap time.Duration
		for i, p := range points {
			finished += p.Finished
			if i > 0 {
				gap = max(gap, p.At.Sub(points[i-1].At))
			}
		}
		if finished != 40 || gap < time.Minute {
			t.Errorf("%d finished in the points, the longest gap is %v", finished, gap)
		}
	})
}

func TestHistoryWhileTheClockIsBehind(t *testing.T) {
	var r recording
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	r.begin(start, History{})
	for i := range 10 {
		r.close(start.Add(time.Duration(i)*time.Second), totals{finished: int64(i)})
	}
	r.begin(start.Add(-5*time.Second), r.history) // a run on a clock that was set back
	for i := range 20 {
		r.close(start.Add(time.Duration(i-5)*time.Second), totals{finished: int64(i)})
	}
	var sum int64
	points := r.history.Seconds
	for i, p := range points {
		sum += p.Finished
		if i > 0 && !p.At.After(points[i-1].At) {
			t.Errorf("point %d is at %v, the one before at %v", i, p.At, points[i-1].At)
		}
	}
	if sum != 9+19 {
		t.Errorf("the points hold %d requests", sum)
	}
}
