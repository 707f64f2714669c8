package reading

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/crawlstats/crawlstats/stats"
)

func hosts(counts map[string]int64, other int64) stats.Snapshot {
	a := stats.Snapshot{HostsOther: stats.HostStats{Finished: other}}
	for _, name := range []string{"a", "b", "c", "other"} {
		if n := counts[name]; n > 0 {
			a.Hosts = append(a.Hosts, stats.HostStats{Host: name, Finished: n})
		}
	}
	return a
}

func TestTopHosts(t *testing.T) {
	top := topHosts{places: 2}
	for i, step := range []struct {
		name   string
		counts map[string]int64
		rest   int64
		want   map[string]int64
	}{
		{"places are free", map[string]int64{"a": 5}, 0, map[string]int64{"a": 5, "other": 0}},
		{"a late one gets a place with all it has", map[string]int64{"a": 6, "b": 9}, 0, map[string]int64{"a": 6, "b": 9, "other": 0}},
		{"no place left, however busy", map[string]int64{"a": 6, "b": 9, "c": 100}, 0, map[string]int64{"a": 6, "b": 9, "other": 100}},
		{"the source forgets one", map[string]int64{"b": 9, "c": 110}, 6, map[string]int64{"a": 6, "b": 9, "other": 110}},
		{"and counts it anew", map[string]int64{"a": 2, "b": 9, "c": 110}, 6, map[string]int64{"a": 6, "b": 9, "other": 112}},
		{"from where it goes on", map[string]int64{"a": 5, "b": 9, "c": 110}, 6, map[string]int64{"a": 9, "b": 9, "other": 112}},
		{"a host that is called other has no place", map[string]int64{"a": 5, "b": 9, "c": 110, "other": 3}, 6, map[string]int64{"a": 9, "b": 9, "other": 115}},
	} {
		top.update(hosts(step.counts, step.rest))
		got := map[string]int64{otherHost: top.other.ok}
		for name, h := range top.shown {
			got[name] = h.shown.ok
		}
		if fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Fatalf("step %d, %s: %v, want %v", i, step.name, got, step.want)
		}
	}
}

// Over a real Statistics that forgets hosts all the time, no count falls and
// the sum is exact.
func TestTopHostsNeverFall(t *testing.T) {
	st, err := stats.Open(t.Context(), stats.Config{MaxHosts: 8, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	top := topHosts{places: 5}
	before := map[string]hostCounts{}
	rng := rand.New(rand.NewPCG(1, 2))
	var done int64
	for range 300 {
		for range rng.IntN(50) {
			st.Observe(stats.Outcome{Request: stats.Request{Host: fmt.Sprint(int(rng.ExpFloat64() * 10))}})
			done++
		}
		top.update(st.Live())
		now := map[string]hostCounts{otherHost: top.other}
		for name, h := range top.shown {
			now[name] = h.shown
		}
		var sum int64
		for name, c := range now {
			if c.ok < before[name].ok {
				t.Fatalf("%s fell from %d to %d", name, before[name].ok, c.ok)
			}
			sum += c.ok
		}
		if sum != done {
			t.Fatalf("%d requests by host, %d done", sum, done)
		}
		if len(now) > 6 {
			t.Fatalf("%d hosts shown", len(now))
		}
		before = now
	}
	if top.other.ok == 0 || len(top.shown) != 5 {
		t.Fatal("the test forgot nothing")
	}
}
