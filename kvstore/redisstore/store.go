package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
	"github.com/crawlstats/crawlstats/kvstore/internal/inflight"
)

// Config says where on the server a Store keeps its keys.
type Config struct {
	// Prefix keeps the keys of this store apart from all others: the key k is
	// {Prefix}:k on the server. It may have no braces. Default "crawlstats".
	Prefix string
	// Logger hears of an eviction policy that would lose values. Default
	// slog.Default().
	Logger *slog.Logger
}

const maxValue = 512 << 10

// Store is a kvstore.Store on a Redis or Valkey server or cluster. It implements
// Lister and Describer.
type Store struct {
	client   redis.UniversalClient
	space    keyspace
	log      *slog.Logger
	location string
	greeted  atomic.Bool // the eviction policy was asked for
	calls    inflight.Group
}

// New returns a store on the server or cluster of client. It does not talk to
// it: the first call does. Errors are those of the arguments.
func New(client redis.UniversalClient, cfg Config) (*Store, error) {
	if cfg.Prefix == "" {
		cfg.Prefix = "crawlstats"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Store{client: client, space: newKeyspace(cfg.Prefix), log: cfg.Logger}
	switch c := client.(type) {
	case nil:
		return nil, errors.New("redisstore: new: the client is nil: make one with redis.NewClient")
	case *redis.Ring:
		return nil, errors.New("redisstore: new: a redis.Ring moves keys between servers: use a redis.Client or redis.ClusterClient")
	case *redis.Client:
		s.location = fmt.Sprintf("%s/%d", c.Options().Addr, c.Options().DB)
	case *redis.ClusterClient:
		s.location = strings.Join(c.Options().Addrs, ",")
	}
	if strings.ContainsAny(cfg.Prefix, "{}") {
		return nil, fmt.Errorf("redisstore: new: Config.Prefix %q has a brace: the cluster takes what stands in braces for the place of the key", cfg.Prefix)
	}
	return s, nil
}

// Load returns the value of key.
func (s *Store) Load(ctx context.Context, key string) (kvstore.Item, error) {
	it, err := call(ctx, s, key, kvstore.ErrUnavailable, func() (kvstore.Item, error) { return s.load(ctx, key) })
	if err != nil {
		return kvstore.Item{}, fmt.Errorf("redisstore: load %.300q: %w", key, err)
	}
	return it, nil
}

func (s *Store) load(ctx context.Context, key string) (kvstore.Item, error) {
	reply, err := loadScript.run(ctx, s.client, []string{s.space.key(key)})
	if err != nil {
		return kvstore.Item{}, fault.Read(err)
	}
	row, _ := reply.([]any)
	switch {
	case len(row) == 2 && row[0] == formatRevision(0):
		return kvstore.Item{}, kvstore.ErrNotFound
	case len(row) == 2:
		text, _ := row[0].(string)
		value, ok := row[1].(string)
		if rev, err := parseRevision(text); ok && err == nil {
			return kvstore.Item{Value: []byte(value), Rev: rev}, nil
		}
	}
	return kvstore.Item{}, fmt.Errorf("%w: %q on the server is not what was saved: see what writes it, or choose another Config.Prefix",
		kvstore.ErrCorrupt, s.space.key(key))
}

// Save stores value if the revision of key is still prev.
func (s *Store) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	if len(value) > maxValue {
		return 0, fmt.Errorf("redisstore: save %.300q: %w: %d bytes, the most is %d", key, kvstore.ErrTooLarge, len(value), maxValue)
	}
	value = bytes.Clone(value) // the command may outlive this call
	rev := newRevision()
	_, err := call(ctx, s, key, kvstore.ErrUnknown, func() (struct{}, error) {
		keys := []string{s.space.key(key), s.space.damaged(key, rev)}
		return struct{}{}, s.write(ctx, saveScript, keys, formatRevision(prev), formatRevision(rev), value)
	})
	if err != nil {
		return 0, fmt.Errorf("redisstore: save %.300q: %w", key, err)
	}
	return rev, nil
}

