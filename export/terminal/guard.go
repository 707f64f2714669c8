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

// lastWords is how long the process stays to say what is lost.
const lastWords = time.Second

// guard waits for signals: the first one ends the work, the second the process.
type guard struct {
	run       *oneRun
	cancel    context.CancelCauseFunc
	exit      func(int)
	first     chan struct{} // closed by the first signal
	announced chan struct{} // closed when the log tells of it
	got       atomic.Pointer[os.Signal]
}

func newGuard(r *oneRun, cancel context.CancelCauseFunc, exit func(int)) *guard {
	return &guard{run: r, cancel: cancel, exit: exit, first: make(chan struct{}), announced: make(chan struct{})}
}

// signal returns the first one, nil while there was none.
func (g *guard) signal() os.Signal {
	if s := g.got.Load(); s != nil {
		return *s
	}
	return nil
}

// watch handles signals until stop, which waits. It does not drain itself: what
// hangs may be the terminal, and the second signal must still be heard.
func (g *guard) watch(signals <-chan os.Signal) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var s os.Signal
		select {
		case s = <-signals:
		case <-done:
			return
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			g.drain(s)
			<-done
		}()
		select {
		case <-signals:
			g.abort()
		case <-over:
		}
	}()
	return sync.OnceFunc(func() { close(done); <-ended })
}

func (g *guard) drain(s os.Signal) {
	defer close(g.announced)
	g.got.Store(&s)
	flying := g.run.st.Snapshot().InFlight
	g.cancel(Interrupted{s})
	close(g.first)
	g.run.Logger.Warn(fmt.Sprintf("stopping: finishing %s in flight, then saving; press Ctrl-C again to abort",
		view.Counted(flying, "request", "requests")), "signal", s.String())
}

// settle waits until a signal that came has been announced.
func (g *guard) settle() {
	if g.signal() != nil {
		<-g.announced
	}
}

// abort is the last thing that the process does, so it waits for nothing longer
// than lastWords: what holds the terminal or the statistics may be what hangs.
// The goroutine ends with the process, if not before.
func (g *guard) abort() {
	said := make(chan struct{})
	go func() {
		defer close(said)
		lost := g.lost()
		_ = g.run.Line.Close()
		g.run.Logger.Error("aborted: " + lost)
	}()
	select {
	case <-said:
	case <-time.After(lastWords):
	}
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
