package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
)

func fromStore(arg string, st kvstore.Store, close ...func(context.Context) error) *Source {
	return &Source{Arg: arg, Store: st, close: append([]func(context.Context) error{st.Close}, close...)}
}

// openDirectory opens a directory by its layout; engine says which one is meant
// where the user does.
func openDirectory(ctx context.Context, dir, engine string, o Options, write bool) (*Source, error) {
	if engine == "" {
		var err error
		if engine, err = layoutOf(dir); err != nil {
			return nil, err
		}
	}
	if engine == "" && write {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%w: %s is not empty and holds no store: choose another directory", ErrUsage, dir)
		}
		engine = "badger"
	}
	switch {
	case engine == "":
		return nil, fmt.Errorf("%w: %s is a directory, but no store of badgerstore or kvstore.OpenDir", ErrNothing, dir)
	case engine == "dir":
		_, err := os.Stat(dir)
		switch {
		case write || err == nil:
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: %w", ErrNothing, err)
		default:
			return nil, err
		}
		st, err := kvstore.OpenDir(dir)
		if err != nil {
			return nil, err
		}
		return fromStore(dir, st), nil
	case write:
		st, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: o.Logger})
		if err != nil {
			return nil, err
		}
		return ours(ctx, fromStore(dir, st))
	}
	st, err := badgerstore.OpenCopy(badgerstore.Config{Dir: dir, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	s := fromStore(dir, st)
	s.Damage, s.Gone = s.advise(st.Damage()), st.Idle()
	return s, nil
}

// layoutOf returns the engine whose files are in dir, "" when none is known.
func layoutOf(dir string) (string, error) {
	for _, name := range []string{"badger", "last-good"} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case err == nil && info.IsDir():
			return "badger", nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", err // nobody can say that there is nothing
		}
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".kv" {
			return "dir", nil
		}
	}
	return "", err
}

const lockPatience = 300 * time.Millisecond

// ours gives up on a directory that another process has, for that may take days.
func ours(ctx context.Context, s *Source) (*Source, error) {
	short, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if _, err := s.Store.Load(short, "\x00"); errors.Is(err, kvstore.ErrLocked) {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// openRedis takes a URL of go-redis, and the prefix of the store as a parameter.
func openRedis(arg string, o Options) (*Source, error) {
	u, prefix, err := parse(arg)
	if err != nil {
		return nil, err
	}
	opt, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUsage, u.Redacted(), err)
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	st, err := redisstore.New(client, redisstore.Config{Prefix: prefix, Logger: o.Logger})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return fromStore(u.Redacted(), st, func(context.Context) error { return client.Close() }), nil
}

// openNATS takes nats://HOST:PORT/BUCKET.
func openNATS(ctx context.Context, arg string, o Options) (*Source, error) {
	u, prefix, err := parse(arg)
	if err != nil {
		return nil, err
	}
	bucket := strings.Trim(u.Path, "/")
	if bucket == "" {
		return nil, fmt.Errorf("%w: %s names no bucket: nats://HOST:PORT/BUCKET", ErrUsage, u.Redacted())
	}
	u.Path, u.RawQuery = "", ""
	conn, err := nats.Connect(u.String(), nats.Name("crawlstats"), nats.MaxReconnects(0))
	if err != nil {
		return nil, fmt.Errorf("%w: connect to %s: %w", kvstore.ErrUnavailable, u.Redacted(), err)
	}
	fail := func(err error) (*Source, error) { conn.Close(); return nil, err }
	js, err := jetstream.New(conn)
	if err != nil {
		return fail(err)
	}
	kv, err := js.KeyValue(ctx, bucket)
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound):
		return fail(fmt.Errorf("%w: %s has no bucket %q: %w", ErrNothing, u.Redacted(), bucket, err))
	case err != nil:
		return fail(fmt.Errorf("%w: bucket %q of %s: %w", kvstore.ErrUnavailable, bucket, u.Redacted(), err))
	}
	st, err := natsstore.New(ctx, kv, natsstore.Config{Prefix: prefix, Logger: o.Logger})
	if err != nil {
		return fail(err)
	}
	return fromStore(u.Redacted()+"/"+bucket, st, func(context.Context) error { conn.Close(); return nil }), nil
}

// parse takes the parameter prefix out of a URL.
func parse(arg string) (u *url.URL, prefix string, err error) {
	u, err = url.Parse(arg)
	if err != nil {
		if e := new(url.Error); errors.As(err, &e) {
			err = e.Err // the URL may hold a password
		}
		return nil, "", fmt.Errorf("%w: not a URL: %w", ErrUsage, err)
	}
	q := u.Query()
	prefix = q.Get("prefix")
	q.Del("prefix")
	u.RawQuery = q.Encode()
	return u, prefix, nil
}
