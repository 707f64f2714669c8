package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
	"github.com/crawlstats/crawlstats/stats"
)

// storeCost is what it takes to keep the statistics on one engine.
type storeCost struct {
	name        string
	save        time.Duration // median of Persist, encoding included
	cpu         time.Duration // of this process, for each
	recordBytes int
	idle        float64 // share of one core while the engine is open and nothing is saved
	everySecond float64 // the same when a record is saved each second, the engine's idling included
	missing     string  // why there is nothing to show
}

// storeCosts saves a record of some 4 KB saves times on each engine, and then
// once a second for a while.
func storeCosts(saves int, idle time.Duration) ([]storeCost, error) {
	dir, err := os.MkdirTemp("", "crawlstats-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var costs []storeCost
	for _, engine := range []struct {
		name string
		open func() (kvstore.Store, func(), error)
	}{
		{"memory", func() (kvstore.Store, func(), error) { return kvstore.NewMemory(), func() {}, nil }},
		{"directory", func() (kvstore.Store, func(), error) {
			st, err := kvstore.OpenDir(dir + "/files")
			return st, func() {}, err
		}},
		{"Badger", func() (kvstore.Store, func(), error) {
			st, err := badgerstore.Open(badgerstore.Config{Dir: dir + "/badger"})
			if err != nil {
				return nil, nil, err
			}
			return st, func() { _ = st.Close(context.Background()) }, nil
		}},
		{"Redis", openRedis},
	} {
		store, closeStore, err := engine.open()
		if err != nil {
			costs = append(costs, storeCost{name: engine.name, missing: err.Error()})
			continue
		}
		c, err := costOf(engine.name, store, saves, idle)
		closeStore()
		if err != nil {
			return nil, err
		}
		costs = append(costs, c)
	}
	return costs, nil
}

// openRedis uses the server that BENCH_REDIS names, host:port.
func openRedis() (kvstore.Store, func(), error) {
	addr := os.Getenv("BENCH_REDIS")
	if addr == "" {
		return nil, nil, fmt.Errorf("BENCH_REDIS names no server (host:port)")
	}
	client := redis.NewClient(&redis.Options{Addr: addr})
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		_ = client.Close()
		return nil, nil, err
	}
	return store, func() { _ = client.Close() }, nil
}

func costOf(name string, store kvstore.Store, saves int, idle time.Duration) (storeCost, error) {
	ctx := context.Background()
	s, err := stats.Open(ctx, stats.Config{ID: "bench", Store: store, PersistEvery: time.Hour, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return storeCost{}, fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = s.Close() }() // what is saved is thrown away
	c := storeCost{name: name}
	var took []time.Duration
	began := cpuTime()
	for range saves {
		d, err := saveOnce(ctx, s)
		if err != nil {
			return storeCost{}, fmt.Errorf("%s: %w", name, err)
		}
		took = append(took, d)
	}
	c.cpu = (cpuTime() - began) / time.Duration(saves)
	slices.Sort(took)
	c.save = took[len(took)/2]
	if record, err := s.Snapshot().Encode(); err == nil {
		c.recordBytes = len(record)
	}

	c.idle = shareOfCore(func() { time.Sleep(idle) })
	c.everySecond = shareOfCore(func() {
		for start := time.Now(); time.Since(start) < idle && err == nil; time.Sleep(time.Second) {
			_, err = saveOnce(ctx, s)
		}
	})
	if err != nil {
		return storeCost{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// shareOfCore returns the CPU time of the process over the time that fn takes.
func shareOfCore(fn func()) float64 {
	began, start := cpuTime(), time.Now()
	fn()
	return float64(cpuTime()-began) / float64(time.Since(start))
}

// saveOnce counts a few requests, for what has not changed is not saved, and
// saves them.
func saveOnce(ctx context.Context, s *stats.Statistics) (time.Duration, error) {
	for i := range 200 {
		q := &requests[i]
		s.Observe(stats.Outcome{Duration: time.Duration(q.extra), StatusCode: q.code, Request: stats.Request{Retries: q.retries}})
	}
	start := time.Now()
	err := s.Persist(ctx)
	return time.Since(start), err
}

// openCost returns the CPU time of one Open, of some, and the size of the JSON that
// it reads: a record of many hosts, error groups and timers.
func openCost() (cost time.Duration, size int, err error) {
	ctx, store := context.Background(), kvstore.NewMemory()
	cfg := stats.Config{ID: "bench", Store: store, MaxErrorGroups: 1000, MaxHosts: 1000, PersistEvery: time.Hour, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)}
	s, err := stats.Open(ctx, cfg)
	if err != nil {
		return 0, 0, err
	}
	fillRecord(s)
	if err := s.Close(); err != nil {
		return 0, 0, err
	}
	var body []byte
	var took []time.Duration
	for range 21 {
		began := cpuTime()
		s, err := stats.Open(ctx, cfg)
		took = append(took, cpuTime()-began)
		if err != nil {
			return 0, 0, err
		}
		body, err = s.Snapshot().MarshalJSON()
		if err := errors.Join(err, s.Close()); err != nil {
			return 0, 0, err
		}
	}
	slices.Sort(took)
	return took[len(took)/2], len(body), nil
}

func fillRecord(s *stats.Statistics) {
	for i := range 1_000_000 {
		observe(s, i, requests[i&(tableSize-1)].host)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 1000 {
		message := prose(rng, 50)
		j := s.BeginWith(stats.Request{URL: requests[i].url})
		j.Retry(errors.New("again " + message))
		j.Fail(errors.New(message))
	}
	for range 200 {
		name := prose(rng, 10)
		s.Counter(name).Inc()
		s.Gauge(name).Set(rng.Float64())
	}
	for i := range 24 {
		t := s.Timer("timer", stats.Label{Key: "n", Value: strconv.Itoa(i)})
		for j := range tableSize {
			t.Observe(time.Duration(requests[j].extra) * time.Duration(i+1))
		}
	}
	urls := s.Unique("urls")
	for i := range requests {
		urls.Add(requests[i].url)
	}
}

// prose returns words of letters, which neither masking nor compression makes few.
func prose(rng *rand.Rand, words int) string {
	var b strings.Builder
	for range words {
		for range 6 {
			b.WriteByte(byte('g' + rng.IntN(20)))
		}
		b.WriteByte(' ')
	}
	return b.String()
}
