package badgerstore

import (
	"log/slog"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
)

// openIn opens a store that is closed with the test.
func openIn(t *testing.T, dir string) *Store {
	t.Helper()
	st, err := Open(Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return st
}

func TestConformance(t *testing.T) {
	kvstoretest.Run(t, func(t *testing.T) kvstore.Store { return openIn(t, t.TempDir()) })
}

func TestConformanceNamed(t *testing.T) {
	kvstoretest.Run(t, func(t *testing.T) kvstore.Store { return kvstore.Named(openIn(t, t.TempDir()), "shop") })
}
