package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// snapshotCost returns the CPU time of one Live snapshot with a number of shards.
func snapshotCost(procs, n int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	s := stats.New()
	var writers sync.WaitGroup
	for range procs { // every shard has something in it
		writers.Go(func() { byHandleLoop(s, tableSize) })
	}
	writers.Wait()
	return timed(n, func() {
		for range n {
			s.Live()
		}
	})
}

func byHandleLoop(s *stats.Statistics, n int) {
	for i := range n {
		observe(s, i, "")
	}
}

// underSnapshots is the handle while a reader takes 1,000 snapshots a second, of
// the Statistics that is written to or, for comparison, of another one.
func underSnapshots(name string, own bool) contender {
	return contender{name: name, open: func() subject {
		s, other := stats.New(), stats.New()
		byHandleLoop(other, tableSize)
		read := other
		if own {
			read = s
		}
		quit, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for {
				select {
				case <-quit:
					return
				case <-pace.C:
					read.Live()
				}
			}
		}()
		return subject{
			recorded: total(s),
			close:    func() { close(quit); <-done },
			loop: func(table []request, at, n int) {
				for i := at; i < at+n; i++ {
					q := &table[i&(tableSize-1)]
					j := s.Begin()
					j.StatusCode(q.code)
					j.Finish()
				}
			},
		}
	}}
}

// torn takes n snapshots while goroutines write, and returns how many of them do
// not balance.
func torn(n int) (bad int) {
	s := stats.New()
	var quit atomic.Bool
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for !quit.Load() {
				byHandleLoop(s, 64)
			}
		})
	}
	for range n {
		if s.Live().Balanced() != nil {
			bad++
		}
	}
	quit.Store(true)
	writers.Wait()
	return bad
}

// fetchCost returns the CPU time of a GET of 10 KB over loopback, client and server.
func fetchCost(n int) (float64, error) {
	body := make([]byte, 10<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
	defer server.Close()
	var err error
	cost := timed(n, func() {
		for range n {
			if err = get(server); err != nil {
				return
			}
		}
	})
	return cost, err
}

func get(server *httptest.Server) error {
	q, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := server.Client().Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
