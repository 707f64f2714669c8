package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Config says where a Store keeps its data.
type Config struct {
	// Dir is created if it is missing. Required.
	Dir string
	// Durable syncs every save before it is acknowledged, so that the loss of
	// power loses none of them. It costs an fsync, 0.3 to 10 ms. Default false:
	// a sync every ten seconds when something was saved.
	Durable bool
	// Logger hears of recoveries, of waiting for a lock, and of what Badger has to
	// say. It belongs to the first Store on a directory. Default slog.Default().
	Logger *slog.Logger
}

// maxValue keeps values, their envelope and key inline in Badger's tables, and
// so away from its value log.
const maxValue = valueThreshold - kvstore.MaxKey

// Store is a kvstore.Store in a directory of this machine, for one process at a
// time. It implements Lister, Syncer and Describer.
type Store struct {
	handle  *handle
	durable bool
	closed  atomic.Bool
}

// Open opens the store in cfg.Dir, and recovers it from its side copy if the
// database is damaged. Errors: ErrNoSpace, ErrReadOnly, ErrPermission, or
// ErrUnavailable for every other one.
//
// A directory that another process uses is no error: the other may be about to
// hand it over. Open logs a warning and returns; until the directory is free,
// every call on the Store waits for it, and returns a kvstore.LockedError with
// the pid of the owner when its context ends first.
func Open(cfg Config) (*Store, error) { return open(cfg, defaultLimits()) }

func open(cfg Config, lim limits) (*Store, error) {
	if cfg.Dir == "" {
		return nil, errors.New("badgerstore: open: Config.Dir is empty: name a directory")
	}
	log := cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	h, err := acquire(cfg.Dir, log, lim)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: open %s: %w", cfg.Dir, err)
	}
	return &Store{handle: h, durable: cfg.Durable}, nil
}

// Load returns a copy of the value of key.
func (s *Store) Load(ctx context.Context, key string) (kvstore.Item, error) {
	it, err := do(ctx, s, reading, func(db *database) (kvstore.Item, error) { return db.load(key) })
	if err != nil {
		return kvstore.Item{}, fmt.Errorf("badgerstore: load %q: %w", key, err)
	}
	return it, nil
}

// Save stores value if the revision of key is still prev.
func (s *Store) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	if len(key) > kvstore.MaxKey || len(value) > maxValue {
		return 0, fmt.Errorf("badgerstore: save %.300q: %w: %d bytes, the most is %d; the key has %d, the most is %d",
			key, kvstore.ErrTooLarge, len(value), maxValue, len(key), kvstore.MaxKey)
	}
	envelope := newEnvelope(value) // a copy: the write may outlive this call
	rev, err := do(ctx, s, writing, func(db *database) (kvstore.Revision, error) {
		return db.save(key, envelope, prev, s.durable)
	})
	if err != nil {
		return 0, fmt.Errorf("badgerstore: save %q: %w", key, err)
	}
	return rev, nil
}

// Delete removes key if its revision is still prev, and its side copy with it.
func (s *Store) Delete(ctx context.Context, key string, prev kvstore.Revision) error {
	_, err := do(ctx, s, writing, func(db *database) (struct{}, error) {
		return struct{}{}, db.remove(key, prev, s.durable)
	})
	if err != nil {
		return fmt.Errorf("badgerstore: delete %q: %w", key, err)
	}
	return nil
}

// List yields the keys that start with prefix, as they were when it began.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := do(ctx, s, reading, func(db *database) ([]string, error) {
			return slices.Collect(maps.Keys(db.revs)), nil
		})
		if err != nil {
			yield("", fmt.Errorf("badgerstore: list %q: %w", prefix, err))
			return
		}
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
	}
}

// Sync makes every acknowledged save survive the loss of power and brings the
// side copy up to date. A side copy that fails is a warning, no error.
func (s *Store) Sync(ctx context.Context) error {
	_, err := do(ctx, s, writing, func(db *database) (struct{}, error) { return struct{}{}, db.flush() })
	if err != nil {
		return fmt.Errorf("badgerstore: sync: %w", err)
	}
	return nil
}

// Describe names the directory.
func (s *Store) Describe() kvstore.Info {
	return kvstore.Info{
		Engine:            "badger",
		Location:          s.handle.dir,
		MaxValue:          maxValue,
		SuggestedInterval: time.Second,
	}
}

// Close syncs what was saved, and closes the database with the last Store on
// the directory. It waits until ctx ends, ten seconds at most, and then one
// second more; a database that is not closed by then is abandoned with an
// ErrUnknown, and the process keeps its lock. One whose directory was removed is
// abandoned at once with an ErrUnavailable. What is abandoned keeps its memory
// and goroutines.
func (s *Store) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	if err := s.handle.release(ctx); err != nil {
		return fmt.Errorf("badgerstore: close %s: %w", s.handle.dir, err)
	}
	return nil
}
