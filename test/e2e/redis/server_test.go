package redis

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/kvstore/redisstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a Redis of this test, in a directory of its own.
type server struct {
	addr string
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// start runs a server with these settings until the test ends. It keeps nothing
// on disk unless the settings say so.
func start(t *testing.T, settings ...string) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		const missing = "NOT TESTED: redis-server is missing; as root: apt-get install -y --no-install-recommends redis-server"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	port := freePort(t)
	s := &server{addr: fmt.Sprintf("127.0.0.1:%d", port)}
	s.args = append([]string{
		path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--daemonize", "no",
	}, settings...)
	s.run(t)
	t.Cleanup(func() {
		s.kill(t)
		if t.Failed() {
			t.Logf("server:\n%s", &s.log)
		}
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run starts the process and waits until it answers anything.
func (s *server) run(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "the server listens", func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	defer client.Close()
	within(t, 20*time.Second, "the server answers", func() bool {
		err := client.Ping(context.Background()).Err()
		return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
	})
}

// kill ends the process with -9, if it still lives.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Errorf("kill: %v", err)
	}
	_ = s.cmd.Wait() // it says that the process was killed
	s.cmd = nil
}

func (s *server) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// within polls for a condition.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// dial returns a client that is closed with the test.
func dial(t *testing.T, opt redis.Options) *redis.Client {
	t.Helper()
	client := redis.NewClient(&opt)
	t.Cleanup(func() { client.Close() })
	return client
}

func (s *server) client(t *testing.T) *redis.Client {
	t.Helper()
	return dial(t, redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
}

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
