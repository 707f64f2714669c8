package badgerstore

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/crawlstats/crawlstats/kvstore"
)

const (
	memTableSize   = 4 << 20
	valueThreshold = 512 << 10 // must stay under 15 % of a memtable
	levelZero      = 2         // tables, one a full memtable, that stay unmerged
)

// engineOptions make Badger small: its defaults take 1.3 GB of memory for a day
// of saves, these take 30 to 90 MB. What is not obvious:
//   - no caches: they need compression, which small records do not;
//   - no compactors: at least two must there be, each looks for work twenty times a
//     second, and together they take half a per cent of a core for as long as the
//     database is open. Without, it is for compact to merge what saves pile up;
//   - OnTableRead: the other modes of verification panic, or silently return the
//     previous version of a damaged key;
//   - no SyncWrites: a Durable store syncs after the save, so that stores of both
//     kinds can share a database.
func engineOptions(dir string, log badger.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithMemTableSize(memTableSize).WithNumMemtables(1).
		WithValueThreshold(valueThreshold).WithValueLogFileSize(1 << 20).
		WithBlockCacheSize(0).WithIndexCacheSize(0).WithCompression(options.None).
		WithNumCompactors(0).WithNumLevelZeroTables(levelZero).WithNumLevelZeroTablesStall(10).
		WithBaseTableSize(1 << 20).WithBaseLevelSize(2 << 20).WithMaxLevels(3).
		WithChecksumVerificationMode(options.OnTableRead).WithMetricsEnabled(false).WithNumGoroutines(1).
		WithLogger(log)
}

// openEngine opens Badger in dir. A process killed while it creates files leaves
// empty ones, which fail an Open once each and are whole afterwards.
func openEngine(dir string, log *bridge) (db *badger.DB, err error) {
	for range 4 {
		err = guarded(func() (err error) {
			db, err = badger.Open(engineOptions(dir, log))
			return err
		})
		if err == nil || !strings.Contains(err.Error(), emptyFile) {
			break
		}
	}
	if err != nil {
		return nil, typed(err, kvstore.ErrUnavailable)
	}
	log.open.Store(true)
	return db, nil
}

// guarded turns a panic of Badger on this goroutine into an error. On Badger's
// own goroutines nothing can: that is what checkTables and starts are for.
func guarded(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("badger panicked: %v", p)
		}
	}()
	return run()
}

// mostStarts is how many starts may die in a row while they open the database.
// The damage that is known to kill is found before, so that these are kills from
// outside, or damage that nobody has seen yet.
const mostStarts = 5

// starts counts them in a file: written before the database is opened, removed
// once it is open.
type starts struct{ path string }

func (s starts) count() int {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return 1 // killed while it wrote the number
	}
	return n
}

func (s starts) set(n int) error {
	if n == 0 {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return os.WriteFile(s.path, []byte(strconv.Itoa(n)), 0o600)
}

// quarantine renames the database, and returns where it is now: "" if there was
// none.
func quarantine(engineDir string) (string, error) {
	to := fmt.Sprintf("%s.bad-%d", engineDir, time.Now().UnixNano())
	err := os.Rename(engineDir, to)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", nil
	case err != nil:
		return "", typed(err, kvstore.ErrUnavailable)
	}
	return to, nil
}

// keepAside writes a damaged value to a file of its own.
func keepAside(dir string, value []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, "damaged-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(value)
	return f.Name(), errors.Join(err, f.Close())
}
