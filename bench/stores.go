package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
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
	everySecond float64 // share of one core when a record is saved each second, the engine's idling included
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

	began, start := cpuTime(), time.Now()
	for time.Since(start) < idle {
		if _, err := saveOnce(ctx, s); err != nil {
			return storeCost{}, fmt.Errorf("%s: %w", name, err)
		}
		time.Sleep(time.Second)
	}
	c.everySecond = float64(cpuTime()-began) / float64(time.Since(start))
	return c, nil
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