// Delete removes key if its revision is still prev.
func (s *Store) Delete(ctx context.Context, key string, prev kvstore.Revision) error {
	_, err := call(ctx, s, key, kvstore.ErrUnknown, func() (struct{}, error) {
		return struct{}{}, s.write(ctx, deleteScript, []string{s.space.key(key)}, formatRevision(prev))
	})
	if err != nil {
		return fmt.Errorf("redisstore: delete %.300q: %w", key, err)
	}
	return nil
}

// write runs a script that answers with a word.
func (s *Store) write(ctx context.Context, sc script, keys []string, args ...any) error {
	reply, err := sc.run(ctx, s.client, keys, args...)
	switch {
	case err != nil:
		return err
	case reply == "done":
		return nil
	case reply == "none":
		return kvstore.ErrNotFound
	case reply == "conflict":
		return kvstore.ErrConflict
	}
	return fmt.Errorf("%w: the server answered %.100q to a script", kvstore.ErrUnknown, fmt.Sprint(reply))
}

// List yields the keys that start with prefix. A key that is saved or deleted
// meanwhile may be missing or present. It walks over every key of the logical
// database, a thousand in a step, so give the statistics a database of their own
// where others keep millions.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := make(map[string]bool) // the server may name a key twice
		for cursor := "0"; ; {
			page, err := call(ctx, s, prefix, kvstore.ErrUnavailable, func() (page, error) { return s.scan(ctx, cursor, prefix) })
			if err != nil {
				yield("", fmt.Errorf("redisstore: list %.300q: %w", prefix, err))
				return
			}
			for _, key := range page.keys {
				if seen[key] {
					continue
				}
				seen[key] = true
				if !yield(key, nil) {
					return
				}
			}
			if page.next == "0" {
				return
			}
			cursor = page.next
		}
	}
}

// page is one step of a List.
type page struct {
	keys []string
	next string // cursor; "0" ends
}

func (s *Store) scan(ctx context.Context, cursor, prefix string) (page, error) {
	reply, err := scanScript.run(ctx, s.client, []string{s.space.key("")}, cursor, s.space.pattern(prefix))
	if err != nil {
		return page{}, fault.Read(err)
	}
	pair, _ := reply.([]any)
	if len(pair) != 2 {
		return page{}, fmt.Errorf("%w: the server answered %.100q to SCAN", kvstore.ErrUnavailable, fmt.Sprint(reply))
	}
	names, _ := pair[1].([]any)
	p := page{next: fmt.Sprint(pair[0])}
	for _, name := range names {
		p.keys = append(p.keys, strings.TrimPrefix(fmt.Sprint(name), s.space.key("")))
	}
	return p, nil
}

// Describe names the address of the server.
func (s *Store) Describe() kvstore.Info {
	return kvstore.Info{
		Engine:            "redis",
		Location:          s.location,
		MaxValue:          maxValue,
		Shared:            true,
		SuggestedInterval: 5 * time.Second,
	}
}

// Close waits for the calls under way, until ctx ends, ten seconds at most. An
// ErrUnknown says that some still wait for the server. The client is left open.
func (s *Store) Close(ctx context.Context) error {
	if err := s.calls.Close(ctx); err != nil {
		return fmt.Errorf("redisstore: close: %w", err)
	}
	return nil
}

// call runs op, on a goroutine that is left when ctx ends: the error then wraps
// left. Before the first one it asks for the eviction policy.
func call[T any](ctx context.Context, s *Store, key string, left error, op func() (T, error)) (T, error) {
	if len(key) > kvstore.MaxKey {
		var none T
		return none, fmt.Errorf("%w: the key has %d bytes, the most is %d", kvstore.ErrTooLarge, len(key), kvstore.MaxKey)
	}
	return inflight.Do(ctx, &s.calls, left, func() (T, error) {
		if err := s.greet(ctx); err != nil {
			var none T
			return none, err
		}
		return op()
	})
}
