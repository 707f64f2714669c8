package stats

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// The table against a map, through growth, deletion in clusters and shrinking.
func TestInFlightAgreesWithAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	table := newInFlight(1 << 20)
	model := map[string]time.Duration{}
	var ids []string
	for step := range 200_000 {
		grow := step < 100_000 && rng.IntN(3) > 0 || step >= 100_000 && rng.IntN(3) == 0
		if grow || len(ids) == 0 {
			id := "request-" + strconv.Itoa(step)
			key := table.key(id)
			s := table.shard(key)
			if s.get(key) != nil {
				t.Fatalf("%s is there before it was put", id)
			}
			s.put(key, newEntry(time.Duration(step), 0, 0))
			model[id] = time.Duration(step)
			ids = append(ids, id)
			continue
		}
		i := rng.IntN(len(ids))
		id := ids[i]
		ids[i] = ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		key := table.key(id)
		e, ok := table.shard(key).remove(key)
		if !ok || e.age(time.Duration(step)) != time.Duration(step)-model[id] {
			t.Fatalf("take %s: %v %v", id, e, ok)
		}
		delete(model, id)
		if _, again := table.shard(key).remove(key); again {
			t.Fatalf("%s was taken twice", id)
		}
	}
	if table.len() != len(model) {
		t.Errorf("%d entries, want %d", table.len(), len(model))
	}
	for id := range model {
		if key := table.key(id); table.shard(key).get(key) == nil {
			t.Errorf("%s is lost", id)
		}
	}
}

func TestEntryPacking(t *testing.T) {
	for _, now := range []time.Duration{0, time.Second, 300 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		e := newEntry(now, 7, entryEnded)
		if got := e.age(now - time.Millisecond); got != 0 {
			t.Errorf("started at %v, a millisecond before that its age is %v", now, got)
		}
		if got := e.age(now + time.Hour); got != time.Hour || e.retries() != 7 || e&entryEnded == 0 || e&entryNoted != 0 {
			t.Errorf("started at %v: age %v retries %d", now, got, e.retries())
		}
	}
	if got := newEntry(0, 100_000, 0).retries(); got != maxRuns {
		t.Errorf("100,000 retries are kept as %d", got)
	}
}

// No Start stops for long: it moves the entries of one part, and a part stays
// small however many are in flight.
func TestAStartMovesFewEntries(t *testing.T) {
	const n, most = 1_000_000, 2048 // slots
	table := newInFlight(n)
	largest := 0
	for key := range table.keys(n) {
		s := table.shard(key)
		if s.n == divideAt && len(s.parts) > 0 {
			t.Fatalf("divided into %d parts with %d entries", len(s.parts), s.n)
		}
		s.put(key, newEntry(0, 0, 0))
		largest = max(largest, len(s.part(key).slots))
	}
	if largest > most {
		t.Errorf("a part grew to %d slots, want %d at the most", largest, most)
	}
	if s := &table.shards[0]; len(s.parts) < 2 {
		t.Errorf("%d entries are in %d parts", s.n, len(s.parts))
	}
	for key := range table.keys(n) {
		if _, ok := table.shard(key).remove(key); !ok {
			t.Fatalf("%#x is lost", key)
		}
	}
	for i := range table.shards {
		if s := &table.shards[i]; s.n != 0 || len(s.parts) > 0 || len(s.single.slots) > minSlots {
			t.Fatalf("drained, shard %d has %d parts and %d slots", i, len(s.parts), len(s.single.slots))
		}
	}
}

// keys are those of n ids.
func (t *inFlight) keys(n int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range n {
			if !yield(t.key(strconv.Itoa(i))) {
				return
			}
		}
	}
}

// What a drained table keeps, and what a million ids cost.
func TestInFlightMemory(t *testing.T) {
	const n = 1_000_000
	s := New()
	before := heap()
	for i := range n {
		s.Start(strconv.Itoa(i))
	}
	perID := float64(heap()-before) / n
	if perID > 40 {
		t.Errorf("%.1f bytes for each id in flight", perID)
	}
	for i := range n {
		s.Finish(strconv.Itoa(i))
	}
	if left := heap() - before; left > 2<<20 {
		t.Errorf("%d bytes left after all have ended", left)
	}
	t.Logf("%.1f bytes for each of %d ids in flight", perID, n)
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Ids are hostile: as long as 100 KB, with any bytes in them, and never kept.
func TestHugeIDs(t *testing.T) {
	s := New()
	before := heap()
	for i := range 200 {
		s.Start(fmt.Sprintf("%0100000d\x00\n\xff", i))
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("200 ids of 100 KB keep %d bytes", grown)
	}
	for i := range 200 {
		s.Finish(fmt.Sprintf("%0100000d\x00\n\xff", i))
	}
	if a := s.Snapshot(); a.Finished != 200 || a.InFlight != 0 {
		t.Errorf("finished %d, in flight %d", a.Finished, a.InFlight)
	}
}
