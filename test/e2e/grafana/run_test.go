package grafana

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// run is a crawl called shop, of the member a, that has met everything: real
// requests over a real client to a real server, redirects, refusals, errors of
// the wire, a queue, and a second start.
func run(t *testing.T) *stats.Statistics {
	t.Helper()
	store := kvstore.NewMemory()
	first := open(t, store)
	first.Observe(stats.Outcome{})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	st := open(t, store)
	t.Cleanup(func() { st.Close() })
	visit(t, st)
	record(st)
	// last_success is known when the step of the history is over that it fell in.
	for deadline := time.Now().Add(20 * time.Second); st.Snapshot().History.LastSuccess().IsZero(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the history has no step")
		}
	}
	if err := st.Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

func open(t *testing.T, store kvstore.Store) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Member: "a", Store: store, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// visit requests real pages.
func visit(t *testing.T, st *stats.Statistics) {
	t.Helper()
	mux := http.NewServeMux()
	for path, code := range map[string]int{"/ok": 200, "/forbidden": 403, "/gone": 404, "/slow-down": 429, "/broken": 503} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(code)
			z := gzip.NewWriter(w)
			fmt.Fprintln(z, path)
			z.Close()
		})
	}
	mux.Handle("/moved", http.RedirectHandler("/ok", http.StatusFound))
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	web := httptest.NewServer(httpstats.Handler(st, mux))
	defer web.Close()

	client := httpstats.Client(st, &http.Client{Transport: &http.Transport{}}, httpstats.Config{Requests: true})
	defer client.CloseIdleConnections()
	get := func(url string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return // which is what is to be counted
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	for range 3 {
		for _, path := range []string{"/ok", "/forbidden", "/gone", "/slow-down", "/broken", "/moved", "/cut"} {
			get(web.URL + path)
		}
	}
	get("http://127.0.0.1:1/nobody-listens")
}

// record counts what no wire shows.
func record(st *stats.Statistics) {
	for i := range 200 {
		o := stats.Outcome{
			Request:  stats.Request{Host: fmt.Sprintf("h%d.example", i%7), Retries: i % 9},
			Duration: time.Duration(i+1) * time.Millisecond, QueueWait: time.Duration(i+1) * time.Millisecond,
		}
		switch i % 10 {
		case 0:
			o.Err = stats.WithKind(stats.KindTimeout, errors.New("too slow"))
		case 1:
			o.Discard = stats.DiscardRobots
		}
		st.Observe(o)
	}
	st.Start("in flight")
	st.Gauge("queue.pending").Set(40)
	st.Counter("items").Add(3)
	st.Timer("parse").Observe(time.Millisecond)
	st.Unique("urls").Add("a")
}
