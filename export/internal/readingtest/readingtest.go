// Package readingtest makes Statistics that have something to tell in every
// family of the catalogue, for the tests of the exporters.
//
// # Concurrency
//
// Every function may be called from the goroutine of its test only.
package readingtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// Open returns a Statistics over store that is closed when the test ends.
func Open(t testing.TB, store kvstore.Store, id, member string) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(context.Background(), stats.Config{
		ID: id, Member: member, Store: store, LogEvery: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// Full returns a Statistics called shop, of the member a, in which every metric
// of the catalogue that a Statistics can have has at least one sample that is
// not zero. Inside a testing/synctest bubble the same comes out every time.
func Full(t testing.TB) *stats.Statistics {
	t.Helper()
	st := Open(t, kvstore.NewMemory(), "shop", "a")
	Fill(st)
	// The step of the history that they finished in closes after a second.
	for deadline := time.Now().Add(10 * time.Second); len(st.Snapshot().History.Seconds) == 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := st.Persist(context.Background()); err != nil {
		t.Fatal(err)
	}
	return st
}

// Fill counts something of everything.
func Fill(st *stats.Statistics) {
	for i, kind := range catalogue.Errors.Values("kind") {
		err := stats.WithKind(stats.ErrorKind(kind), errors.New("it did not work"))
		for range i%3 + 1 {
			st.Observe(stats.Outcome{Request: stats.Request{Host: "broken.example"}, Duration: time.Duration(i+1) * 40 * time.Millisecond, Err: err})
		}
	}
	for i, reason := range catalogue.Discarded.Values("reason") {
		for range i%2 + 1 {
			st.Observe(stats.Outcome{Discard: stats.DiscardReason(reason)})
		}
	}
	for i := range 400 {
		st.Observe(stats.Outcome{
			Request:    stats.Request{Host: fmt.Sprintf("h%d.example", i%7), Retries: i % 16},
			Duration:   time.Duration(i*i) * 700 * time.Microsecond,
			QueueWait:  time.Duration(i+1) * time.Millisecond,
			StatusCode: []int{200, 201, 204, 301, 404, 418, 503}[i%7],
		})
	}
	j := st.Begin()
	j.Retry(errors.New("once more"))
	j.Finish()
	st.Start("stays in flight")
	st.Finish("never began")

	for i, event := range catalogue.HTTPEvents.Values("event") {
		st.ReservedCounter(adapter.Key{}, "http."+event).Add(int64(i + 1))
	}
	for _, phase := range catalogue.Phases.Values("phase") {
		st.ReservedTimer(adapter.Key{}, "wire.phase."+phase).Observe(3 * time.Millisecond)
	}
	for i, kind := range catalogue.WireErrors.Values("kind") {
		st.ReservedCounter(adapter.Key{}, "wire.error."+kind).Add(int64(i + 1))
	}
	st.ReservedCounter(adapter.Key{}, "wire.redirects").Add(3)
	st.ReservedCounter(adapter.Key{}, "wire.bytes.wire").Add(1000)
	st.ReservedCounter(adapter.Key{}, "wire.bytes.content").Add(4000)

	st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "False"}, stats.Label{Key: "status_code", Value: "403"}).Add(4)
	st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "True"}, stats.Label{Key: "status_code", Value: "202"}).Add(5)
	st.Gauge("queue.length").Set(17)
	st.Timer("parse").Observe(250 * time.Millisecond)
	for i := range 100 {
		st.Unique("urls").Add(fmt.Sprint(i))
	}
}
