package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
)

// This test binary plays the crawlers, too: roleEnv names the part.
const roleEnv = "CRAWLSTATS_TEST_ROLE"

func TestMain(m *testing.M) {
	role, child := roles[os.Getenv(roleEnv)]
	if !child {
		natstest.Main(m)
		return
	}
	if err := role(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// long picks the figure of the long form where it was asked for.
func long(short, long int) int {
	if os.Getenv("CRAWLSTATS_LONG") != "" {
		return long
	}
	return short
}

// engine names a running server, in a form that fits into an environment
// variable of a child.
type engine string

func redisEngine(s *redistest.Server) engine { return engine("redis " + s.Addr) }

func natsEngine(c *natstest.Cluster, bucket string) engine {
	return engine("nats " + c.URLs() + " " + bucket)
}

// open connects to the engine. What it returns closes the store and then its
// client.
func (e engine) open(ctx context.Context, log *slog.Logger) (st kvstore.Store, done func() error, err error) {
	words := strings.Fields(string(e))
	switch {
	case len(words) == 2 && words[0] == "redis":
		client := redis.NewClient(&redis.Options{Addr: words[1], ContextTimeoutEnabled: true})
		st, err = redisstore.New(client, redisstore.Config{Logger: log})
		done = client.Close
	case len(words) == 3 && words[0] == "nats":
		conn, err := natstest.Dial(words[1])
		if err != nil {
			return nil, nil, err
		}
		done = func() error { conn.Close(); return nil }
		js, err := jetstream.New(conn)
		if err != nil {
			return nil, done, err
		}
		kv, err := js.KeyValue(ctx, words[2])
		if err != nil {
			return nil, done, err
		}
		st, err = natsstore.New(ctx, kv, natsstore.Config{Logger: log})
		if err != nil {
			return nil, done, err
		}
	default:
		err = fmt.Errorf("no engine %q", e)
	}
	if err != nil {
		return nil, done, err
	}
	client := done
	return st, func() error {
		if err := st.Close(context.Background()); err != nil {
			return err
		}
		return client()
	}, nil
}

// store opens the engine for the test itself.
func (e engine) store(t *testing.T) kvstore.Store {
	t.Helper()
	st, done, err := e.open(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := done(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// onEachEngine runs a story on Redis and on a NATS cluster.
func onEachEngine(t *testing.T, story func(t *testing.T, e engine)) {
	t.Run("redis", func(t *testing.T) { story(t, redisEngine(redistest.Start(t))) })
	t.Run("nats", func(t *testing.T) {
		c := natstest.Start(t)
		story(t, natsEngine(c, natstest.Bucket(t, natstest.Connect(t, c.URLs())).Bucket()))
	})
}
