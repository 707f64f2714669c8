package badgerstore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// TestDirectorySize saves a 4 KB record as often as a day of checkpoints does, as
// fast as it can.
func TestDirectorySize(t *testing.T) {
	const most = 64 << 20
	saves := 86_400
	if raceEnabled {
		saves /= 4
	}
	dir := t.TempDir()
	st := openIn(t, dir)
	var (
		rev   kvstore.Revision
		err   error
		peak  int64
		slow  time.Duration // the slowest save
		value = make([]byte, 4<<10)
	)
	for i := range saves {
		start := time.Now()
		if rev, err = st.Save(t.Context(), testKey, value, rev); err != nil {
			t.Fatal(err)
		}
		slow = max(slow, time.Since(start))
		if i%200 == 0 {
			peak = max(peak, treeSize(t, dir))
		}
	}
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed := treeSize(t, dir)
	t.Logf("%d saves: peak %d MB, %d MB after Close, the slowest took %v", saves, peak>>20, closed>>20, slow)
	if peak > most || closed > most/2 {
		t.Errorf("want at most %d MB, and half of that after Close", most>>20)
	}
}

// Each life leaves a table, and ten of them would block every write for ever.
func TestManyShortLives(t *testing.T) {
	dir := t.TempDir()
	for range 25 {
		st := openIn(t, dir)
		it, err := st.Load(t.Context(), testKey)
		if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
			t.Fatal(err)
		}
		if _, err := st.Save(t.Context(), testKey, []byte("value"), it.Rev); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := filepath.Glob(filepath.Join(dir, "badger", "*.sst"))
	if err != nil || len(tables) > 5 {
		t.Errorf("%d tables after 25 lives, %v", len(tables), err)
	}
}

// treeSize adds up the apparent sizes of the files in dir.
func treeSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // Badger removes files meanwhile
		}
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
