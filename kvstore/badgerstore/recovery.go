package badgerstore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"

	"github.com/crawlstats/crawlstats/kvstore"
)

// openDatabase opens the database in dir, or recovers it. The caller holds the
// lock of the directory.
func openDatabase(dir string, log *slog.Logger, lim limits) (*database, error) {
	db := &database{
		dir: dir, log: log, lim: lim, // copied is zero: what is saved first is copied at the next turn
		syncing: outage{what: "syncing"}, copying: outage{what: "the side copy"},
		marking: outage{what: "marking revisions"}, measuring: outage{what: "measuring free space"},
		compacting: outage{what: "merging tables"},
	}
	if err := db.roomy(); err != nil {
		return nil, err
	}
	var err error
	if db.side, err = openSideCopy(dir); err != nil {
		return nil, err
	}
	counter := starts{filepath.Join(dir, "opening")}
	found := &recovery{}
	died := counter.count()
	if died >= mostStarts {
		found.cause = fmt.Errorf("%d starts died while they opened it", died)
		if found.moved, err = quarantine(db.engineDir()); err != nil {
			return nil, err
		}
		died = 0
	}
	if err := counter.set(died + 1); err != nil {
		return nil, typed(err, kvstore.ErrUnavailable)
	}
	err = db.start(found)
	if damaged(err) {
		found = &recovery{cause: err}
		if found.moved, err = quarantine(db.engineDir()); err == nil {
			err = db.start(found)
		}
	}
	if err != nil {
		if recognized(err) {
			err = errors.Join(err, counter.set(died)) // the database is not to blame
		}
		return nil, err
	}
	if err := counter.set(0); err != nil {
		return nil, errors.Join(typed(err, kvstore.ErrUnavailable), db.close())
	}
	db.found = found
	if !lim.silent {
		found.report(log, dir)
	}
	return db, nil
}

// start opens Badger and compares what it holds with the side copy and the marks.
func (db *database) start(found *recovery) error {
	if err := os.MkdirAll(db.engineDir(), 0o700); err != nil {
		return typed(err, kvstore.ErrUnavailable)
	}
	if err := checkTables(db.engineDir()); err != nil {
		return err
	}
	var err error
	if db.badger, err = openEngine(db.engineDir(), newBridge(db.log)); err != nil {
		return err
	}
	db.compact() // what short lives have left; Close adds a table
	db.home, err = os.Stat(db.engineDir())
	if err == nil {
		err = guarded(func() error { return db.reconcile(found) })
	}
	if err != nil {
		return errors.Join(typed(err, kvstore.ErrUnavailable), guarded(db.badger.Close))
	}
	return nil
}

// reconcile takes the newest of database and side copy for each key, finishes
// deletions that were rolled back, and finds out what is missing.
func (db *database) reconcile(found *recovery) error {
	marked, err := readMarks(db.marksPath())
	if err != nil {
		return err
	}
	copies, err := db.side.load()
	if err != nil {
		return err
	}
	if err := db.scan(found); err != nil {
		return err
	}
	for key, envelope := range copies {
		if err := db.adopt(key, envelope, found); err != nil {
			return err
		}
	}
	for _, m := range marked {
		db.last = max(db.last, m.rev)
	}
	for key, rev := range db.revs {
		db.last = max(db.last, rev)
		if err := db.check(key, rev, marked[hashOf(key)], found); err != nil {
			return err
		}
		delete(marked, hashOf(key))
	}
	for _, m := range marked { // of keys that are nowhere
		if !m.deleted {
			found.lost++
			found.miss(0, m.rev)
		}
	}
	db.marks, err = newMarks(db.marksPath(), db.revs)
	db.marking.report(db.log, err)
	return nil
}

// scan reads the revision of every key. It moves damaged values aside and gives
// them revision zero.
func (db *database) scan(found *recovery) error {
	db.revs = make(map[string]kvstore.Revision)
	return db.badger.View(func(txn *badger.Txn) error {
		opt := badger.DefaultIteratorOptions
		opt.Prefix = []byte(keyPrefix)
		it := txn.NewIterator(opt)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := string(it.Item().Key()[len(keyPrefix):])
			err := it.Item().Value(func(envelope []byte) error {
				_, rev, ok := unseal(envelope, key)
				db.revs[key] = rev
				if ok {
					db.side.stale[key] = struct{}{} // unless adopt finds it copied
					return nil
				}
				found.aside++
				_, err := keepAside(db.dir, envelope)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// adopt takes over the side copy of key where the database has an older value or
// none.
func (db *database) adopt(key string, envelope []byte, found *recovery) error {
	_, rev, ok := unseal(envelope, key)
	have := db.revs[key]
	switch {
	case !ok || rev < have:
		return nil
	case rev > have:
		if err := db.set(key, envelope); err != nil {
			return err
		}
		db.revs[key] = rev
		db.unsynced = true
		found.restored++
	}
	delete(db.side.stale, key)
	return nil
}

// check compares the revision of key with its mark. It removes a key whose
// deletion was rolled back, and a damaged value of which there is no other copy.
func (db *database) check(key string, rev kvstore.Revision, m mark, found *recovery) error {
	if m.deleted && rev <= m.rev {
		return db.remove(key, rev, false)
	}
	found.miss(rev, m.rev)
	if rev == 0 {
		found.lost++
		return db.remove(key, rev, false)
	}
	return nil
}

// recovery is what had to be done to open a database.
type recovery struct {
	cause    error  // why it was moved
	moved    string // where it is now
	aside    int    // damaged values, now in files of their own
	restored int    // keys taken from the side copy
	lost     int    // keys that are nowhere

	oldest, newest kvstore.Revision // revisions came after oldest, up to newest, that are gone
}

// miss notes that of a key, revisions after have are gone, up to marked.
func (r *recovery) miss(have, marked kvstore.Revision) {
	if have >= marked {
		return
	}
	if r.newest == 0 || have < r.oldest {
		r.oldest = have
	}
	r.newest = max(r.newest, marked)
}

// none says that nothing was recovered and nothing is missing.
func (r *recovery) none() bool {
	return r.moved == "" && r.aside == 0 && r.restored == 0 && r.newest == 0
}

// damage is what report says, for who looks at a copy of dir.
func (r *recovery) damage(dir string) error {
	if r.none() {
		return nil
	}
	return fmt.Errorf("%w: the database in %s: a copy of it was recovered, keys missing: %d, saves missing: at most %d",
		kvstore.ErrCorrupt, dir, r.lost, r.newest-r.oldest)
}

// report logs one warning.
func (r *recovery) report(log *slog.Logger, dir string) {
	if r.none() {
		return
	}
	attrs := []any{
		"dir", dir, "missing_saves_at_most", uint64(r.newest - r.oldest), "keys_from_side_copy", r.restored, "keys_lost", r.lost,
		"damaged_values", r.aside,
	}
	if r.moved != "" {
		attrs = append(attrs, "damaged_database", r.moved, "cause", cut(r.cause.Error()))
	}
	log.Warn("the database was damaged or rolled back, and is recovered", attrs...)
}
