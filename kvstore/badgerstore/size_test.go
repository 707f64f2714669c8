package badgerstore

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// TestDirectorySize saves a 4 KB record as often as a day of checkpoints does.
// The compactors of a new database start within a second; until they have, the
// saves come 5,000 times faster than checkpoints, and then as fast as they can.
// At full speed from the start, Badger piles up tables to its stall limit.
func TestDirectorySize(t *testing.T) {
	const (
		paced, pace = 10_000, 5_000 // saves, and saves per second
		most        = 64 << 20      // for the paced part, and for what stays
		ceiling     = 96 << 20      // of ten tables before the stall, their compaction and the logs
	)
	saves := 86_400
	if raceEnabled {
		saves /= 4
	}
	dir := t.TempDir()
	st := openIn(t, dir)
	var (
		rev             kvstore.Revision
		err             error
		peak, pacedPeak int64
		start, value    = time.Now(), make([]byte, 4<<10)
	)
	for i := range saves {
		if rev, err = st.Save(t.Context(), testKey, value, rev); err != nil {
			t.Fatal(err)
		}
		if i%200 != 0 {
			continue
		}
		peak = max(peak, treeSize(t, dir))
		if i < paced {
			pacedPeak = peak
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / pace)))
		}
	}
	after := treeSize(t, dir)
	t.Logf("%d saves: peak %d MB while paced, %d MB in all, %d MB after", saves, pacedPeak>>20, peak>>20, after>>20)
	if pacedPeak > most || after > most || peak > ceiling {
		t.Errorf("want at most %d MB while paced and after, and %d MB in all", most>>20, ceiling>>20)
	}
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if size := treeSize(t, dir); size > most/2 {
		t.Errorf("the directory has %d MB after Close", size>>20)
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
