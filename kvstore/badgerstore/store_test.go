package badgerstore

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

// openWith opens a store with other limits and a logger.
func openWith(t *testing.T, dir string, change func(*limits)) (*Store, *recorder) {
	t.Helper()
	lim := defaultLimits()
	change(&lim)
	log := &recorder{}
	st, err := open(Config{Dir: dir, Logger: slog.New(log)}, lim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close(context.Background()) })
	return st, log
}

func mustSave(t *testing.T, st *Store, key, value string, prev kvstore.Revision) kvstore.Revision {
	t.Helper()
	rev, err := st.Save(t.Context(), key, []byte(value), prev)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func wantValue(t *testing.T, st *Store, key, want string) {
	t.Helper()
	it, err := st.Load(t.Context(), key)
	if err != nil || string(it.Value) != want {
		t.Errorf("Load(%q) = %q, %v, want %q", key, it.Value, err, want)
	}
}

func TestFreeSpaceFloor(t *testing.T) {
	var free atomic.Uint64
	low := func(lim *limits) {
		lim.free = func(string) (uint64, error) { return free.Load(), nil }
	}
	lim := defaultLimits()
	low(&lim)
	dir := t.TempDir()
	free.Store(lim.floor - 1)
	if _, err := open(Config{Dir: dir}, lim); !errors.Is(err, kvstore.ErrNoSpace) {
		t.Fatalf("Open below the floor: %v, want ErrNoSpace", err)
	}
	free.Store(lim.floor)
	st, _ := openWith(t, dir, low)
	rev := mustSave(t, st, "k", "one", 0)
	free.Store(lim.floor - 1)
	if _, err := st.Save(t.Context(), "k", []byte("two"), rev); !errors.Is(err, kvstore.ErrNoSpace) {
		t.Errorf("Save below the floor: %v, want ErrNoSpace", err)
	}
	wantValue(t, st, "k", "one")
	free.Store(lim.floor)
	mustSave(t, st, "k", "three", rev)
}

func TestSharedDatabase(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	first, second := openIn(t, dir), openIn(t, link)
	rev := mustSave(t, first, "k", "one", 0)
	wantValue(t, second, "k", "one")
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrClosed) {
		t.Errorf("Load from the closed store: %v, want ErrClosed", err)
	}
	mustSave(t, second, "k", "two", rev)
	if _, err := filelock.Try(filepath.Join(dir, "lock")); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("the lock while a store has the directory: %v, want ErrHeld", err)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, release := holder(t, dir)
	release()
}

