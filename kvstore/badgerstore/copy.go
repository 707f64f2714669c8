package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

// Copy is what a directory held at one moment, for programs that look and leave
// no trace: Badger writes to what it opens, so it is given a copy. It is a
// kvstore.Store whose Save and Delete return ErrReadOnly, and a Lister and
// Describer.
type Copy struct {
	store  *Store
	of     string // the directory that was copied
	dir    string
	idle   bool
	damage error
}

// OpenCopy copies what cfg.Dir holds to a temporary directory and opens that. It
// writes nothing to cfg.Dir, which may be read-only, and holds its lock only
// while it copies. When another process has it, the error is a
// kvstore.LockedError with the pid of the owner. Other errors: ErrNotFound for a
// directory that holds no database, and those of Open for the temporary one.
func OpenCopy(cfg Config) (*Copy, error) {
	c, err := openCopy(cfg)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: open a copy of %s: %w", cfg.Dir, err)
	}
	return c, nil
}

func openCopy(cfg Config) (*Copy, error) {
	temp, err := os.MkdirTemp("", "crawlstats-copy-")
	if err != nil {
		return nil, typed(err, kvstore.ErrUnavailable)
	}
	locked, err := copyLocked(temp, cfg.Dir)
	c := &Copy{of: cfg.Dir, dir: temp, idle: locked}
	if err == nil {
		err = c.open(cfg.Logger)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return c, nil
}

func (c *Copy) open(log *slog.Logger) (err error) {
	lim := defaultLimits()
	lim.silent = true
	if c.store, err = open(Config{Dir: c.dir, Logger: log}, lim); err != nil {
		return err
	}
	c.damage, err = do(context.Background(), c.store, reading, func(db *database) (error, error) {
		return db.found.damage(c.of), nil
	})
	if err != nil {
		return errors.Join(err, c.store.Close(context.Background()))
	}
	return nil
}

// copyLocked copies what Open reads, while nobody writes it. It reports whether
// it had the lock meanwhile.
func copyLocked(to, from string) (locked bool, err error) {
	lock, err := tryExisting(filepath.Join(from, "lock"))
	if err != nil {
		return false, err
	}
	if lock != nil {
		defer func() { _ = lock.Unlock() }() // nothing was written
	}
	return lock != nil, copyFiles(to, from)
}

func copyFiles(to, from string) error {
	found := false
	for _, name := range []string{"badger", "last-good"} {
		err := os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(from, name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return typed(err, kvstore.ErrUnavailable)
		}
		found = found || err == nil
	}
	if !found {
		return fmt.Errorf("%w: there is no database of this package in it", kvstore.ErrNotFound)
	}
	for _, name := range []string{"marks", "opening"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return typed(err, kvstore.ErrUnavailable)
		}
	}
	return nil
}

// tryExisting locks the file at path. It returns nil where there is none, and
// where this process may not write it: then the rails of Open are the guard.
func tryExisting(path string) (*filelock.Lock, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	lock, err := filelock.Try(path)
	switch {
	case err == nil:
		return lock, nil
	case errors.Is(err, filelock.ErrHeld):
		return nil, &kvstore.LockedError{PID: readPID(path)}
	}
	err = typed(err, kvstore.ErrUnavailable)
	if errors.Is(err, kvstore.ErrReadOnly) || errors.Is(err, kvstore.ErrPermission) {
		return nil, nil
	}
	return nil, err
}
