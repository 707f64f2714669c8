package terminal

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
)

// guard waits for signals: the first one ends the work, the second the process.
type guard struct {
	run    *oneRun
	cancel context.CancelCauseFunc
	exit   func(int)
	first  chan struct{} // closed by the first signal
	got    atomic.Pointer[os.Signal]
}

func newGuard(r *oneRun, cancel context.CancelCauseFunc, exit func(int)) *guard {
	return &guard{run: r, cancel: cancel, exit: exit, first: make(chan struct{})}
}

// signal returns the first one, nil while there was none.
func (g *guard) signal() os.Signal {
	if s := g.got.Load(); s != nil {
		return *s
	}
	return nil
}

// watch handles signals until stop, which waits.
func (g *guard) watch(signals <-chan os.Signal) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 1; n <= 2; n++ {
			select {
			case s := <-signals:
				if n == 1 {
					g.drain(s)
				} else {
					g.abort()
				}
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-ended })
}

func (g *guard) drain(s os.Signal) {
	g.got.Store(&s)
	g.run.Logger.Warn(fmt.Sprintf("stopping: finishing %s in flight, then saving; press Ctrl-C again to abort",
		view.Counted(g.run.st.Snapshot().InFlight, "request", "requests")), "signal", s.String())
	g.cancel(Interrupted{s})
	close(g.first)
}

// abort is the last thing that the process does, so it waits for nothing: what
// holds the terminal or the statistics may be what hangs.
func (g *guard) abort() {
	lost := g.lost()
	_ = g.run.Line.Close()
	g.run.Logger.Error("aborted: " + lost)
	g.exit(ExitInterrupted)
}

// lost says what nobody will know of.
func (g *guard) lost() string {
	flying := "given up in flight: " + view.Counted(g.run.st.Snapshot().InFlight, "request", "requests")
	switch h := g.run.st.Health(); {
	case !h.Persisting:
		return "the statistics were in memory only and are lost; " + flying
	case h.LastSave.IsZero():
		return "nothing had been saved yet, all of this run is lost; " + flying
	default:
		return fmt.Sprintf("what was counted since the last save, %s ago, is lost; %s", view.Duration(h.Age.Truncate(time.Second)), flying)
	}
}
