package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// part is what a process of its own is asked to play.
type part struct {
	Role    string // "crawl" or "look"
	Engine  string // "badger" or "dir"
	Dir     string // of the state
	Ledger  string // file; only of a crawl
	Durable bool
	Every   time.Duration // between checkpoints
	Persist bool          // saves all the time instead
	Pause   time.Duration // between bursts of requests; default 1 ms
	Mixed   bool          // counts whatever there is, and exports
	Steps   int           // counts so many times 100 finished and 10 failed instead, each saved on its own
}

const crawlID = "faulty"

var quiet = slog.New(slog.DiscardHandler)

func play(text string) error {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	switch p.Role {
	case "crawl":
		return p.crawl()
	case "look":
		return p.look()
	}
	return fmt.Errorf("no part %q", p.Role)
}

func (p part) store(log *slog.Logger) (kvstore.Store, error) {
	if p.Engine == "dir" {
		return kvstore.OpenDir(p.Dir)
	}
	return badgerstore.Open(badgerstore.Config{Dir: p.Dir, Durable: p.Durable, Logger: log})
}

// crawl counts until SIGTERM, and keeps the ledger.
func (p part) crawl() error {
	l, err := openLedger(p.Ledger)
	if err != nil {
		return err
	}
	log := slog.New(&counting{Handler: slog.NewTextHandler(os.Stderr, nil), n: func() { l.add(warnings, 1) }})
	store, err := p.store(log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	st, err := stats.Open(ctx, stats.Config{ID: crawlID, Store: store, PersistEvery: p.Every, LogEvery: -1, Logger: log, CloseTimeout: time.Minute})
	if err != nil {
		return err
	}
	a := st.Snapshot()
	l.set(restoredDone, a.Finished)
	l.set(restoredFail, a.Failed)
	l.set(opened, 1)

	var work sync.WaitGroup
	if p.Steps > 0 {
		work.Go(func() { p.step(ctx, st, l) })
		work.Wait()
		return errors.Join(st.Close(), store.Close(context.Background()))
	}
	count := p.count
	if p.Mixed {
		count = p.mixed
		work.Go(func() { err = export(ctx, st) })
	}
	for g := range 3 {
		work.Go(func() { count(ctx, st, l, g) })
	}
	work.Go(func() { watch(ctx, st, l) })
	if p.Persist {
		work.Go(func() { persist(ctx, st, l) })
	}
	work.Wait()
	return errors.Join(err, st.Close(), store.Close(context.Background()))
}

// count records bursts of requests by handle and by id.
func (p part) count(ctx context.Context, st *stats.Statistics, l *ledger, g int) {
	pause := max(p.Pause, time.Millisecond)
	visits := st.Counter("visits")
	for i := 0; ctx.Err() == nil; i++ {
		l.add(begun, 1)
		switch id := fmt.Sprintf("%d-%d", g, i); i % 10 {
		case 0:
			st.StartWith(id, stats.Request{Host: "slow.example"})
			st.Retry(id, errors.New("connection reset"))
			st.Fail(id, fmt.Errorf("page %d: every tenth fails", i))
			l.add(failed, 1)
		case 1:
			st.Start(id)
			st.Finish(id)
			l.add(finished, 1)
		default:
			j := st.BeginWith(stats.Request{Host: fmt.Sprintf("host%d.example", i%7)})
			j.StatusCode(200)
			j.Finish()
			l.add(finished, 1)
		}
		visits.Inc()
		if i%20 == 19 {
			time.Sleep(pause)
		}
	}
}

// step counts in steps, each of which is saved before the next, and then idles.
func (p part) step(ctx context.Context, st *stats.Statistics, l *ledger) {
	for range p.Steps {
		for i := range 110 {
			j := st.Begin()
			if i%11 == 10 {
				j.Fail(errors.New("every eleventh fails"))
				l.add(failed, 1)
			} else {
				j.Finish()
				l.add(finished, 1)
			}
		}
		counted := time.Now()
		st.Counter("steps").Inc() // a change that is still to be saved
		for h := st.Health(); ctx.Err() == nil && !h.LastSave.Add(-h.Duration).After(counted); h = st.Health() {
			time.Sleep(time.Millisecond)
		}
	}
	l.set(stepsDone, 1)
	<-ctx.Done()
}

// watch writes down what was finished when, and what the newest save holds.
func watch(ctx context.Context, st *stats.Statistics, l *ledger) {
	var before stats.Health
	for ctx.Err() == nil {
		l.sample(time.Now())
		h := st.Health()
		if h.Saves != before.Saves {
			l.set(ackedFinished, max(l.get(ackedFinished), l.finishedAt(h.LastSave.Add(-h.Duration))))
			l.set(saves, h.Saves)
		}
		if h.Failures != before.Failures {
			l.set(failures, h.Failures)
			if errors.Is(h.Err, kvstore.ErrNoSpace) {
				l.add(noSpace, 1)
			}
		}
		if h.Superseded {
			l.set(superseded, 1)
		}
		before = h
		l.set(goroutines, int64(runtime.NumGoroutine()))
		time.Sleep(5 * time.Millisecond)
	}
}

// persist saves all the time, and writes down what each Persist that returned nil
// has kept at least.
func persist(ctx context.Context, st *stats.Statistics, l *ledger) {
	for ctx.Err() == nil {
		done := l.get(finished)
		if err := st.Persist(ctx); err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		l.set(persistedFinished, done)
	}
}

// found is what look prints.
type found struct {
	Finished, Failed int64
	Unbalanced       string   // what does not add up
	Clean            bool     // the run before ended by Close
	Told             []string // lines of level Warn and above
}

// look opens the state as the next run would, and prints what it is.
func (p part) look() error {
	var f found
	log := slog.New(&counting{Handler: slog.NewTextHandler(os.Stderr, nil), told: &f.Told})
	store, err := p.store(log)
	if err != nil {
		return err
	}
	ctx := context.Background()
	st, err := stats.Open(ctx, stats.Config{ID: crawlID, Store: store, LogEvery: -1, Logger: log})
	if err != nil {
		return err
	}
	a := st.Snapshot()
	f.Finished, f.Failed = a.Finished, a.Failed
	if err := a.Balanced(); err != nil {
		f.Unbalanced = err.Error()
	}
	if n := len(a.Segments); n > 1 {
		f.Clean = a.Segments[n-2].Clean
	}
	if err := errors.Join(st.Close(), store.Close(ctx)); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// counting is a handler that notices warnings. What Badger says of its own files
// is no report to an operator.
type counting struct {
	slog.Handler
	n      func()
	told   *[]string
	engine bool
}

func (c *counting) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && !c.engine {
		if c.n != nil {
			c.n()
		}
		if c.told != nil {
			*c.told = append(*c.told, r.Message)
		}
	}
	return c.Handler.Handle(ctx, r)
}

func (c *counting) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *c
	next.Handler = c.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		next.engine = next.engine || a.Key == "component" && a.Value.String() == "badger"
	}
	return &next
}

// stateDir returns a directory for a state below dir.
func stateDir(dir string) string { return filepath.Join(dir, "state") }
