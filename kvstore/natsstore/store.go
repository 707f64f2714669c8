package natsstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
	"github.com/crawlstats/crawlstats/kvstore/internal/inflight"
)

// Config says where in the bucket a Store keeps its keys.
type Config struct {
	// Prefix keeps the keys of this store apart from all others: the key k is
	// Prefix.k in the bucket. It may have letters, digits, "_" and "-". Default
	// "crawlstats".
	Prefix string
	// Logger hears of a bucket that forgets values, and of values that the
	// servers lost. Default slog.Default().
	Logger *slog.Logger
}

const (
	maxValue   = 512 << 10
	headerRoom = 256                    // of a message's limit, for its headers
	staleMost  = 500 * time.Millisecond // that a call waits for servers that are not of one mind
	staleWait  = 5 * time.Millisecond   // between two tries
)

// Store is a kvstore.Store in a bucket of NATS JetStream. It implements Lister,
// Watcher and Describer.
type Store struct {
	kv      jetstream.KeyValue
	prefix  string // with its dot
	most    int    // bytes of a value
	log     *slog.Logger
	seen    memory
	calls   inflight.Group
	closing chan struct{} // ends the watches
	once    sync.Once     // closes closing
}

// New returns a store in the bucket kv, which it asks for its limits. Errors:
// those of the arguments, and ErrUnavailable or ErrPermission when the bucket
// does not answer.
func New(ctx context.Context, kv jetstream.KeyValue, cfg Config) (*Store, error) {
	if kv == nil {
		return nil, errors.New("natsstore: new: the bucket is nil: make one with CreateOrUpdateKeyValue of the jetstream package")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "crawlstats"
	}
	if strings.Contains(cfg.Prefix, "/") || escape(cfg.Prefix) != cfg.Prefix {
		return nil, fmt.Errorf("natsstore: new: Config.Prefix %q: use letters, digits, _ and - only", cfg.Prefix)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Store{kv: kv, prefix: cfg.Prefix + ".", most: maxValue, log: cfg.Logger, closing: make(chan struct{})}
	status, err := kv.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("natsstore: new: bucket %s: %w", kv.Bucket(), fault.Read(typed(err)))
	}
	bucket := status.Config()
	if bucket.MaxValueSize > headerRoom {
		s.most = min(s.most, int(bucket.MaxValueSize)-headerRoom)
	}
	if bucket.TTL > 0 {
		s.log.Warn("the bucket forgets values that are not saved again in time", "bucket", kv.Bucket(), "ttl", bucket.TTL)
	}
	if bucket.Storage == jetstream.MemoryStorage {
		s.log.Warn("the bucket keeps values in memory: a restart of its servers loses them", "bucket", kv.Bucket())
	}
	return s, nil
}

// Load returns the value of key. It waits half a second for a server that does
// not know yet who answers for the bucket, and for a replica that does not have
// yet what this store saved or loaded.
func (s *Store) Load(ctx context.Context, key string) (kvstore.Item, error) {
	it, err := call(ctx, s, key, kvstore.ErrUnavailable, func() (kvstore.Item, error) { return s.load(ctx, key) })
	if err != nil {
		return kvstore.Item{}, fmt.Errorf("natsstore: load %.300q: %w", key, err)
	}
	return it, nil
}

func (s *Store) load(ctx context.Context, key string) (kvstore.Item, error) {
	for start := time.Now(); ; {
		it, err := s.get(ctx, key)
		found := err == nil
		// The servers learn one by one who answers for a new bucket or leader.
		if errors.Is(err, nats.ErrNoResponders) && time.Since(start) < staleMost {
			if pause(ctx) == nil {
				continue
			}
		}
		if !found && !errors.Is(err, kvstore.ErrNotFound) {
			return kvstore.Item{}, err
		}
		known := s.seen.get(key)
		rev := uint64(it.Rev)
		if found && rev >= known.rev || !found && (known.gone || known.rev == 0) {
			s.seen.note(key, sight{rev: rev})
			return it, err
		}
		if time.Since(start) < staleMost {
			if err := pause(ctx); err != nil {
				return kvstore.Item{}, err
			}
			continue
		}
		if found {
			s.log.Warn("the bucket lost saves: it has an older value than it had", "bucket", s.kv.Bucket(),
				"key", key, "revision", rev, "had", known.rev)
			s.seen.replace(key, sight{rev: rev})
		} else {
			s.seen.replace(key, sight{rev: known.rev, gone: true}) // by somebody else
		}
		return it, err
	}
}

// get reads the value of key from any replica.
func (s *Store) get(ctx context.Context, key string) (kvstore.Item, error) {
	entry, err := s.kv.Get(ctx, s.name(key))
	if err != nil {
		return kvstore.Item{}, fault.Read(typed(err))
	}
	return kvstore.Item{Value: entry.Value(), Rev: kvstore.Revision(entry.Revision())}, nil
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(staleWait):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: no replica has the newest value: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
}

