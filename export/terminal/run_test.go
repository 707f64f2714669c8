package terminal

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// running is one Run with signals and an exit of its own.
type running struct {
	t       *testing.T
	store   kvstore.Store
	st      *stats.Statistics
	err     *screen
	signals chan os.Signal
	exits   chan int
	code    chan int
}

func start(t *testing.T, cfg RunConfig, work func(context.Context, *stats.Statistics) error) *running {
	t.Helper()
	r := &running{
		t: t, store: kvstore.NewMemory(), err: new(screen),
		signals: make(chan os.Signal, 2), exits: make(chan int, 1), code: make(chan int, 1),
	}
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: r.store, LogEvery: -1, LogInline: true, Logger: r.err.log()})
	if err != nil {
		t.Fatal(err)
	}
	r.st = st
	if cfg.Line == nil {
		cfg.Line = logging.NewProgress(r.err)
	}
	cfg.Logger, cfg.Summary = r.err.log(), r.err
	go func() {
		run := newRun(st, cfg)
		r.code <- run.run(t.Context(), r.signals, func(code int) { r.exits <- code }, func(ctx context.Context) error { return work(ctx, st) })
	}()
	return r
}

// says checks what was written, in this order.
func (r *running) says(parts ...string) {
	r.t.Helper()
	text := r.err.String()
	for _, p := range parts {
		_, after, found := strings.Cut(text, p)
		if !found {
			r.t.Errorf("no %q, at its place, in\n%s", p, r.err)
			return
		}
		text = after
	}
}

func (r *running) saved() stats.Snapshot {
	r.t.Helper()
	a, err := stats.Load(r.t.Context(), r.store, stats.Key("shop", ""))
	if err != nil {
		r.t.Error(err)
	}
	return a
}

func TestRunToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, RunConfig{SavedTo: "./state"}, func(_ context.Context, st *stats.Statistics) error {
			st.Observe(stats.Outcome{Duration: time.Millisecond})
			time.Sleep(time.Second)
			return nil
		})
		if code := <-r.code; code != ExitOK {
			t.Errorf("code %d", code)
		}
		r.says("shop  finished after 1s", "1 finished", "saved to ./state")
		if a := r.saved(); a.FinishedAt.IsZero() {
			t.Error("not closed")
		}
	})
}

func TestRunFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, RunConfig{}, func(context.Context, *stats.Statistics) error { return errors.New("no seeds") })
		if code := <-r.code; code != ExitFailure {
			t.Errorf("code %d", code)
		}
		r.says("no seeds")
	})
}

// TestFirstSignal: the work drains, all of it is saved, and the code is 130.
func TestFirstSignal(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, RunConfig{}, func(ctx context.Context, st *stats.Statistics) error {
					j, k := st.Begin(), st.Begin()
					<-ctx.Done()
					if cause := new(Interrupted); !errors.As(context.Cause(ctx), cause) || cause.Signal != sig {
						t.Errorf("the cause is %v", context.Cause(ctx))
					}
					time.Sleep(5 * time.Second) // what is in flight
					j.Finish()
					k.Finish()
					return ctx.Err()
				})
				time.Sleep(time.Minute)
				r.signals <- sig
				if code := <-r.code; code != ExitInterrupted {
					t.Errorf("code %d, want 130", code)
				}
				r.says("stopping: finishing 2 requests in flight, then saving; press Ctrl-C again to abort", "signal="+sig.String()[:3],
					"shop  finished after 1m 5s", "2 finished")
				if strings.Contains(r.err.String(), "level=ERROR") {
					t.Errorf("an interrupt is no error: %s", r.err)
				}
				if a := r.saved(); a.Finished != 2 || a.FinishedAt.IsZero() {
					t.Errorf("%d saved", a.Finished)
				}
			})
		})
	}
}

// TestDrainTimeout: work that does not end is left behind, and what it has
// counted is saved.
func TestDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		r := start(t, RunConfig{DrainTimeout: 3 * time.Second}, func(_ context.Context, st *stats.Statistics) error {
			st.Observe(stats.Outcome{})
			j := st.Begin()
			<-hang
			j.Finish()
			return nil
		})
		time.Sleep(time.Second)
		begun := time.Now()
		r.signals <- os.Interrupt
		if code := <-r.code; code != ExitInterrupted {
			t.Errorf("code %d", code)
		}
		if waited := time.Since(begun); waited < 3*time.Second || waited > 10*time.Second {
			t.Errorf("waited %v for the work, want 3 s", waited)
		}
		r.says("too long", "in_flight=1", "1 finished")
		if a := r.saved(); a.Finished != 1 || a.InFlight != 1 {
			t.Errorf("saved: %d finished, %d in flight", a.Finished, a.InFlight)
		}
		close(hang)
	})
}

// TestSecondSignal ends the process at once, whatever it is stuck in, and says
// what that costs.
func TestSecondSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		term := new(screen)
		line := logging.NewProgress(term, logging.ProgressAlways)
		r := start(t, RunConfig{Line: line}, func(_ context.Context, st *stats.Statistics) error {
			st.Observe(stats.Outcome{})
			j := st.Begin()
			<-hang
			j.Finish()
			return nil
		})
		time.Sleep(10 * time.Second)
		r.signals <- os.Interrupt
		time.Sleep(time.Second)
		begun := time.Now()
		r.signals <- os.Interrupt
		if code := <-r.exits; code != ExitInterrupted || time.Since(begun) > 0 {
			t.Errorf("exit %d after %v, want 130 at once", code, time.Since(begun))
		}
		r.says("stopping", "aborted: what was counted since the last save,", "ago, is lost; given up in flight: 1 request")
		if !strings.HasSuffix(term.String(), "\r\x1b[2K") {
			t.Errorf("the line stands: %q", term)
		}
		close(hang)
		<-r.code
	})
}

// TestPanic: the state is saved, and the panic goes on.
func TestPanic(t *testing.T) {
	store := kvstore.NewMemory()
	out := new(screen)
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, LogEvery: -1, Logger: out.log()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		p, _ := recover().(string)
		if !strings.HasPrefix(p, "boom") || !strings.Contains(p, "TestPanic") {
			t.Errorf("panicked with %q, want the one of the work and where it came from", p)
		}
		if a, err := stats.Load(context.Background(), store, stats.Key("shop", "")); err != nil || a.Finished != 1 {
			t.Errorf("%d finished were saved, %v", a.Finished, err)
		}
	}()
	Run(t.Context(), st, RunConfig{Logger: out.log(), Summary: out}, func(context.Context) error {
		st.Observe(stats.Outcome{})
		panic("boom")
	})
}

// TestSaveFails: a crawl whose state could not be saved has not succeeded.
func TestSaveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, RunConfig{SavedTo: "./state"}, func(ctx context.Context, st *stats.Statistics) error {
			<-ctx.Done()
			st.Observe(stats.Outcome{})
			return nil
		})
		time.Sleep(time.Second)
		r.store.Close(t.Context())
		r.signals <- os.Interrupt
		if code := <-r.code; code != ExitFailure {
			t.Errorf("code %d", code)
		}
		r.says("could not be saved")
		if strings.Contains(r.err.String(), "saved to") {
			t.Errorf("it says that it was saved:\n%s", r.err)
		}
	})
}
