package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// Exit codes of [Run].
const (
	ExitOK          = 0
	ExitFailure     = 1   // the work or the last save failed
	ExitInterrupted = 130 // by Ctrl-C or SIGTERM; the state is saved, unless a second one came
)

// RunConfig says how [Run] talks. Its zero value logs, and writes the summary to
// os.Stderr.
type RunConfig struct {
	// Line shows the progress while the work runs, and is closed by Run. Default
	// nil: no line.
	Line *logging.Progress
	// Logger tells of signals and failures. Default logging.New(Line), or
	// logging.Default() without one.
	Logger *slog.Logger
	// Summary is where the summary goes. Default Line, or os.Stderr without one.
	Summary io.Writer
	// DrainTimeout is how long the work may take to end after the first signal.
	// Then it is left behind, and what it has counted is saved. Default 10 s.
	DrainTimeout time.Duration
	// SavedTo and Report say in the summary where the state and the report are.
	SavedTo, Report string
}

// Interrupted is the cause of the end of the context that Run gives to the work.
type Interrupted struct{ Signal os.Signal }

// Error names the signal.
func (i Interrupted) Error() string { return "stopped by signal: " + i.Signal.String() }

// Run calls work, closes st, writes the summary and returns the exit code of the
// program.
//
// The first SIGINT (Ctrl-C) or SIGTERM ends the context of work, whose cause is
// then [Interrupted]. Work should finish the requests in flight and return; that
// it has been interrupted is no failure. The second one clears the line, says what
// is lost, and ends the process with [ExitInterrupted] at once, or after a second
// when the terminal or the log takes no text. When Run returns, signals have the
// effect again that they had before.
//
// St is closed before Run returns, so its Store and its Bus can be closed after
// it. A panic of work goes on in Run once the state is saved. Do not set
// Config.Signals of package events/local beside it: both would handle the signal.
func Run(ctx context.Context, st *stats.Statistics, cfg RunConfig, work func(ctx context.Context) error) (code int) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	return newRun(st, cfg).run(ctx, signals, os.Exit, work)
}

// oneRun is one call of Run.
type oneRun struct {
	RunConfig
	st *stats.Statistics
}

func newRun(st *stats.Statistics, cfg RunConfig) *oneRun {
	if cfg.Logger == nil {
		cfg.Logger = logging.Default()
		if cfg.Line != nil {
			cfg.Logger = logging.New(cfg.Line)
		}
	}
	if cfg.Summary == nil {
		cfg.Summary = os.Stderr
		if cfg.Line != nil {
			cfg.Summary = cfg.Line
		}
	}
	if cfg.DrainTimeout <= 0 {
		cfg.DrainTimeout = 10 * time.Second
	}
	return &oneRun{cfg, st}
}

func (r *oneRun) run(ctx context.Context, signals <-chan os.Signal, exit func(int), work func(context.Context) error) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hideLine := func() {}
	if r.Line != nil {
		hideLine = r.Line.Show(lineEvery, Line(r.st))
	}
	g := newGuard(r, cancel, exit)
	stopGuard := g.watch(signals)
	defer stopGuard()

	o := r.await(work, ctx, g)
	saved := r.st.Close() // with the guard still there: a second signal does not wait for the store
	// Nothing is said before all is saved: the terminal may be what hangs.
	g.settle()
	if o.late {
		r.Logger.Warn("the requests in flight took too long and were left behind",
			"in_flight", r.st.Snapshot().InFlight, "waited", r.DrainTimeout.String())
	}
	hideLine()
	_ = r.Line.Close() // returns nil always
	if o.panicked != nil {
		stopGuard()
		panic(fmt.Sprintf("%v\n\n%s", o.panicked, o.stack))
	}
	return r.sumUp(o.err, saved, g.signal())
}

// outcome is how the work ended.
type outcome struct {
	err      error
	late     bool // it has not
	panicked any
	stack    []byte
}

// await runs the work until it ends, or DrainTimeout after the first signal.
func (r *oneRun) await(work func(context.Context) error, ctx context.Context, g *guard) outcome { //nolint:revive // ctx is the argument of work
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: errors.New("the work ended its goroutine and not its function")}
		defer func() {
			if o.panicked = recover(); o.panicked != nil {
				o.stack = debug.Stack()
			}
			done <- o
		}()
		o.err = work(ctx)
	}()
	select {
	case o := <-done:
		return o
	case <-g.first:
	}
	drain := time.NewTimer(r.DrainTimeout)
	defer drain.Stop()
	select {
	case o := <-done:
		return o
	case <-drain.C:
		return outcome{err: context.Cause(ctx), late: true}
	}
}

// sumUp writes the summary and returns the exit code.
func (r *oneRun) sumUp(failed, saved error, sig os.Signal) int {
	savedTo := r.SavedTo
	if saved != nil {
		savedTo = ""
	}
	err := WriteSummary(r.Summary, r.st.Snapshot(), SummaryConfig{ID: r.st.ID(), SavedTo: savedTo, Report: r.Report})
	if err != nil {
		r.Logger.Warn("the summary could not be written", "error", err)
	}
	code := ExitOK
	switch {
	case sig != nil:
		code = ExitInterrupted
		if failed != nil && !errors.Is(failed, context.Canceled) && !errors.As(failed, new(Interrupted)) {
			r.Logger.Error("failed while it was stopping", "error", failed)
		}
	case failed != nil:
		r.Logger.Error("failed", "error", failed)
		code = ExitFailure
	}
	if saved != nil {
		r.Logger.Error("the statistics could not be saved for the last time", "error", saved)
		code = ExitFailure
	}
	return code
}
