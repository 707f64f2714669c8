package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// point is one size of something that grows.
type point struct {
	size   int
	values []float64 // by curve
}

// scale is how cost, memory and record grow with one thing.
type scale struct {
	name   string
	curves []string
	points []point
	note   string
}

func powers(from, to int) (sizes []int) {
	for n := from; n <= to; n *= 10 {
		sizes = append(sizes, n)
	}
	return sizes
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	return float64(memory().HeapAlloc)
}

// timed returns the CPU nanoseconds fn takes for each of n.
func timed(n int, fn func()) float64 {
	began := cpuTime()
	fn()
	return float64(cpuTime()-began) / float64(n)
}

// collection returns the CPU nanoseconds of one garbage collection, the least of
// some.
func collection() float64 {
	least := timed(1, runtime.GC)
	for range 4 {
		least = min(least, timed(1, runtime.GC))
	}
	return least
}

func recordBytes(s *stats.Statistics) float64 {
	record, err := s.Snapshot().Encode()
	if err != nil {
		return 0
	}
	return float64(len(record))
}

func observe(s *stats.Statistics, i int, host string) {
	q := &requests[i&(tableSize-1)]
	s.Observe(stats.Outcome{
		Duration: time.Duration(q.extra), StatusCode: q.code,
		Request: stats.Request{Host: host, Retries: q.retries},
	})
}

func byRequests(most int) scale {
	sc := scale{
		name: "requests", curves: []string{"ns each", "KB of memory", "bytes of record"},
		note: "memory does not grow; the record grows with the digits of its counts",
	}
	for _, n := range powers(10_000, most) {
		before := heap()
		s := stats.New()
		cost := timed(n, func() {
			for i := range n {
				observe(s, i, "")
			}
		})
		sc.points = append(sc.points, point{n, []float64{cost, (heap() - before) / 1024, recordBytes(s)}})
		runtime.KeepAlive(s)
	}
	return sc
}

func byInFlight(most int) scale {
	sc := scale{
		name: "ids in flight", curves: []string{"ns Start", "ns Finish", "bytes each", "ms CPU of one garbage collection", "ms CPU of the slowest Start"},
		note: "Start bends where the table leaves the caches; from 100,000 on the bytes swing between 20 and 40, for a table doubles when it is full",
	}
	for _, n := range slices.Compact(append(powers(10_000, min(most, 1_000_000)), most)) {
		collect := collectionOf(n)
		ids := make([]string, n)
		for i := range ids {
			ids[i] = "request-" + strconv.Itoa(i)
		}
		before := heap()
		s := stats.New()
		start := timed(n, func() {
			for _, id := range ids {
				s.Start(id)
			}
		})
		each := (heap() - before) / float64(n)
		finish := timed(n, func() {
			for _, id := range ids {
				s.Finish(id)
			}
		})
		sc.points = append(sc.points, point{n, []float64{start, finish, each, collect / 1e6, slowestStart(ids)}})
		runtime.KeepAlive(ids)
	}
	return sc
}

// collectionOf returns the CPU nanoseconds that n ids in flight add to a garbage
// collection. The ids themselves are gone by then: those would cost much more.
func collectionOf(n int) float64 {
	empty := collection()
	s := stats.New()
	for i := range n {
		s.Start("request-" + strconv.Itoa(i))
	}
	with := collection()
	runtime.KeepAlive(s)
	return max(with-empty, 0)
}

// slowestStart returns the most milliseconds of CPU that one Start takes while all
// ids come in flight. It is the time of the thread, with what it does for the
// garbage collector: how long the system lets others run in between is not ours.
func slowestStart(ids []string) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := stats.New()
	var slowest time.Duration
	for _, id := range ids {
		began := threadTime()
		s.Start(id)
		slowest = max(slowest, threadTime()-began)
	}
	return float64(slowest) / 1e6
}

func byHosts(most int) scale {
	sc := scale{
		name: "hosts", curves: []string{"ns each", "KB of memory", "bytes of record"},
		note: "Config.MaxHosts, 256, is where it bends: more hosts than that share one entry, cost a vote instead of a look-up, and take no more memory",
	}
	for _, n := range powers(10, most) {
		hosts := make([]string, n)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("host-%d.example.org", i)
		}
		before := heap()
		s := stats.New()
		count := max(n, 1_000_000)
		cost := timed(count, func() {
			for i := range count {
				observe(s, i, hosts[i%n])
			}
		})
		sc.points = append(sc.points, point{n, []float64{cost, (heap() - before) / 1024, recordBytes(s)}})
		runtime.KeepAlive(hosts)
	}
	return sc
}

func byWorkers(most int) (scale, error) {
	sc := scale{
		name: "workers", curves: []string{"ms to load and merge", "ms CPU", "µs CPU each", "bytes of the sum"},
		note: "linear in the records that have changed",
	}
	s := stats.New()
	for i := range 20_000 {
		observe(s, i, requests[i%8].host)
	}
	record, err := s.Snapshot().Encode()
	if err != nil {
		return sc, err
	}
	ctx := context.Background()
	for _, n := range powers(1, most) {
		store := kvstore.NewMemory()
		for i := range n {
			if _, err := store.Save(ctx, stats.Key("fleet", strconv.Itoa(i)), record, 0); err != nil {
				return sc, err
			}
		}
		wall, cpu, merged, err := loadAndMerge(store)
		if err != nil {
			return sc, err
		}
		sc.points = append(sc.points, point{n, []float64{wall, cpu, cpu * 1e3 / float64(n), float64(merged)}})
	}
	return sc, nil
}

// loadAndMerge returns the median milliseconds and milliseconds of CPU of some
// fleets that are read anew, and the size of their sum as a record.
func loadAndMerge(store kvstore.Store) (wall, cpu float64, size int, err error) {
	var walls, cpus []float64
	for range 5 {
		runtime.GC()
		began, start := cpuTime(), time.Now()
		fleet, err := stats.LoadFleet(context.Background(), store, "fleet")
		if err != nil {
			return 0, 0, 0, err
		}
		sum := fleet.Snapshot()
		walls = append(walls, float64(time.Since(start))/1e6)
		cpus = append(cpus, float64(cpuTime()-began)/1e6)
		record, err := sum.Encode()
		if err != nil {
			return 0, 0, 0, err
		}
		size = len(record)
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	return walls[2], cpus[2], size, nil
}
