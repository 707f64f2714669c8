package fleet

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// busy is a Statistics that counts all the time and saves when it is told to.
type busy struct {
	t      *testing.T
	st     *stats.Statistics
	store  kvstore.Store // another client of the same engine
	log    syncbuf.Buffer
	acked  atomic.Int64 // finished requests that an acknowledged save held at least
	saves  atomic.Int64
	turn   sync.Mutex // held while a save is under way
	failed atomic.Pointer[error]
}

const (
	saveLimit = 1500 * time.Millisecond // a bucket that lost values is asked again for half a second
	saveSlack = 5 * time.Second         // for a busy machine
)

// startBusy counts on e until the test ends.
func startBusy(t *testing.T, e engine) *busy {
	t.Helper()
	b := &busy{t: t, store: e.store(t)}
	own := e.store(t)
	var err error
	b.st, err = stats.Open(t.Context(), stats.Config{
		ID: crawlID, Store: own, PersistEvery: time.Hour, LogEvery: -1,
		Logger: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // the crawl: it never asks how the store is
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 100 {
				b.st.Observe(stats.Outcome{Duration: time.Millisecond})
			}
			time.Sleep(time.Millisecond)
		}
	})
	wg.Go(func() { // the saves
		for {
			select {
			case <-stop:
				return
			default:
			}
			if b.save() != nil {
				time.Sleep(5 * time.Millisecond)
			}
		}
	})
	t.Cleanup(func() {
		if err := b.failed.Load(); t.Failed() && err != nil {
			t.Logf("the newest save that failed: %v\n%.4000s", *err, b.log.String())
		}
		close(stop)
		wg.Wait()
		if err := b.st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// save saves once, within its deadline.
func (b *busy) save() error {
	b.turn.Lock()
	defer b.turn.Unlock()
	before := b.st.Snapshot().Finished
	ctx, cancel := context.WithTimeout(context.Background(), saveLimit)
	defer cancel()
	began := time.Now()
	err := b.st.Persist(ctx)
	if d := time.Since(began); d > saveLimit+saveSlack {
		b.t.Errorf("a save of %v took %v", saveLimit, d)
	}
	if err != nil {
		b.failed.Store(&err)
		return err
	}
	b.acked.Store(before)
	b.saves.Add(1)
	return nil
}

// saving waits for n more saves.
func (b *busy) saving(n int64) {
	b.t.Helper()
	want := b.saves.Load() + n
	wait.For(b.t, 2*time.Minute, "saves go on", func() bool { return b.saves.Load() >= want })
}

// counting waits for n more requests: the crawl does not wait for the store.
func (b *busy) counting(n int64) {
	b.t.Helper()
	want := b.st.Snapshot().Finished + n
	wait.For(b.t, time.Minute, "the crawl goes on", func() bool { return b.st.Snapshot().Finished >= want })
}

// fails waits for a save that ends with an error that is one of these.
func (b *busy) fails(want ...error) {
	b.t.Helper()
	b.failed.Store(nil)
	wait.For(b.t, time.Minute, "a save fails", func() bool { return b.failed.Load() != nil })
	err := *b.failed.Load()
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	b.t.Errorf("a save failed with %v, want one of %v", err, want)
}

// recovers waits until saves go on, and checks that the newest state is stored.
func (b *busy) recovers() {
	b.t.Helper()
	b.saving(2)
	if err := b.st.Health().Err; err != nil {
		wait.For(b.t, time.Minute, "health is well again", func() bool { return b.st.Health().Err == nil })
	}
	known := b.acked.Load()
	if a := b.stored(); a.Finished < known {
		b.t.Errorf("%d are stored after it recovered, %d were acknowledged", a.Finished, known)
	}
}

// stored reads the record through another client.
func (b *busy) stored() (a stats.Snapshot) {
	b.t.Helper()
	wait.For(b.t, time.Minute, "the record can be read", func() bool {
		ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
		defer cancel()
		var err error
		a, err = stats.Load(ctx, b.store, stats.Key(crawlID, ""))
		return err == nil
	})
	if err := a.Balanced(); err != nil {
		b.t.Error(err)
	}
	return a
}

// held runs fn while nothing is saved.
func (b *busy) held(fn func()) {
	b.turn.Lock()
	defer b.turn.Unlock()
	fn()
}

// reports counts the losses of the store that were told.
func (b *busy) reports() int { return strings.Count(b.log.String(), "the store has lost") }

// lost returns what the store has lost of what was acknowledged.
func (b *busy) lost() int64 { return max(0, b.acked.Load()-b.stored().Finished) }
