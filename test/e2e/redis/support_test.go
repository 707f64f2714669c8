package redis

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// open returns a store that is closed with the test, before its client.
func open(t *testing.T, client redis.UniversalClient, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	st, err := redisstore.New(client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return st
}

// proxy stands between a client and the server. It can close a connection instead
// of passing on what the server answers.
type proxy struct {
	addr string
	lose atomic.Bool // the next answer
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			wg.Go(func() { p.pass(upstream, client, false) })
			wg.Go(func() { p.pass(client, upstream, true) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return p
}

// pass copies from one connection to the other until one ends.
func (p *proxy) pass(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || answers && p.lose.Swap(false) {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
