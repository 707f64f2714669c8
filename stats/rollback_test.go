package stats_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A store that goes back behind saves it had acknowledged is told of once, with
// how much it lost, and gets the newest state.
func TestRollbackOfTheStore(t *testing.T) {
	for name, test := range map[string]struct {
		back  func(t *testing.T, store kvstore.Store, now kvstore.Item, earlier []byte)
		saves int64
		says  []string
	}{
		"to an earlier save": {func(t *testing.T, store kvstore.Store, now kvstore.Item, earlier []byte) {
			if _, err := store.Save(t.Context(), stats.Key(crawl, ""), earlier, now.Rev); err != nil {
				t.Fatal(err)
			}
		}, 3, []string{"behind=3s", "saves=3"}},
		"to nothing": {func(t *testing.T, store kvstore.Store, now kvstore.Item, _ []byte) {
			if err := store.Delete(t.Context(), stats.Key(crawl, ""), now.Rev); err != nil {
				t.Fatal(err)
			}
		}, 5, []string{"lost the record", "saves=5"}}, // the claim is one
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := kvstore.NewMemory()
				var log bytes.Buffer
				s := open(t, stats.Config{Store: store, PersistEvery: time.Hour, LogEvery: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				save := func() kvstore.Item {
					t.Helper()
					s.Observe(stats.Outcome{})
					if err := s.Persist(t.Context()); err != nil {
						t.Fatal(err)
					}
					item, err := store.Load(t.Context(), stats.Key(crawl, ""))
					if err != nil {
						t.Fatal(err)
					}
					return item
				}
				earlier := save().Value
				var now kvstore.Item
				for range 3 {
					time.Sleep(time.Second)
					now = save()
				}
				check(t, "before", []int64{s.Health().Lost, int64(strings.Count(log.String(), "store has lost"))}, []int64{0, 0})
				test.back(t, store, now, earlier)
				now = save()
				save()
				a, err := stats.Decode(now.Value)
				if err != nil {
					t.Fatal(err)
				}
				check(t, "written again", a.Finished, int64(5))
				check(t, "health", s.Health().Lost, test.saves)
				check(t, "told once", strings.Count(log.String(), "store has lost"), 1)
				for _, says := range test.says {
					if !strings.Contains(log.String(), says) {
						t.Errorf("the log lacks %q:\n%s", says, &log)
					}
				}
				closeOK(t, s)
			})
		})
	}
}

// A save whose answer was lost, a Reset and a newer owner are no rollback.
func TestNoRollback(t *testing.T) {
	store := kvstore.NewMemory()
	older := open(t, stats.Config{Store: store, LogEvery: -1})
	persist := func(s *stats.Statistics) error {
		s.Observe(stats.Outcome{})
		return s.Persist(t.Context())
	}
	if err := errors.Join(persist(older), persist(older), older.Reset(t.Context()), persist(older)); err != nil {
		t.Fatal(err)
	}
	newer := open(t, stats.Config{Store: store, LogEvery: -1})
	check(t, "fenced", errors.Is(persist(older), stats.ErrSuperseded), true)
	check(t, "lost", []int64{older.Health().Lost, newer.Health().Lost}, []int64{0, 0})
	if err := older.Close(); err != nil && !errors.Is(err, stats.ErrSuperseded) {
		t.Error(err)
	}
	closeOK(t, newer)
}
