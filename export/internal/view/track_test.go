package view

import (
	"errors"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

var trackTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// failures is a crawl in which so many requests have failed alike.
func failures(n int64) stats.Snapshot {
	return stats.Snapshot{Started: n, Failed: n, Errors: []stats.ErrorGroup{{Kind: "k", Message: "m", Count: n}}}
}

// However far apart the looks are, a queue that gets shorter has an end.
func TestPaceWithRareLooks(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 10 * time.Minute} {
		var track Track
		var v View
		for i := range 100 {
			a := stats.Snapshot{Started: 1, Gauges: map[string]float64{PendingGauge: 1e6 - float64(i)*every.Seconds()}}
			if i%7 == 3 {
				a.Gauges = nil // a look in which the queue was not known
			}
			now := trackTime.Add(time.Duration(i) * every)
			track.Look(a, now)
			v = Of(Input{Snapshot: a, Now: now, Live: true, Track: &track})
		}
		want := time.Duration(v.Progress.Pending) * time.Second
		if v.Progress.Left < want-time.Minute || v.Progress.Left > want+time.Minute {
			t.Errorf("looks each %v: %v left, want %v: %s", every, v.Progress.Left, want, v.Progress.Text)
		}
	}
}

// What is long past leaves the trend, and what grew while nobody looked is not of
// the last minute.
func TestTrendAfterAGap(t *testing.T) {
	for _, c := range []struct {
		gap    time.Duration
		recent int64 // of the last minute; -1: not known
		sum    int64 // of 15 minutes
	}{
		{10 * time.Second, 60, 900},
		{20 * time.Second, 50, 890},
		{5 * time.Minute, -1, 610},
		{14 * time.Minute, -1, 70},
		{10 * time.Hour, -1, 0},
	} {
		var track Track
		now := trackTime
		for i := range int64(90) {
			now = trackTime.Add(time.Duration(i) * 10 * time.Second)
			track.Look(failures(10*i), now)
		}
		track.Look(failures(900), now.Add(c.gap))
		var sum int64
		for _, n := range track.trend(group{"k", "m"}) {
			sum += n
		}
		if sum != c.sum {
			t.Errorf("after %v the trend has %d failures, want %d", c.gap, sum, c.sum)
		}
		if recent, _, known := track.recent(); known != (c.recent >= 0) || known && (recent.all != c.recent || recent.by[group{"k", "m"}] != c.recent) {
			t.Errorf("after %v the last minute has %+v, %v, want %d", c.gap, recent, known, c.recent)
		}
	}
}

// A cause is the part of all failures that it has, also of those that found no
// place among the groups and the hosts.
func TestCauseCountsWhatHasNoPlace(t *testing.T) {
	const many = 20_000
	word := func(i int) (s string) {
		for ; i > 0; i /= 26 {
			s += string(rune('a' + i%26))
		}
		return s
	}
	for name, c := range map[string]struct {
		outcome func(i int) stats.Outcome
		want    string
	}{
		"one message in a hundred": {func(i int) stats.Outcome {
			if i%100 == 0 {
				return stats.Outcome{Err: errors.New("cannot parse the tag same here")}
			}
			return stats.Outcome{Err: errors.New("cannot parse the tag " + word(i) + " here")}
		}, "All 20,000 requests have failed."},
		"one host in ten": {func(i int) stats.Outcome {
			o := stats.Outcome{Err: errors.New("refused")}
			if o.Host = "h" + word(i) + ".example"; i%10 == 0 {
				o.Host = "big.example"
			}
			return o
		}, "All 20,000 requests have failed. 100.0 % of the failed attempts are other “refused”."},
	} {
		t.Run(name, func(t *testing.T) {
			st := stats.New()
			var track Track
			track.Look(st.Snapshot(), trackTime)
			for i := range many {
				st.Observe(c.outcome(i))
			}
			for i := range time.Duration(6) {
				track.Look(st.Snapshot(), trackTime.Add((i+1)*TrackEvery))
			}
			if _, _, known := track.recent(); !known {
				t.Fatal("nobody has looked for a minute")
			}
			for which, seen := range map[string]*Track{"all runs": nil, "the last minute": &track} {
				if text := Of(Input{Snapshot: st.Snapshot(), Now: trackTime, Live: true, Track: seen}).Verdict.Text; text != c.want {
					t.Errorf("of %s: %q, want %q", which, text, c.want)
				}
			}
		})
	}
}
