package badgerstore

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

// swap replaces one entry of a store's directory by that of another.
func swap(t *testing.T, dir, other, entry string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, entry)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(other, entry), filepath.Join(dir, entry)); err != nil {
		t.Fatal(err)
	}
}

// TestDeletedStaysDeleted brings back older files after a Delete.
func TestDeletedStaysDeleted(t *testing.T) {
	for _, entry := range []string{"badger", "last-good"} {
		t.Run(entry, func(t *testing.T) {
			dir := t.TempDir()
			st := openIn(t, dir)
			rev := mustSave(t, st, "k", "v", 0)
			if err := st.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := copyTree(t, dir)
			if err := st.Delete(t.Context(), "k", rev); err != nil {
				t.Fatal(err)
			}
			after := copyTree(t, dir)
			swap(t, after, before, entry)
			back := openIn(t, after)
			if it, err := back.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrNotFound) {
				t.Errorf("Load of a deleted key: %q, %v, want ErrNotFound", it.Value, err)
			}
			if again := mustSave(t, back, "k", "anew", 0); again <= rev {
				t.Errorf("the key has revision %d again, it had %d before", again, rev)
			}
		})
	}
}

// TestManyKeys rolls back a database of several keys that were copied at
// different times.
func TestManyKeys(t *testing.T) {
	dir := t.TempDir()
	st := openIn(t, dir)
	a := mustSave(t, st, "a", "a1", 0) // 1
	b := mustSave(t, st, "b", "b1", 0) // 2
	mustSave(t, st, "gone", "x", 0)    // 3
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustSave(t, st, "a", "a2", a)   // 4
	mustSave(t, st, "b", "b2", b)   // 5
	mustSave(t, st, "new", "n1", 0) // 6, in the side copy never
	crashed := copyTree(t, dir)
	if err := os.RemoveAll(filepath.Join(crashed, "badger")); err != nil {
		t.Fatal(err)
	}
	lost, log := openWith(t, crashed, func(*limits) {})
	wantValue(t, lost, "a", "a1")
	wantValue(t, lost, "b", "b1")
	wantValue(t, lost, "gone", "x")
	if _, err := lost.Load(t.Context(), "new"); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("Load of a lost key: %v, want ErrNotFound", err)
	}
	lines := strings.Join(log.lines(), "\n")
	for _, want := range []string{"keys_from_side_copy=3", "keys_lost=1", "missing_saves_at_most=6"} {
		if !strings.Contains(lines, want) {
			t.Errorf("want %s in %q", want, lines)
		}
	}
	if rev := mustSave(t, lost, "new", "n2", 0); rev <= 6 {
		t.Errorf("a lost revision came again: %d", rev)
	}
}

// overwrite puts bytes under a key, past every check.
func overwrite(t *testing.T, st *Store, key, envelope string) {
	t.Helper()
	st.handle.turn <- struct{}{}
	defer func() { <-st.handle.turn }()
	if err := st.handle.db.set(key, []byte(envelope)); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedValue(t *testing.T) {
	dir := t.TempDir()
	st, log := openWith(t, dir, func(*limits) {})
	rev := mustSave(t, st, "k", "good", 0)
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	rev = mustSave(t, st, "k", "better", rev)
	overwrite(t, st, "k", "CKV1 and no more")
	if err := st.Sync(t.Context()); err != nil { // must not copy it
		t.Error(err)
	}
	for range 2 {
		if _, err := st.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrCorrupt) {
			t.Errorf("Load of a damaged value: %v, want ErrCorrupt", err)
		}
	}
	if n := log.count(slog.LevelWarn); n != 1 {
		t.Errorf("want one warning, got %q", log.lines())
	}
	if data, err := os.ReadFile(one(t, dir, "damaged-*")); err != nil || string(data) != "CKV1 and no more" {
		t.Errorf("kept aside: %q, %v", data, err)
	}
	if data, err := os.ReadFile(one(t, dir, "last-good/*.kv")); err != nil || !strings.HasSuffix(string(data), "good") {
		t.Errorf("the side copy has %q, %v", data, err)
	}
	if next := mustSave(t, st, "k", "new", 0); next <= rev {
		t.Errorf("revision %d after %d", next, rev)
	}
	wantValue(t, st, "k", "new")
}

