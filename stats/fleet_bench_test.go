package stats

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

// fleetOf returns a store with the records of n workers. With names of their own,
// no two of them have a host or an error in common.
func fleetOf(b *testing.B, n int, a Snapshot, own bool) (store kvstore.Store, size int) {
	b.Helper()
	store = kvstore.NewMemory()
	for i := range n {
		w := a.Merge(Snapshot{})
		if own {
			for h := range w.Hosts {
				w.Hosts[h].Host = fmt.Sprintf("w%d.%s", i, w.Hosts[h].Host)
			}
			for g := range w.Errors {
				w.Errors[g].Message = fmt.Sprintf("w%d %s", i, w.Errors[g].Message)
			}
		}
		record, _, err := encodeRecord(header{}, w)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := store.Save(context.Background(), Key("fleet", fmt.Sprint("w", i)), record, 0); err != nil {
			b.Fatal(err)
		}
		size = len(record)
	}
	return store, size
}

// worker is a snapshot with something of everything. sample has a gauge too, the
// smallest number there is, whose parsing takes a tenth of a record's.
func worker() Snapshot {
	a := sample()
	a.Gauges = map[string]float64{"queue": 1250.5, "load": 0.75}
	return a
}

// BenchmarkFleet reads and merges the records of a fleet, all of them changed.
func BenchmarkFleet(b *testing.B) {
	all := worst()
	_, sizes, err := all.marshal()
	if err != nil {
		b.Fatal(err)
	}
	large, _ := all.fit(sizes)
	for _, c := range []struct {
		name string
		n    int
		own  bool
		a    Snapshot
	}{
		{"1000x4KB", 1000, false, worker()},
		{"200x70KB", 200, false, usual()},
		{"200x70KB with names of their own", 200, true, usual()},
		{"100x200KB", 100, false, large},
	} {
		b.Run(c.name, func(b *testing.B) {
			store, size := fleetOf(b, c.n, c.a, c.own)
			load := func() *Fleet {
				f, err := LoadFleet(context.Background(), store, "fleet")
				if err != nil {
					b.Fatal(err)
				}
				return f
			}
			b.Run("Load", func(b *testing.B) {
				for b.Loop() {
					load()
				}
				b.ReportMetric(float64(size), "record-bytes")
			})
			before := heapInUse()
			f := load()
			held := heapInUse() - before
			b.Run("Snapshot", func(b *testing.B) {
				for b.Loop() {
					f.Snapshot()
				}
				b.ReportMetric(float64(held)/float64(c.n), "heap-bytes/worker")
			})
			b.Run("Live", func(b *testing.B) {
				for b.Loop() {
					f.Live()
				}
			})
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
