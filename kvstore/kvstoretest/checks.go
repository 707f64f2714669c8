package kvstoretest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

func compareAndSet(t testing.TB, st kvstore.Store) {
	ctx := t.Context()
	if _, err := st.Load(ctx, "k"); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("Load of a missing key: %v, want ErrNotFound", err)
	}
	if _, err := st.Save(ctx, "k", []byte("x"), 7); !errors.Is(err, kvstore.ErrConflict) {
		t.Errorf("Save of a missing key with a revision: %v, want ErrConflict", err)
	}
	first := mustSave(t, st, "k", []byte("one"), 0)
	wantItem(t, st, "k", "one", first)
	if _, err := st.Save(ctx, "k", []byte("x"), 0); !errors.Is(err, kvstore.ErrConflict) {
		t.Errorf("Save of an existing key with revision zero: %v, want ErrConflict", err)
	}
	second := mustSave(t, st, "k", []byte("two"), first)
	if _, err := st.Save(ctx, "k", []byte("x"), first); !errors.Is(err, kvstore.ErrConflict) {
		t.Errorf("Save with an old revision: %v, want ErrConflict", err)
	}
	wantItem(t, st, "k", "two", second)
}

func deleteKey(t testing.TB, st kvstore.Store) {
	ctx := t.Context()
	if err := st.Delete(ctx, "k", 7); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("Delete of a missing key: %v, want ErrNotFound", err)
	}
	old := mustSave(t, st, "k", []byte("one"), 0)
	rev := mustSave(t, st, "k", []byte("two"), old)
	other := mustSave(t, st, "other", []byte("stays"), 0)
	for _, prev := range []kvstore.Revision{old, 0} {
		if err := st.Delete(ctx, "k", prev); !errors.Is(err, kvstore.ErrConflict) {
			t.Errorf("Delete with revision %d: %v, want ErrConflict", prev, err)
		}
	}
	wantItem(t, st, "k", "two", rev)
	if err := st.Delete(ctx, "k", rev); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if _, err := st.Load(ctx, "k"); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("Load after Delete: %v, want ErrNotFound", err)
	}
	wantItem(t, st, "other", "stays", other)
}

// revisionsNeverReturn catches stores that count from one again: a writer that
// slept through a Delete would overwrite its successor.
func revisionsNeverReturn(t testing.TB, st kvstore.Store) {
	seen := make(map[kvstore.Revision]bool)
	for range 3 {
		var rev kvstore.Revision
		for range 3 {
			rev = mustSave(t, st, "k", []byte("v"), rev)
			if seen[rev] {
				t.Errorf("revision %d came twice", rev)
			}
			seen[rev] = true
		}
		if err := st.Delete(t.Context(), "k", rev); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		if _, err := st.Save(t.Context(), "k", []byte("late"), rev); !errors.Is(err, kvstore.ErrConflict) {
			t.Errorf("Save with the revision of a deleted value: %v, want ErrConflict", err)
		}
	}
}

func copies(t testing.TB, st kvstore.Store) {
	mine := []byte("abc")
	rev := mustSave(t, st, "k", mine, 0)
	mine[0] = 'X'
	wantItem(t, st, "k", "abc", rev)
	it, err := st.Load(t.Context(), "k")
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	it.Value[0] = 'Y'
	wantItem(t, st, "k", "abc", rev)
}

func values(t testing.TB, st kvstore.Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	var rev kvstore.Revision
	for _, value := range [][]byte{nil, {}, {0}, []byte("\n"), all, bytes.Repeat(all, 256), []byte("short again")} {
		rev = mustSave(t, st, "k", value, rev)
		wantItem(t, st, "k", string(value), rev)
	}
}

// oddKeys are keys that some file system, engine or pattern treats specially.
func oddKeys() []string {
	long := strings.Repeat("k", kvstore.MaxKey-64) // 64 are left for the name of a named store
	return []string{
		"", " ", "a", "A", "a/b", "a/", "/", "/a", ".", "..", "../../a", "a/../b", "a\\b", "C:", "con", "nul.txt",
		"lock", "tmp", "\x00", "a\x00b", "a\nb", "\"", "'", "\xff\xfe", "ü", "u\u0308", "\u202e", "%s", "*", "a*", "a?", "[a]", "{a}",
		"a.b", "a.>", "$KV", "!badger!a", "@default/a", "=", "=41", long + "1", long + "2",
	}
}

func keys(t testing.TB, st kvstore.Store) {
	revs := make(map[string]kvstore.Revision)
	for _, key := range oddKeys() {
		revs[key] = mustSave(t, st, key, []byte("value of "+key), 0)
	}
	for key, rev := range revs {
		wantItem(t, st, key, "value of "+key, rev)
	}
	if lister, ok := st.(kvstore.Lister); ok {
		wantList(t, lister, "", oddKeys())
	}
	for key, rev := range revs {
		if err := st.Delete(t.Context(), key, rev); err != nil {
			t.Errorf("Delete(%.40q): %v", key, err)
		}
	}
}

func keyTooLong(t testing.TB, st kvstore.Store) {
	key := strings.Repeat("k", kvstore.MaxKey+1)
	if _, err := st.Save(t.Context(), key, nil, 0); !errors.Is(err, kvstore.ErrTooLarge) {
		t.Errorf("Save with a key of %d bytes: %v, want ErrTooLarge", len(key), err)
	}
}

func valueTooLarge(t testing.TB, st kvstore.Store) {
	var most int
	if d, ok := st.(kvstore.Describer); ok {
		most = d.Describe().MaxValue
	}
	if most <= 0 {
		t.Skip("the store names no MaxValue")
	}
	value := bytes.Repeat([]byte("v"), most)
	rev := mustSave(t, st, "k", value, 0)
	wantItem(t, st, "k", string(value), rev)
	if _, err := st.Save(t.Context(), "k", append(value, 'v'), rev); !errors.Is(err, kvstore.ErrTooLarge) {
		t.Errorf("Save of %d bytes: %v, want ErrTooLarge", most+1, err)
	}
	wantItem(t, st, "k", string(value), rev)
}

func list(t testing.TB, st kvstore.Store) {
	lister, ok := st.(kvstore.Lister)
	if !ok {
		t.Skip("the store is no Lister")
	}
	wantList(t, lister, "", nil)
	all := []string{"a", "a/1", "a/2", "a*/3", "ab", "b", "A/1"}
	var rev kvstore.Revision
	for _, key := range all {
		rev = mustSave(t, st, key, nil, 0)
	}
	for prefix, want := range map[string][]string{
		"": all, "a": {"a", "a/1", "a/2", "a*/3", "ab"}, "a/": {"a/1", "a/2"}, "a*": {"a*/3"}, "b": {"b"}, "c": nil, "a/1/": nil,
	} {
		wantList(t, lister, prefix, want)
	}
	for range lister.List(t.Context(), "") { //nolint:errcheck // it is left at once
		break // a caller may stop early
	}
	if err := st.Delete(t.Context(), "A/1", rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	wantList(t, lister, "", all[:len(all)-1])
}

func wantList(t testing.TB, st kvstore.Lister, prefix string, want []string) {
	t.Helper()
	var got []string
	for key, err := range st.List(t.Context(), prefix) {
		if err != nil {
			t.Errorf("List(%q): %v", prefix, err)
			return
		}
		got = append(got, key)
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("List(%q) = %.300q, want %.300q", prefix, got, want)
	}
}
