package terminal

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// stuck is a terminal that takes no text until it is free, like a pipe that
// nobody reads.
type stuck struct {
	once       sync.Once
	busy, free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.busy) })
	<-s.free
	return len(p), nil
}

// TestStuckTerminal: a signal does what it does when nothing can be said of it.
func TestStuckTerminal(t *testing.T) {
	for name, log := range map[string]*slog.Logger{"line and log": nil, "line": slog.New(slog.DiscardHandler)} {
		t.Run(name, func(t *testing.T) {
			term := &stuck{busy: make(chan struct{}), free: make(chan struct{})}
			line := logging.NewProgress(term, logging.ProgressAlways)
			signals, exits, code := make(chan os.Signal, 2), make(chan int, 1), make(chan int, 1)
			cancelled := make(chan struct{})
			r := newRun(stats.New(), RunConfig{Line: line, Logger: log})
			go func() {
				code <- r.run(t.Context(), signals, func(code int) { exits <- code }, func(ctx context.Context) error {
					<-ctx.Done()
					close(cancelled)
					<-term.free
					return nil
				})
			}()
			defer func() { close(term.free); <-code }()
			within(t, "the line is stuck", term.busy)
			signals <- os.Interrupt
			within(t, "the first signal ends the work", cancelled)
			signals <- os.Interrupt
			if code := within(t, "the second signal ends the process", exits); code != ExitInterrupted {
				t.Errorf("exit %d", code)
			}
		})
	}
}

// TestStuckTerminalSaves: saving waits for nothing to be said either.
func TestStuckTerminalSaves(t *testing.T) {
	term := &stuck{busy: make(chan struct{}), free: make(chan struct{})}
	line := logging.NewProgress(term, logging.ProgressAlways)
	store := kvstore.NewMemory()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, LogEvery: -1, Logger: logging.New(line)})
	if err != nil {
		t.Fatal(err)
	}
	signals, code := make(chan os.Signal, 2), make(chan int, 1)
	r := newRun(st, RunConfig{Line: line, DrainTimeout: time.Millisecond})
	go func() {
		code <- r.run(t.Context(), signals, nil, func(context.Context) error {
			<-term.free
			return nil
		})
	}()
	defer func() { close(term.free); <-code }()
	within(t, "the line is stuck", term.busy)
	signals <- os.Interrupt
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if a, err := stats.Load(t.Context(), store, stats.Key("shop", "")); err == nil && !a.FinishedAt.IsZero() {
			return
		}
		if time.Now().After(end) {
			t.Fatal("not saved in 20 s")
		}
	}
}

// slow takes its time over a record.
type slow struct{ *screen }

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(time.Second)
	return s.screen.Write(p)
}

// TestAnnouncedFirst: that the run is stopping stands above its summary.
func TestAnnouncedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(screen)
		signals := make(chan os.Signal, 1)
		signals <- os.Interrupt
		r := newRun(stats.New(), RunConfig{Logger: slog.New(slog.NewTextHandler(slow{out}, nil)), Summary: out})
		r.run(t.Context(), signals, nil, func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		})
		before, _, found := strings.Cut(out.String(), "finished after")
		if !found || !strings.Contains(before, "stopping: finishing 0 requests") {
			t.Errorf("wrote\n%s", out)
		}
	})
}

func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("not in 20 s: %s", what)
	}
	return v
}

func TestSecondSignalInMemory(t *testing.T) {
	g := newGuard(newRun(stats.New(), RunConfig{Logger: new(screen).log(), Summary: new(screen)}), nil, nil)
	if lost := g.lost(); !strings.Contains(lost, "in memory only") {
		t.Error(lost)
	}
}