// TestOpenClose opens and closes the same directory on many goroutines.
func TestOpenClose(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 5 {
				st, err := Open(Config{Dir: dir})
				if err != nil {
					t.Error(err)
					return
				}
				key := string(rune('a' + w))
				it, err := st.Load(t.Context(), key)
				if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
					t.Error(err)
				}
				if _, err := st.Save(t.Context(), key, []byte("v"), it.Rev); err != nil {
					t.Error(err)
				}
				if err := st.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	files := openFiles(t)
	dir := t.TempDir()
	for range 3 {
		st, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		it, _ := st.Load(t.Context(), "k")
		mustSave(t, st, "k", "v", it.Rev)
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	goleak.VerifyNone(t, before)
	if now := openFiles(t); now > files {
		t.Errorf("%d open files, %d before", now, files)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log("open files are not counted here")
	}
	return len(entries)
}

func TestRemovedDirectory(t *testing.T) {
	if leaktest.Apart(t) { // Badger cannot close without its directory
		return
	}
	dir := t.TempDir()
	st, _ := openWith(t, dir, func(*limits) {})
	rev := mustSave(t, st, "k", "one", 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Save(t.Context(), "k", []byte("two"), rev); !errors.Is(err, kvstore.ErrUnavailable) || !strings.Contains(err.Error(), "removed") {
		t.Errorf("Save into a removed directory: %v, want ErrUnavailable that says so", err)
	}
	start := time.Now()
	if err := st.Close(t.Context()); !errors.Is(err, kvstore.ErrUnavailable) {
		t.Errorf("Close of a removed directory: %v, want ErrUnavailable", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	again := openIn(t, dir)
	mustSave(t, again, "k", "anew", 0)
}

// TestHangingDisk blocks the database inside a call.
func TestHangingDisk(t *testing.T) {
	hang := make(chan struct{})
	var hangs atomic.Bool
	st, _ := openWith(t, t.TempDir(), func(lim *limits) {
		lim.free = func(string) (uint64, error) {
			if hangs.Load() {
				<-hang
			}
			return lim.floor, nil
		}
		lim.closeMost, lim.closeGrace = time.Hour, 50*time.Millisecond
	})
	rev := mustSave(t, st, "k", "one", 0)
	hangs.Store(true)
	within := func(name string, want error, call func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := call(ctx); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("%s took %v", name, took)
		}
	}
	within("Save that began", kvstore.ErrUnknown, func(ctx context.Context) error {
		_, err := st.Save(ctx, "k", []byte("two"), rev)
		return err
	})
	within("Save behind it", kvstore.ErrUnavailable, func(ctx context.Context) error {
		_, err := st.Save(ctx, "k", []byte("three"), rev)
		return err
	})
	within("Load behind it", kvstore.ErrUnavailable, func(ctx context.Context) error {
		_, err := st.Load(ctx, "k")
		return err
	})
	within("Close", kvstore.ErrUnknown, st.Close)
	close(hang)
	waitUnlocked(t, st.handle.dir)
}

// TestCloseGivesUp closes a hanging database with a context that does not end.
func TestCloseGivesUp(t *testing.T) {
	st, _ := openWith(t, t.TempDir(), func(lim *limits) { lim.closeMost, lim.closeGrace = time.Millisecond, time.Millisecond })
	st.handle.turn <- struct{}{}
	if err := st.Close(context.Background()); !errors.Is(err, kvstore.ErrUnknown) {
		t.Errorf("Close: %v, want ErrUnknown", err)
	}
	<-st.handle.turn
	waitUnlocked(t, st.handle.dir)
}

// waitUnlocked waits for an abandoned Close to end.
func waitUnlocked(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		lock, err := filelock.Try(filepath.Join(dir, "lock"))
		if err == nil {
			lock.Unlock()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the directory is still locked: %v", err)
		}
	}
}

func TestSideCopyFails(t *testing.T) {
	dir := t.TempDir()
	st, log := openWith(t, dir, func(*limits) {})
	rev := mustSave(t, st, "k", "one", 0)
	if err := os.RemoveAll(filepath.Join(dir, "last-good")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "last-good"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := st.Sync(t.Context()); err != nil {
			t.Errorf("Sync without a side copy: %v", err)
		}
		rev = mustSave(t, st, "k", "more", rev)
	}
	if err := os.Remove(filepath.Join(dir, "last-good")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "last-good"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first finds that the file it knew is gone
		if err := st.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := log.count(slog.LevelWarn); n != 2 {
		t.Errorf("want one warning when it began and one when it ended, got %q", log.lines())
	}
	one(t, dir, "last-good/*.kv")
}

// TestSideCopyChanged writes a side copy behind the store's back.
func TestSideCopyChanged(t *testing.T) {
	dir := t.TempDir()
	st, _ := openWith(t, dir, func(*limits) {})
	rev := mustSave(t, st, "k", "one", 0)
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	side, err := kvstore.OpenDir(filepath.Join(dir, "last-good"))
	if err != nil {
		t.Fatal(err)
	}
	it, err := side.Load(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := side.Save(t.Context(), "k", []byte("foreign"), it.Rev); err != nil {
		t.Fatal(err)
	}
	if err := st.Delete(t.Context(), "k", rev); !errors.Is(err, kvstore.ErrUnavailable) || errors.Is(err, kvstore.ErrConflict) {
		t.Errorf("Delete over a changed side copy: %v, want ErrUnavailable", err)
	}
	if err := st.Delete(t.Context(), "k", rev); err != nil {
		t.Errorf("Delete again: %v", err)
	}
	rev = mustSave(t, st, "k", "anew", 0)
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if it, err = side.Load(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := side.Save(t.Context(), "k", []byte("foreign"), it.Rev); err != nil {
		t.Fatal(err)
	}
	mustSave(t, st, "k", "two", rev)
	for range 2 { // the first finds the change
		if err := st.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if it, err := side.Load(t.Context(), "k"); err != nil || !strings.HasSuffix(string(it.Value), "two") {
		t.Errorf("the side copy has %q, %v", it.Value, err)
	}
}

func TestKeeper(t *testing.T) {
	st, _ := openWith(t, t.TempDir(), func(lim *limits) { lim.syncEvery, lim.copyEvery = time.Millisecond, 2*time.Millisecond })
	mustSave(t, st, "k", "v", 0)
	for deadline := time.Now().Add(10 * time.Second); ; {
		st.handle.turn <- struct{}{}
		unsynced, stale := st.handle.db.unsynced, len(st.handle.db.side.stale)
		<-st.handle.turn
		if !unsynced && stale == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after ten seconds: unsynced %v, %d keys to copy", unsynced, stale)
		}
	}
	one(t, st.handle.dir, "last-good/*.kv")
}

// TestDurable checks that nothing is left to sync; what that is worth only a
// power cut can show.
func TestDurable(t *testing.T) {
	dir := t.TempDir()
	for _, durable := range []bool{false, true} {
		st, err := Open(Config{Dir: dir, Durable: durable})
		if err != nil {
			t.Fatal(err)
		}
		rev := mustSave(t, st, "k", "v", 0)
		if unsynced := st.handle.db.unsynced; unsynced == durable {
			t.Errorf("after a save with Durable %v: unsynced %v", durable, unsynced)
		}
		if err := st.Delete(t.Context(), "k", rev); err != nil {
			t.Error(err)
		}
		if unsynced := st.handle.db.unsynced; unsynced == durable {
			t.Errorf("after a delete with Durable %v: unsynced %v", durable, unsynced)
		}
		if err := st.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(Config{}); err == nil || !strings.Contains(err.Error(), "Config.Dir") {
		t.Errorf("Open without a directory: %v, want an error that names the field", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(Config{Dir: dir}); !errors.Is(err, kvstore.ErrUnavailable) || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("Open of a file: %v, want ErrUnavailable that says so", err)
		}
	}
	if len(handles.of) != 0 {
		t.Errorf("failed opens left %d handles", len(handles.of))
	}
}
