package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/crawlstats/crawlstats/kvstore"
)

// keyPrefix goes before every key: Badger takes no empty keys and none that
// start with "!badger!".
const keyPrefix = "k/"

// database is Badger with its rails. Its methods are called one at a time.
type database struct {
	dir    string
	log    *slog.Logger
	lim    limits
	badger *badger.DB
	home   os.FileInfo // of Badger's directory, when it was opened
	found  *recovery   // when it was opened
	side   *sideCopy
	marks  *marks // nil when their file cannot be written

	revs map[string]kvstore.Revision // of all keys; zero for a value found damaged
	last kvstore.Revision            // the newest revision given out, over all keys

	unsynced bool
	copied   time.Time

	syncing, copying, marking, measuring, compacting outage
}

func (db *database) engineDir() string { return filepath.Join(db.dir, "badger") }
func (db *database) marksPath() string { return filepath.Join(db.dir, "marks") }

// load returns a copy of the value of key.
func (db *database) load(key string) (kvstore.Item, error) {
	envelope, err := db.read(key)
	if err != nil {
		return kvstore.Item{}, err
	}
	return kvstore.Item{Value: envelope[overhead:], Rev: db.revs[key]}, nil
}

// read returns a copy of the envelope of key, which it checks. A damaged one is
// kept aside when it is found; its key then has revision zero.
func (db *database) read(key string) ([]byte, error) {
	rev, ok := db.revs[key]
	if !ok {
		return nil, kvstore.ErrNotFound
	}
	envelope, err := db.get(key)
	if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
		return nil, typed(err, kvstore.ErrUnavailable)
	}
	if _, stored, ok := unseal(envelope, key); ok && stored == rev {
		return envelope, nil
	}
	if rev != 0 {
		db.revs[key] = 0
		path, err := keepAside(db.dir, envelope)
		db.log.Warn("a stored value is damaged", "key", key, "revision", uint64(rev), "damaged_value", path, "error", err)
	}
	return nil, fmt.Errorf("%w: save with revision zero to replace the value", kvstore.ErrCorrupt)
}

// get returns a copy of the envelope of key.
func (db *database) get(key string) (envelope []byte, err error) {
	err = guarded(func() error {
		return db.badger.View(func(txn *badger.Txn) error {
			item, err := txn.Get([]byte(keyPrefix + key))
			if err == nil {
				envelope, err = item.ValueCopy(nil)
			}
			return err
		})
	})
	return envelope, err
}

func (db *database) set(key string, envelope []byte) error {
	return db.update(func(txn *badger.Txn) error { return txn.Set([]byte(keyPrefix+key), envelope) })
}

func (db *database) update(change func(*badger.Txn) error) error {
	db.compact()
	return guarded(func() error { return db.badger.Update(change) })
}

// compact merges the tables that full memtables have left. With ten of them
// Badger would block every write.
func (db *database) compact() {
	if db.badger.Levels()[0].NumTables > levelZero {
		db.compacting.report(db.log, guarded(func() error { return db.badger.Flatten(1) }))
	}
}

// save stores an envelope, which it seals, if the revision of key is still prev.
func (db *database) save(key string, envelope []byte, prev kvstore.Revision, durable bool) (kvstore.Revision, error) {
	if db.revs[key] != prev {
		return 0, kvstore.ErrConflict
	}
	if err := db.writable(); err != nil {
		return 0, err
	}
	db.last++
	rev := db.last
	seal(envelope, key, rev)
	if err := db.set(key, envelope); err != nil {
		return 0, db.settle(key, rev, err)
	}
	db.revs[key] = rev
	db.side.stale[key] = struct{}{}
	db.unsynced = true
	db.mark(key, mark{rev: rev})
	if durable {
		if err := db.sync(); err != nil {
			return 0, fmt.Errorf("%w: saved, but not synced: %w", kvstore.ErrUnknown, err)
		}
	}
	return rev, nil
}

// settle finds out what became of a save that failed.
func (db *database) settle(key string, rev kvstore.Revision, cause error) error {
	envelope, err := db.get(key)
	if err == nil {
		if _, stored, ok := unseal(envelope, key); ok && stored == rev {
			db.revs[key] = rev
			return fmt.Errorf("%w: the save was applied in part: %s", kvstore.ErrUnknown, cut(cause.Error()))
		}
	}
	return typed(cause, kvstore.ErrUnavailable)
}

