package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A directory that cannot be used is a typed error that says what to do, from the
// store or from Open, and the crawl can go on without a store.
func TestPlaces(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		t.Run(engine, func(t *testing.T) {
			r := table.row("a directory that cannot be used, by " + engine)
			for _, test := range []struct {
				name string
				dir  func(t *testing.T) string
				want error
			}{
				{"read-only file system", func(t *testing.T) string {
					d := newDisk(t, 64)
					run(t, "mount", "-o", "remount,ro", d.dir)
					return stateDir(d.dir)
				}, kvstore.ErrReadOnly},
				{"no space", func(t *testing.T) string {
					d := newDisk(t, 8)
					d.fill(t)
					return stateDir(d.dir)
				}, kvstore.ErrNoSpace},
				{"a file", func(t *testing.T) string {
					path := filepath.Join(t.TempDir(), "file")
					if err := os.WriteFile(path, nil, 0o600); err != nil {
						t.Fatal(err)
					}
					return path
				}, kvstore.ErrUnavailable},
				{"below a file", func(t *testing.T) string {
					path := filepath.Join(t.TempDir(), "file")
					if err := os.WriteFile(path, nil, 0o600); err != nil {
						t.Fatal(err)
					}
					return filepath.Join(path, "state")
				}, kvstore.ErrUnavailable},
				{"a name that is too long", func(t *testing.T) string {
					return filepath.Join(t.TempDir(), strings.Repeat("n", 300))
				}, kvstore.ErrUnavailable},
			} {
				t.Run(test.name, func(t *testing.T) {
					dir := test.dir(t)
					err := openAndSave(part{Engine: engine, Dir: dir})
					if !errors.Is(err, test.want) {
						t.Errorf("%v, want %v", err, test.want)
					}
					r.add(outcome{older: true, told: err != nil})
				})
			}
		})
	}
}

func openAndSave(p part) (err error) {
	store, err := p.store(quiet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close(context.Background())) }()
	st, err := stats.Open(context.Background(), stats.Config{ID: crawlID, Store: store, LogEvery: -1, Logger: quiet})
	if err != nil {
		return err
	}
	return st.Close()
}

// The parent of a state directory need not exist.
func TestMissingParent(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		p := part{Engine: engine, Dir: filepath.Join(t.TempDir(), "a", "b", "state")}
		if err := openAndSave(p); err != nil {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// The directory is removed under a crawler: the next saves fail, the log says so
// once, counting goes on, and Close ends.
func TestRemovedDirectory(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		t.Run(engine, func(t *testing.T) {
			r := table.row("the directory is removed under a crawler, on " + engine)
			for range times(1, 10) {
				p := part{Engine: engine, Dir: stateDir(t.TempDir()), Every: 100 * time.Millisecond}
				c := crawl(t, p)
				l := c.ledger
				within(t, time.Minute, "a save", func() bool { c.alive(t); return l.get(saves) > 0 })
				within(t, time.Minute, "the directory is gone", func() bool { return os.RemoveAll(p.Dir) == nil })
				within(t, time.Minute, "the log tells", func() bool { c.alive(t); return l.get(warnings) > 0 })
				counted := l.get(finished)
				within(t, time.Minute, "counting goes on", func() bool { c.alive(t); return l.get(finished) > counted+100 })
				c.end(t)
				if c.err == nil {
					t.Error("Close has lost the state and says nothing")
				}
				r.add(outcome{older: true, told: c.err != nil})
			}
		})
	}
}
