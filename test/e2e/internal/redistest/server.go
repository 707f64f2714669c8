// Package redistest starts Redis servers for tests.
//
// # Concurrency
//
// A Server belongs to the goroutine of its test.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// Server is a Redis of one test, in a directory of its own.
type Server struct {
	Addr string
	Dir  string // what it keeps on disk
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// Start runs a server with these settings until the test ends. It keeps nothing
// on disk unless the settings say so.
func Start(t *testing.T, settings ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		const missing = "NOT TESTED: redis-server is missing; as root: apt-get install -y --no-install-recommends redis-server"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	number := port.Free(t)
	s := &Server{Addr: fmt.Sprintf("127.0.0.1:%d", number), Dir: t.TempDir()}
	s.args = append([]string{
		path, "--port", strconv.Itoa(number), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "", "--daemonize", "no",
	}, settings...)
	s.Run(t)
	t.Cleanup(func() {
		s.Kill(t)
		if t.Failed() {
			t.Logf("server:\n%s", &s.log)
		}
	})
	return s
}

// Run starts the process and waits until it answers anything.
func (s *Server) Run(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait.For(t, 30*time.Second, "the server listens", func() bool {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	defer client.Close()
	wait.For(t, 30*time.Second, "the server answers", func() bool {
		err := client.Ping(context.Background()).Err()
		return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
	})
}

// Kill ends the process with -9, if it still lives.
func (s *Server) Kill(t *testing.T) {
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

// Signal sends a signal to the process.
func (s *Server) Signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Client returns a client with deadlines that hold, closed with the test.
func (s *Server) Client(t *testing.T) *redis.Client {
	t.Helper()
	return Dial(t, redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true})
}

// Dial returns a client that is closed with the test.
func Dial(t *testing.T, opt redis.Options) *redis.Client {
	t.Helper()
	client := redis.NewClient(&opt)
	t.Cleanup(func() { client.Close() })
	return client
}
