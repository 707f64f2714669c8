// Package statstest helps to test programs that count with package stats.
//
// # Concurrency
//
// Every function may be called from the goroutine of its test only.
package statstest

import (
	"log/slog"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// New returns a Statistics that is named after the test, keeps its record in
// memory and logs to the test. It is closed, and its balance checked, when the
// test ends.
func New(t testing.TB) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(t.Context(), stats.Config{
		ID:       t.Name(),
		Store:    kvstore.NewMemory(),
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
		LogEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		Balanced(t, st)
	})
	return st
}

// Balanced fails the test when the snapshot of src does not add up.
func Balanced(t testing.TB, src stats.Source) {
	t.Helper()
	if err := src.Snapshot().Balanced(); err != nil {
		t.Error(err)
	}
}

// Counts are the numbers of requests in a form that compares with ==.
type Counts struct {
	Started, Finished, Failed, Discarded, Interrupted, InFlight int64
	Retries, Attempts                                           int64
	Unmatched, Late                                             int64
}

// Count returns the counts of a snapshot of src.
func Count(src stats.Source) Counts {
	a := src.Snapshot()
	return Counts{
		Started: a.Started, Finished: a.Finished, Failed: a.Failed, Discarded: a.Discarded,
		Interrupted: a.Interrupted, InFlight: a.InFlight,
		Retries: a.Retries, Attempts: a.Attempts,
		Unmatched: a.Unmatched, Late: a.Late,
	}
}
