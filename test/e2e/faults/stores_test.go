package faults

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

// P6: whatever ails the store, a million requests are recorded meanwhile, no call
// on the store runs on a goroutine that records, and Close ends by its deadline.
func TestAilingStores(t *testing.T) {
	const closeTimeout = 300 * time.Millisecond
	for _, ail := range []struct {
		name   string
		fault  kvstoretest.Fault
		blocks bool // until the end of the test
		deaf   bool // to deadlines too
		fenced bool
		saves  bool // Close can save all the same
	}{
		{name: "slow, 5 s a call", fault: kvstoretest.Fault{Delay: 5 * time.Second}},
		{name: "blocked for ever", blocks: true},
		{name: "blocked for ever and deaf to deadlines", blocks: true, deaf: true},
		{name: "failing", fault: kvstoretest.Fault{Err: kvstore.ErrUnavailable}},
		{name: "failing after the save", fault: kvstoretest.Fault{Op: kvstoretest.Save, Err: kvstore.ErrUnknown, Applied: true}, saves: true},
		{name: "full", fault: kvstoretest.Fault{Op: kvstoretest.Save, Err: kvstore.ErrNoSpace}},
		{name: "gone", fault: kvstoretest.Fault{Err: kvstore.ErrClosed}},
		{name: "fenced", fenced: true},
	} {
		t.Run(ail.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			r := table.row("a million requests while the store is " + ail.name)
			engine, err := badgerstore.Open(badgerstore.Config{Dir: filepath.Join(t.TempDir(), "state"), Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			w := &watched{Faulty: kvstoretest.NewFaulty(engine), deaf: ail.deaf, recorders: map[string]bool{}}
			var told syncbuf.Buffer
			s, err := stats.Open(t.Context(), stats.Config{
				ID: crawlID, Store: w, PersistEvery: 100 * time.Millisecond, LogEvery: -1, CloseTimeout: closeTimeout,
				Logger: slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			if err != nil {
				t.Fatal(err)
			}
			release := make(chan struct{})
			if ail.blocks {
				ail.fault.Block = release
			}
			if ail.fenced {
				next, err := stats.Open(t.Context(), stats.Config{ID: crawlID, Store: engine, LogEvery: -1, Logger: quiet})
				if err != nil {
					t.Fatal(err)
				}
				defer next.Close()
			} else {
				w.Inject(ail.fault)
			}
			calls := w.Calls(kvstoretest.Any)
			j := s.Begin() // a change to save
			within(t, time.Minute, "the store is called", func() bool { return w.Calls(kvstoretest.Any) > calls })

			million(s, w)
			j.Finish()
			if ail.blocks && w.inside() == 0 {
				t.Error("no call is under way: the store did not block")
			}
			if a := s.Snapshot(); a.Finished != 1_000_001 || a.Balanced() != nil {
				t.Errorf("%d finished, want a million and one: %v", a.Finished, a.Balanced())
			}
			start := time.Now()
			err = s.Close()
			took := time.Since(start)
			if took > closeTimeout+slack || (err == nil) != ail.saves {
				t.Errorf("Close: %v after %v; the deadline is %v", err, took, closeTimeout)
			}
			if n := w.onRecorders(); n != 0 {
				t.Errorf("%d calls on goroutines that record", n)
			}
			if err != nil && told.String() == "" {
				t.Error("the log does not tell")
			}
			r.add(outcome{older: err != nil, told: told.String() != "", past: took > closeTimeout+slack})

			close(release)
			w.Heal()
			if err := engine.Close(context.Background()); err != nil {
				t.Error(err)
			}
			if !ail.fenced {
				within(t, time.Minute, "no goroutine is left", func() bool { return goleak.Find(before) == nil })
			}
		})
	}
}

// million records a million requests by handle and by id, on goroutines of which
// w knows.
func million(s *stats.Statistics, w *watched) {
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			w.record()
			id := goroutineID()
			for i := range 250_000 {
				if i%4 == 0 {
					s.Start(id)
					s.Finish(id)
					continue
				}
				j := s.Begin()
				j.StatusCode(200)
				j.Finish()
			}
		})
	}
	work.Wait()
}

// watched is a store that knows who calls it.
type watched struct {
	*kvstoretest.Faulty
	deaf bool

	mu        sync.Mutex
	recorders map[string]bool
	under     int // way
	wrong     int // calls of recorders
}

// goroutineID returns what the runtime calls this goroutine.
func goroutineID() string {
	buf := make([]byte, 64)
	id, _, _ := bytes.Cut(buf[:runtime.Stack(buf, false)], []byte(" ["))
	return string(id)
}

// record notes that this goroutine records.
func (w *watched) record() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recorders[goroutineID()] = true
}

func (w *watched) enter(ctx context.Context) (context.Context, func()) {
	id := goroutineID()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.under++
	if w.recorders[id] {
		w.wrong++
	}
	if w.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.under--
	}
}

func (w *watched) inside() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.under
}

func (w *watched) onRecorders() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong
}

func (w *watched) Load(ctx context.Context, key string) (kvstore.Item, error) {
	ctx, leave := w.enter(ctx)
	defer leave()
	return w.Faulty.Load(ctx, key)
}

func (w *watched) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	ctx, leave := w.enter(ctx)
	defer leave()
	return w.Faulty.Save(ctx, key, value, prev)
}

func (w *watched) Sync(ctx context.Context) error {
	ctx, leave := w.enter(ctx)
	defer leave()
	return w.Faulty.Sync(ctx)
}
