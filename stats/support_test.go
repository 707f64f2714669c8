package stats_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

const crawl = "shop"

var nolog = slog.New(slog.DiscardHandler)

// open opens a Statistics named crawl, quiet unless cfg says otherwise.
func open(t *testing.T, cfg stats.Config) *stats.Statistics {
	t.Helper()
	if cfg.ID == "" {
		cfg.ID = crawl
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := stats.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeOK(t *testing.T, s *stats.Statistics) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// load reads the record of crawl.
func load(t *testing.T, store kvstore.Store) stats.Snapshot {
	t.Helper()
	a, err := stats.Load(context.Background(), store, stats.Key(crawl, ""))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func publish[E any](t *testing.T, bus *events.Bus, e E) {
	t.Helper()
	if err := events.Publish(t.Context(), bus, e); err != nil {
		t.Error(err)
	}
}

func snapshotJSON(t *testing.T, a stats.Snapshot) string {
	t.Helper()
	b, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// saves returns the saves after the one that claims the record in Open.
func saves(f *kvstoretest.Faulty) int { return f.Calls(kvstoretest.Save) }

func calls(f *kvstoretest.Faulty) int { return f.Calls(kvstoretest.Any) }

func failSaves(f *kvstoretest.Faulty, err error) {
	f.Inject(kvstoretest.Fault{Op: kvstoretest.Save, Err: err})
}

// records is a log that tests can read.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func loggerTo(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

func (r *records) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (r *records) lines() (lines []map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(r.text.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(err)
		}
		lines = append(lines, m)
	}
	return lines
}

func (r *records) count(level string) (n int) {
	for _, line := range r.lines() {
		if line["level"] == level {
			n++
		}
	}
	return n
}

func (r *records) contains(text string) bool { return strings.Contains(r.String(), text) }

// values returns what the lines that have the attribute say.
func (r *records) values(key string) (values []string) {
	for _, line := range r.lines() {
		if v, ok := line[key]; ok {
			values = append(values, fmt.Sprint(v))
		}
	}
	return values
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
