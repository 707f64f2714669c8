package stats

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// compare looks into unexported fields: the laws hold for everything.
var compare = cmp.AllowUnexported(Snapshot{}, Durations{}, histogram{}, sketch{})

// random returns a Statistics' snapshot with a bit of everything.
func random(t *testing.T, seed uint64) Snapshot {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, seed))
	s := New()
	for range 50 + rng.IntN(200) {
		o := Outcome{
			Request:  Request{Host: fmt.Sprintf("h%d", rng.IntN(9)), URL: fmt.Sprintf("http://h/%d", rng.IntN(9)), Retries: rng.IntN(4)},
			Duration: time.Duration(rng.ExpFloat64() * float64(time.Second)), StatusCode: 200 + rng.IntN(5),
			QueueWait: time.Duration(rng.IntN(2)) * time.Second,
		}
		switch rng.IntN(4) {
		case 0:
			o.Err = fmt.Errorf("went wrong in way %c", 'a'+rng.IntN(5))
		case 1:
			o.Discard = discardReasons[rng.IntN(len(discardReasons))]
		}
		s.Observe(o)
	}
	s.Counter("c", Label{"k", fmt.Sprint(rng.IntN(3))}).Add(int64(rng.IntN(100)))
	s.Gauge("g").Set(float64(rng.IntN(100)))
	s.Timer("t").Observe(time.Duration(rng.IntN(1000)) * time.Millisecond)
	for range rng.IntN(100) {
		s.Unique("u").Add(fmt.Sprint(rng.IntN(1000)))
	}
	if _, err := Extend(s, "e", rng.IntN(10), nil); err != nil {
		t.Fatal(err)
	}
	a := s.Snapshot()
	at := time.Date(2026, 1, 1, 0, 0, rng.IntN(5), 0, time.UTC)
	a.History.Seconds = []Point{{At: at, Finished: 1, P50: time.Second}, {At: at.Add(time.Second), Failed: 2}}
	return a
}

func TestMergeLaws(t *testing.T) {
	for seed := range uint64(20) {
		a, b, c := random(t, 3*seed), random(t, 3*seed+1), random(t, 3*seed+2)
		if d := cmp.Diff(a, Snapshot{}.Merge(a), compare); d != "" {
			t.Fatalf("zero is no identity on the left:\n%s", d)
		}
		if d := cmp.Diff(a, a.Merge(Snapshot{}), compare); d != "" {
			t.Fatalf("zero is no identity on the right:\n%s", d)
		}
		if d := cmp.Diff(a.Merge(b), b.Merge(a), compare); d != "" {
			t.Fatalf("not commutative:\n%s", d)
		}
		if d := cmp.Diff(a.Merge(b).Merge(c), a.Merge(b.Merge(c)), compare); d != "" {
			t.Fatalf("not associative:\n%s", d)
		}
		if err := a.Merge(b).Balanced(); err != nil {
			t.Fatal(err)
		}
		w := a.Merge(b).Sub(b)
		got := []any{w.Started, w.Finished, w.Failed, w.Discarded, w.Retries, w.Attempts, w.RetryHistogram, w.FinishedDuration.Sum, w.FinishedDuration.buckets}
		want := []any{a.Started, a.Finished, a.Failed, a.Discarded, a.Retries, a.Attempts, a.RetryHistogram, a.FinishedDuration.Sum, a.FinishedDuration.buckets}
		if d := cmp.Diff(want, got, compare); d != "" {
			t.Fatalf("Sub does not undo Merge:\n%s", d)
		}
		for code, n := range a.StatusCodes {
			if w.StatusCodes[code] != n {
				t.Fatalf("code %d: %d, want %d", code, w.StatusCodes[code], n)
			}
		}
	}
}

func TestSnapshotsShareNoMemory(t *testing.T) {
	a, b := random(t, 1), random(t, 2)
	m := a.Merge(b)
	before := fmt.Sprintf("%+v", m)
	for _, s := range []*Snapshot{&a, &b} {
		s.RetryHistogram[0] = -1
		s.FinishedDuration.buckets.cells[0] = -1
		s.Hosts[0].Finished = -1
		s.Errors[0].Examples[0] = "changed"
		s.StatusCodes[200] = -1
		s.Counters["c"] = -1
		s.Segments[0].Finished = -1
		s.Extensions["e"][0][0] = 'x'
		s.History.Seconds[0].Finished = -1
	}
	if after := fmt.Sprintf("%+v", m); after != before {
		t.Errorf("a merged snapshot changed with its inputs:\n%s\n%s", before, after)
	}
}

func TestMergeNeverCuts(t *testing.T) {
	var m Snapshot
	for i := range 1_000 {
		m = m.Merge(Snapshot{
			Hosts:  []HostStats{{Host: fmt.Sprint("h", i), Finished: 1}},
			Errors: []ErrorGroup{{Kind: "other", Message: fmt.Sprint("m", i), Count: 1}},
		})
	}
	if len(m.Hosts) != 1_000 || len(m.Errors) != 1_000 {
		t.Errorf("%d hosts, %d error groups", len(m.Hosts), len(m.Errors))
	}
}