// Save stores value if the revision of key is still prev.
func (s *Store) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	if len(value) > s.most {
		return 0, fmt.Errorf("natsstore: save %.300q: %w: %d bytes, the most is %d", key, kvstore.ErrTooLarge, len(value), s.most)
	}
	value = bytes.Clone(value) // the message may outlive this call
	rev, err := call(ctx, s, key, kvstore.ErrUnknown, func() (kvstore.Revision, error) {
		return s.save(ctx, key, value, uint64(prev))
	})
	if err != nil {
		return 0, fmt.Errorf("natsstore: save %.300q: %w", key, err)
	}
	return rev, nil
}

func (s *Store) save(ctx context.Context, key string, value []byte, prev uint64) (kvstore.Revision, error) {
	var rev uint64
	var err error
	if prev == 0 {
		rev, err = s.create(ctx, key, value)
	} else {
		rev, err = decided(ctx, func() (uint64, error) { return s.kv.Update(ctx, s.name(key), value, prev) })
	}
	if err != nil {
		err = typed(err)
		if errors.Is(err, kvstore.ErrConflict) && prev > 0 {
			s.seen.note(key, sight{rev: prev + 1}) // at least; the next Load waits for it
		}
		return 0, err
	}
	s.seen.note(key, sight{rev: rev})
	return kvstore.Revision(rev), nil
}

// create saves a key that does not exist. Over a deleted one it needs the
// revision of the deletion, which a replica that is behind does not know yet: as
// long as none shows a newer value than the deletion, it tries again.
func (s *Store) create(ctx context.Context, key string, value []byte) (uint64, error) {
	for start := time.Now(); ; {
		rev, err := decided(ctx, func() (uint64, error) { return s.kv.Create(ctx, s.name(key), value) })
		known := s.seen.get(key)
		if err == nil || !known.gone || time.Since(start) > staleMost || !errors.Is(typed(err), kvstore.ErrConflict) {
			return rev, err
		}
		it, loadErr := s.get(ctx, key)
		if loadErr == nil && uint64(it.Rev) >= known.rev {
			return 0, err
		}
		if pause(ctx) != nil {
			return 0, err
		}
	}
}

// decided sends a message until the leader decides about it. While another one
// for the same key is under way, and a moment after that was acknowledged, the
// leader refuses it as if it had lost: nothing is stored, and nothing decided.
func decided(ctx context.Context, send func() (uint64, error)) (uint64, error) {
	for start := time.Now(); ; {
		rev, err := send()
		if !undecided(err) || time.Since(start) > staleMost || pause(ctx) != nil {
			return rev, err
		}
	}
}

// Delete removes key if its revision is still prev. The bucket keeps a marker.
func (s *Store) Delete(ctx context.Context, key string, prev kvstore.Revision) error {
	_, err := call(ctx, s, key, kvstore.ErrUnknown, func() (struct{}, error) {
		return struct{}{}, s.remove(ctx, key, uint64(prev))
	})
	if err != nil {
		return fmt.Errorf("natsstore: delete %.300q: %w", key, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string, prev uint64) error {
	err := kvstore.ErrConflict
	if prev > 0 { // zero would delete whatever is there
		_, err = decided(ctx, func() (uint64, error) {
			return 0, s.kv.Delete(ctx, s.name(key), jetstream.LastRevision(prev))
		})
		if err == nil {
			s.seen.note(key, sight{rev: prev + 1, gone: true})
			return nil
		}
		err = typed(err)
	}
	if errors.Is(err, kvstore.ErrConflict) { // or there is no such key
		if _, loadErr := s.load(ctx, key); loadErr != nil {
			return loadErr
		}
	}
	return err
}

// Describe names the bucket.
func (s *Store) Describe() kvstore.Info {
	return kvstore.Info{
		Engine:            "nats",
		Location:          s.kv.Bucket(),
		MaxValue:          s.most,
		Shared:            true,
		SuggestedInterval: 5 * time.Second,
	}
}

// Close ends the watches and waits for the calls under way, until ctx ends, ten
// seconds at most. An ErrUnknown says that some still wait for the server. The
// connection is left open.
func (s *Store) Close(ctx context.Context) error {
	s.once.Do(func() { close(s.closing) })
	if err := s.calls.Close(ctx); err != nil {
		return fmt.Errorf("natsstore: close: %w", err)
	}
	return nil
}

func (s *Store) name(key string) string { return s.prefix + escape(key) }

// call runs op, on a goroutine that is left when ctx ends: the error then wraps
// left.
func call[T any](ctx context.Context, s *Store, key string, left error, op func() (T, error)) (T, error) {
	if len(key) > kvstore.MaxKey {
		var none T
		return none, fmt.Errorf("%w: the key has %d bytes, the most is %d", kvstore.ErrTooLarge, len(key), kvstore.MaxKey)
	}
	return inflight.Do(ctx, &s.calls, left, op)
}