// remove deletes key if its revision is still prev. The side copy goes first: a
// key that is there and not in the database counts as lost, and is restored.
func (db *database) remove(key string, prev kvstore.Revision, durable bool) error {
	rev, ok := db.revs[key]
	switch {
	case !ok:
		return kvstore.ErrNotFound
	case rev != prev:
		return kvstore.ErrConflict
	}
	if err := db.writable(); err != nil {
		return err
	}
	if err := db.side.drop(key); err != nil {
		return typed(fmt.Errorf("side copy: %v", err), kvstore.ErrUnavailable) //nolint:errorlint // its conflict is none of ours
	}
	db.mark(key, mark{rev: max(rev, db.last), deleted: true})
	err := db.update(func(txn *badger.Txn) error { return txn.Delete([]byte(keyPrefix + key)) })
	if err != nil {
		db.mark(key, mark{rev: rev})
		db.side.stale[key] = struct{}{}
		return typed(err, kvstore.ErrUnknown)
	}
	delete(db.revs, key)
	db.unsynced = true
	if durable {
		if err := db.sync(); err != nil {
			return fmt.Errorf("%w: deleted, but not synced: %w", kvstore.ErrUnknown, err)
		}
	}
	return nil
}

// writable checks what would make Badger kill the process, or write to nowhere.
func (db *database) writable() error {
	if err := db.present(); err != nil {
		return err
	}
	return db.roomy()
}

// present checks that Badger's directory is still the one it opened. Badger goes
// on acknowledging saves to files that have no name any more.
func (db *database) present() error {
	now, err := os.Stat(db.engineDir())
	if err != nil || !os.SameFile(db.home, now) {
		return fmt.Errorf("%w: %s was removed or replaced while it was in use: restart the program",
			kvstore.ErrUnavailable, db.engineDir())
	}
	return nil
}

// roomy checks the free-space floor: where a page of a mapped file finds no
// room, the process dies of SIGBUS.
func (db *database) roomy() error {
	free, err := db.lim.free(db.dir)
	db.measuring.report(db.log, err)
	if err == nil && free < db.lim.floor {
		return fmt.Errorf("%w: %d MB free in %s, below the floor of %d MB: make room on the disk",
			kvstore.ErrNoSpace, free>>20, db.dir, db.lim.floor>>20)
	}
	return nil
}

func (db *database) mark(key string, m mark) {
	if db.marks != nil {
		db.marking.report(db.log, db.marks.set(key, m))
	}
}

func (db *database) sync() error {
	if err := db.badger.Sync(); err != nil {
		return typed(err, kvstore.ErrUnavailable)
	}
	db.unsynced = false
	return nil
}

// copyStale brings the side copy up to date. Its failure is a warning: the
// database has everything.
func (db *database) copyStale(now time.Time) {
	db.copied = now
	var failed error
	for key := range db.side.stale {
		envelope, err := db.read(key)
		if errors.Is(err, kvstore.ErrCorrupt) {
			continue // reported already; the copy is better
		}
		if err == nil {
			err = db.side.put(key, envelope)
		}
		if err != nil {
			failed = fmt.Errorf("copy %q: %w", key, err)
		}
	}
	db.copying.report(db.log, failed)
}

// flush leaves nothing to lose.
func (db *database) flush() error {
	if err := db.present(); err != nil {
		return err
	}
	db.copyStale(time.Now())
	if !db.unsynced {
		return nil
	}
	return db.sync()
}

// keep does what is due at a tick of the keeper.
func (db *database) keep(now time.Time) {
	if db.present() != nil {
		return // the next save reports it
	}
	if db.unsynced {
		db.syncing.report(db.log, db.sync())
	}
	if now.Sub(db.copied) >= db.lim.copyEvery {
		db.copyStale(now)
	}
}

// close flushes and closes. A database whose directory is gone is left as it is:
// Badger's Close would try to write to it for ever.
func (db *database) close() error {
	gone := db.present()
	errs := []error{gone}
	if gone == nil {
		errs = append(errs, db.flush())
	}
	errs = append(errs, db.side.files.Close(context.Background()))
	if db.marks != nil {
		errs = append(errs, db.marks.close())
	}
	if gone == nil {
		errs = append(errs, guarded(db.badger.Close))
	}
	if err := errors.Join(errs...); err != nil {
		return typed(err, kvstore.ErrUnavailable)
	}
	return nil
}
