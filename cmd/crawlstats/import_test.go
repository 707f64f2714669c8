package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// goOn opens a crawl over a store as its crawler would and counts one request.
func goOn(t *testing.T, st kvstore.Store, id, member string) stats.Snapshot {
	t.Helper()
	defer st.Close(context.Background())
	s, err := stats.Open(t.Context(), stats.Config{ID: id, Member: member, Store: st, LogEvery: -1, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	s.Observe(stats.Outcome{Duration: time.Second})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	a := s.Snapshot()
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	return a
}

func openBadger(t *testing.T, dir string) kvstore.Store {
	t.Helper()
	st, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func openFiles(t *testing.T, dir string) kvstore.Store {
	t.Helper()
	st, err := kvstore.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestImport moves a crawl between engines, by way of a file and directly, and
// goes on with it.
func TestImport(t *testing.T) {
	t.Parallel()
	dir := home(t)
	good(t, dir, "export", "crawl-state", "-o", "shop.json")
	good(t, dir, "import", "shop.json", "dir:files", "--id", "shop")
	a := goOn(t, openFiles(t, filepath.Join(dir, "files")), "shop", "")
	if a.Finished != 921 || a.Failed != 60 || a.Counters["items"] != 1234 || len(a.Segments) != 3 || len(a.History.Minutes) < 2 || !a.StartedAt.Equal(shop(1).StartedAt) {
		t.Errorf("it did not go on as the same crawl: %+v", a.Summary())
	}
	// Directly, back into the other engine, under another name.
	good(t, dir, "import", "files", "new", "--as", "shop2")
	if b := goOn(t, openBadger(t, filepath.Join(dir, "new")), "shop2", ""); b.Finished != 922 {
		t.Errorf("%d finished, want 922", b.Finished)
	}
	// A fleet, member by member.
	good(t, dir, "import", "both", "fleet", "--id", "news")
	if b := goOn(t, openBadger(t, filepath.Join(dir, "fleet")), "news", "w1"); b.Finished != 921 {
		t.Errorf("%d finished, want 921", b.Finished)
	}
	has(t, good(t, dir, "list", "fleet"), "w0", "w1")

	// What is there is not written over unasked, and kept when asked.
	bad(t, dir, exitFailure, "holds \"shop\" already, finished, saved at", "import", "today.json", "files", "--id", "shop")
	has(t, good(t, dir, "show", "files"), "921 finished")
	good(t, dir, "import", "today.json", "files", "--id", "shop", "--replace", "--backup", "old.crawlstats")
	has(t, good(t, dir, "show", "files"), "920 finished")
	has(t, good(t, dir, "show", "old.crawlstats"), "921 finished")
	bad(t, dir, exitFailure, "back up", "import", "today.json", "files", "--id", "shop", "--replace", "--backup", "old.crawlstats")
	bad(t, dir, exitUsage, "give --id", "import", "today.json", "files")
	bad(t, dir, exitUsage, "no store", "import", "today.json", "yesterday.json", "--id", "shop")
	bad(t, dir, exitUsage, "not empty", "import", "today.json", ".", "--id", "shop")
}

// TestImportFences: a crawler whose record is replaced learns of it and does not
// write it back.
func TestImportFences(t *testing.T) {
	t.Parallel()
	dir := home(t)
	st := openFiles(t, filepath.Join(dir, "shared"))
	defer st.Close(context.Background())
	owner, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: st, Persist: stats.PersistAuto, PersistEvery: time.Hour, LogEvery: -1, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	owner.Observe(stats.Outcome{})
	if err := owner.Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	bad(t, dir, exitFailure, "running", "import", "today.json", "shared", "--id", "shop")
	bad(t, dir, exitFailure, "stop the crawler first, or say --force if it was killed", "import", "shared", "elsewhere")
	bad(t, dir, exitFailure, "stop the crawler first, or say --force if it was killed", "reset", "shared", "--id", "shop", "--yes")
	good(t, dir, "import", "today.json", "shared", "--id", "shop", "--replace", "--no-backup")
	owner.Observe(stats.Outcome{})
	if err := owner.Close(); err == nil {
		t.Error("the owner of before has saved over the import")
	}
	has(t, good(t, dir, "show", "shared"), "920 finished")
}

// overtaken is a store in which somebody else saves after each Load.
type overtaken struct{ kvstore.Store }

func (o overtaken) Load(ctx context.Context, key string) (kvstore.Item, error) {
	item, err := o.Store.Load(ctx, key)
	if _, saved := o.Save(ctx, key, []byte("{}"), item.Rev); saved != nil {
		return item, saved
	}
	return item, err
}

// TestImportOvertaken: what somebody saves in between stays, and the user is told
// what to do.
func TestImportOvertaken(t *testing.T) {
	t.Parallel()
	st := openFiles(t, t.TempDir())
	defer st.Close(context.Background())
	err := new(importing).put(t.Context(), nil, &source.Source{Arg: "shared", Store: overtaken{st}}, moved{id: "shop", a: shop(1)})
	if !errors.Is(err, kvstore.ErrConflict) || !strings.Contains(err.Error(), "stop the crawler over shared, and import again") {
		t.Error(err)
	}
	if item, err := st.Load(t.Context(), stats.Key("shop", "")); string(item.Value) != "{}" {
		t.Errorf("%q, %v", item.Value, err)
	}
}