// TestDamagedValueAtOpen finds the damage when the database is opened, with and
// without a side copy.
func TestDamagedValueAtOpen(t *testing.T) {
	dir := t.TempDir()
	st := openIn(t, dir)
	mustSave(t, st, "copied", "good", 0)
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustSave(t, st, "fresh", "good", 0)
	overwrite(t, st, "copied", "bad")
	overwrite(t, st, "fresh", "bad")
	back, log := openWith(t, copyTree(t, dir), func(*limits) {})
	wantValue(t, back, "copied", "good")
	if _, err := back.Load(t.Context(), "fresh"); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("Load: %v, want ErrNotFound", err)
	}
	if found, _ := filepath.Glob(filepath.Join(back.handle.dir, "damaged-*")); len(found) != 2 {
		t.Errorf("kept aside: %v, want two files", found)
	}
	if lines := strings.Join(log.lines(), "\n"); !strings.Contains(lines, "keys_lost=1") || !strings.Contains(lines, "damaged_values=2") {
		t.Errorf("the warning does not say what was lost: %q", lines)
	}
	mustSave(t, back, "fresh", "new", 0)
}

// TestUnknownOpenError makes Badger fail in a way that no table knows: it is
// given two chances.
func TestUnknownOpenError(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "badger", "MANIFEST"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range mostStarts {
		if _, err := Open(Config{Dir: dir}); !errors.Is(err, kvstore.ErrUnavailable) {
			t.Fatalf("Open: %v, want ErrUnavailable", err)
		}
	}
	st := openIn(t, dir)
	mustSave(t, st, "k", "v", 0)
	one(t, dir, "badger.bad-*")
}

// TestSurroundingsAreNoDamage fails every start for a reason that is not in the
// database: it stays where it is.
func TestSurroundingsAreNoDamage(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "badger"), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range mostStarts + 1 {
		if _, err := Open(Config{Dir: dir}); !errors.Is(err, kvstore.ErrUnavailable) {
			t.Fatalf("Open: %v, want ErrUnavailable", err)
		}
	}
	if moved, _ := filepath.Glob(filepath.Join(dir, "badger.bad-*")); len(moved) > 0 {
		t.Errorf("moved to %v", moved)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	first, _ := openWith(t, dir, func(*limits) {})
	rev := mustSave(t, first, "k", "v", 0)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, log := openWith(t, dir, func(*limits) {})
	if it, err := st.Load(t.Context(), "k"); err != nil || it.Rev != rev || string(it.Value) != "v" {
		t.Errorf("Load = %q, %d, %v, want revision %d", it.Value, it.Rev, err, rev)
	}
	if n := len(st.handle.db.side.stale); n != 0 {
		t.Errorf("%d keys are to be copied after a clean Close", n)
	}
	if lines := log.lines(); len(lines) != 0 {
		t.Errorf("a clean start says %q", lines)
	}
}

// TestDeadStarts opens a healthy database that starts were killed on: it stays
// where it is.
func TestDeadStarts(t *testing.T) {
	dir := t.TempDir()
	st := openIn(t, dir)
	mustSave(t, st, "k", "v", 0)
	crashed := copyTree(t, dir)
	if err := (starts{filepath.Join(crashed, "opening")}).set(mostStarts - 1); err != nil {
		t.Fatal(err)
	}
	back, log := openWith(t, crashed, func(*limits) {})
	wantValue(t, back, "k", "v")
	if lines := log.lines(); len(lines) != 0 {
		t.Errorf("a healthy start says %q", lines)
	}
}

// TestDeadStartsWithoutDatabase counts starts that died before there was one.
func TestDeadStartsWithoutDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := (starts{filepath.Join(dir, "opening")}).set(mostStarts); err != nil {
		t.Fatal(err)
	}
	mustSave(t, openIn(t, dir), "k", "v", 0)
	if _, err := os.Stat(filepath.Join(dir, "opening")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the counter of dead starts is still there: %v", err)
	}
}
