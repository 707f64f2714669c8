// Package redistest starts Redis servers for tests.
//
// # Concurrency
//
// A Server belongs to the goroutine of its test.
package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// Server is a Redis of one test, in a directory of its own.
type Server struct {
	Addr string
	Dir  string // what it keeps on disk
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer // read it after the end of the process

	ended <-chan struct{} // closed when the process has ended
}

// Start runs a server with these settings until the test ends. It keeps nothing
// on disk unless the settings say so.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	path := tool.Program(t, "redis-server", "redis-server")
	s := &Server{Dir: t.TempDir()}
	t.Cleanup(func() {
		s.Kill(t)
		if t.Failed() {
			t.Logf("server:\n%s", &s.log)
		}
	})
	for range 5 { // a server of a cluster needs a second port, which may be taken
		number := port.Free(t)
		s.Addr = fmt.Sprintf("127.0.0.1:%d", number)
		s.args = append([]string{
			path, "--port", strconv.Itoa(number), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "", "--daemonize", "no",
		}, settings...)
		if s.run(t) {
			return s
		}
	}
	t.Fatalf("the server does not stay up on any port")
	return nil
}

// Run starts the process again and waits until it answers anything.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	if !s.run(t) {
		t.Fatalf("the server ended at once")
	}
}

// run reports whether the process answers; false: it has ended.
func (s *Server) run(t testing.TB) (up bool) {
	t.Helper()
	s.cmd = exec.CommandContext(context.Background(), s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it says that the process was killed
	}()
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	defer func() { _ = client.Close() }()
	wait.For(t, 30*time.Second, "the server answers or ends", func() bool {
		err := client.Ping(context.Background()).Err()
		up = err == nil || redis.HasErrorPrefix(err, "NOAUTH")
		select {
		case <-ended: // who answers there is another
			up = false
			return true
		default:
			return up
		}
	})
	return up
}

// Kill ends the process with -9, if it still lives.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("kill: %v", err)
	}
	<-s.ended
	s.cmd = nil
}

// Signal sends a signal to the process.
func (s *Server) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Client returns a client with deadlines that hold, closed with the test.
func (s *Server) Client(t testing.TB) *redis.Client {
	t.Helper()
	return Dial(t, redis.Options{Addr: s.Addr, ContextTimeoutEnabled: true})
}

// Dial returns a client that is closed with the test.
func Dial(t testing.TB, opt redis.Options) *redis.Client {
	t.Helper()
	client := redis.NewClient(&opt)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
