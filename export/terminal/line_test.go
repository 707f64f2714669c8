package terminal

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// still is a source that does not change.
type still stats.Snapshot

func (s still) Snapshot() stats.Snapshot { return stats.Snapshot(s) }
func (s still) Live() stats.Snapshot     { return stats.Snapshot(s) }

func TestLine(t *testing.T) {
	a := shop(t)
	a.InFlight, a.Started = 48, a.Started+48
	known := a
	known.Gauges = map[string]float64{"queue.pending": 952}
	for name, c := range map[string]struct {
		a       stats.Snapshot
		columns int
		want    string
	}{
		"wide":    {a, 200, "1,000 done  1.1/s (3,952/h)  fail 60 (6.1 %)  retry 0  p95 952 ms  48 in flight"},
		"known":   {known, 200, "[##########..........]  50 %  1,000/2,000  1.1/s  fail 60 (6.1 %)  retry 0  p95 952 ms  48 in flight"},
		"narrow":  {known, 60, "[##########..........]  50 %  1,000/2,000  1.1/s"},
		"no bar":  {known, 30, "50 %  1,000/2,000  1.1/s"},
		"tiny":    {known, 5, "50 %"},
		"nothing": {stats.Snapshot{}, 80, "0 done  0.0/s (0.0/h)  fail 0 (0.0 %)  retry 0  0 in flight"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Line(still(c.a))(c.columns)
			if got != c.want {
				t.Errorf("the line is\n%s, want\n%s", got, c.want)
			}
			if n := utf8.RuneCountInString(got); n > c.columns {
				t.Errorf("%d columns of %d", n, c.columns)
			}
		})
	}
}

// TestLineETA: it takes a queue that gets shorter to tell when it will be empty.
func TestLineETA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stats.New()
		text := Line(s)
		pending := s.Gauge("queue.pending")
		for left := 1000.0; left > 700; left -= 10 {
			pending.Set(left)
			s.Observe(stats.Outcome{Duration: time.Second})
			time.Sleep(time.Second)
			line := text(200)
			if left > 990 && strings.Contains(line, "eta") {
				t.Errorf("an estimate at the first look: %s", line)
			}
		}
		if line := text(200); !strings.HasSuffix(line, "eta 1m 10s") && !strings.HasSuffix(line, "eta 1m 11s") {
			t.Errorf("700 left, 10 a second: %s", line)
		}
		for left := 700.0; left < 6000; left += 100 { // discovery outruns completion
			pending.Set(left)
			time.Sleep(time.Second)
			text(200)
		}
		if line := text(200); strings.Contains(line, "eta") {
			t.Errorf("an estimate for a queue that grows: %s", line)
		}
	})
}

func TestLineTellsOfSaves(t *testing.T) {
	s, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: kvstore.NewMemory(), LogEvery: -1, Logger: new(screen).log()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if line := Line(s)(200); strings.Contains(line, "NOT SAVED") {
		t.Errorf("all is well: %s", line)
	}
	sick := unhealthy{s}
	if line := Line(sick)(200); !strings.Contains(line, "NOT SAVED") {
		t.Errorf("saving fails: %s", line)
	}
}

type unhealthy struct{ *stats.Statistics }

func (unhealthy) Health() stats.Health {
	return stats.Health{Persisting: true, Err: errors.New("full")}
}

func BenchmarkLine(b *testing.B) {
	s := stats.New()
	for range 10000 {
		s.Observe(stats.Outcome{Duration: time.Millisecond})
	}
	for b.Loop() {
		Line(s)(100) // a look at the figures, and the text
	}
}

func TestClip(t *testing.T) {
	if diff := cmp.Diff("größ…", clip("größenwahn", 5)); diff != "" {
		t.Error(diff)
	}
}
