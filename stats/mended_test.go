package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

// Interleavings and half-failures that went wrong once.

// A newcomer that resets at once, as a fresh start beside a running crawl does,
// stays the owner: the older one finds no record, and must not write one.
func TestOlderOwnerDoesNotComeBackAfterAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		older := open(t, stats.Config{Store: store, PersistEvery: time.Hour})
		script(t, older, "Sa", "Fa")
		newer := open(t, stats.Config{Store: store, PersistEvery: time.Hour})
		if err := newer.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		script(t, older, "Sb", "Fb")
		if err := older.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
			t.Errorf("the older one: %v", err)
		}
		script(t, newer, "Sc", "Fc")
		closeOK(t, newer)
		check(t, "record", load(t, store).Finished, int64(1))
		if err := older.Close(); !errors.Is(err, stats.ErrSuperseded) {
			t.Errorf("the older one: %v", err)
		}
	})
}

func TestResetDoesNotImportAgain(t *testing.T) {
	store := kvstore.NewMemory()
	if _, err := store.Save(t.Context(), "SDK_CRAWLER_STATISTICS_"+crawl, []byte(`{"requestsFinished":7}`), 0); err != nil {
		t.Fatal(err)
	}
	s := open(t, stats.Config{Store: store, LogEvery: -1})
	check(t, "imported", s.Snapshot().Finished, int64(7))
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	killed := copyOf(t, store) // before anything is counted
	closeOK(t, s)
	s = open(t, stats.Config{Store: killed, LogEvery: -1})
	check(t, "after the reset", s.Snapshot().Finished, int64(0))
	closeOK(t, s)
}

func TestWhatIsCountedDuringAResetIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, LogEvery: -1})
		store.Inject(kvstoretest.Fault{Op: kvstoretest.Delete, Nth: 1, Delay: 300 * ms})
		done := make(chan error, 1)
		go func() { done <- s.Reset(t.Context()) }()
		time.Sleep(100 * ms)
		script(t, s, "Sa", "Fa")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		check(t, "record", load(t, store).Finished, int64(1))
		closeOK(t, s)
	})
}

func TestTwoResetsAtOnce(t *testing.T) {
	for range 300 {
		s := stats.New()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := s.Reset(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		var begun int64
		wg.Go(func() {
			for range 50 {
				j := s.Begin()
				begun++
				j.Finish()
			}
		})
		wg.Wait()
		a := s.Snapshot()
		if a.Generation != 2 {
			t.Fatalf("two resets make generation %d", a.Generation)
		}
		if err := a.Balanced(); err != nil || a.InFlight != 0 {
			t.Fatalf("in flight %d: %v", a.InFlight, err)
		}
	}
}

func TestAgesAreNeverNegative(t *testing.T) {
	s := stats.New()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 3_000 {
				id := fmt.Sprint(i % 7)
				if g%2 == 0 {
					s.Start(id)
				} else {
					s.Finish(id)
				}
			}
		})
	}
	for range 200 {
		if age := s.Snapshot().OldestInFlight; age > time.Hour {
			t.Fatalf("the oldest request is %v old", age)
		}
	}
	wg.Wait()
	if d := s.Snapshot().FinishedDuration; d.Max > time.Hour {
		t.Errorf("a request took %v", d.Max)
	}
}

// stuck is a log that nobody reads: a terminal after Ctrl-S, a full pipe.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	<-s.release
	return len(p), nil
}

func TestBlockedLogBlocksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		store := kvstore.NewMemory()
		s := open(t, stats.Config{
			Store: store, LogEvery: time.Second, CloseTimeout: 3 * time.Second, PeriodicLogger: loggerTo(stuck{release}),
		})
		script(t, s, 5*time.Second, "Sa", "Fa", 2*time.Second)
		check(t, "saved meanwhile", load(t, store).Finished, int64(1))
		start := time.Now()
		closeOK(t, s)
		check(t, "Close ends by its deadline", time.Since(start) <= 3*time.Second, true)
		close(release)
	})
}

func TestCloseThatLearnsOfANewOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstore.NewMemory()
		older := open(t, stats.Config{Store: store, Events: &bus, PersistEvery: time.Hour})
		events.Subscribe(&bus, func(context.Context, events.Superseded) error { return older.Close() })
		newer := open(t, stats.Config{Store: store})
		start := time.Now()
		if err := older.Close(); !errors.Is(err, stats.ErrSuperseded) {
			t.Error(err)
		}
		check(t, "took", time.Since(start), time.Duration(0))
		closeOK(t, newer)
	})
}

func TestSavesAskedForDuringCloseWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		events.Subscribe(&bus, func(context.Context, events.Exit) error { // asked before the statistics is
			time.Sleep(100 * ms)
			return nil
		})
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, Events: &bus, PersistEvery: time.Hour})
		script(t, s, "Sa", "Fa")
		store.Inject(kvstoretest.Fault{Op: kvstoretest.Save, Delay: time.Second})
		done := make(chan error, 1)
		go func() {
			err := events.Publish(t.Context(), &bus, events.Exit{})
			check(t, "record when Publish returns", load(t, store).Finished, int64(1))
			done <- err
		}()
		time.Sleep(50 * ms)
		closeOK(t, s)
		check(t, "asked", <-done, nil)
	})
}

func TestTooLargeExtensionCostsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := kvstore.NewMemory(), new(records)
		s := open(t, stats.Config{Store: store, Logger: log.logger(), PersistEvery: time.Hour, LogEvery: -1})
		defer s.Close()
		text := func(n int) string { return strings.Repeat("x", n<<10) }
		a, err := stats.Extend(s, "a", text(8), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stats.Extend(s, "b", text(4), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.Update(func(v *string) { *v = text(17) })
		b.Update(func(v *string) { *v = text(10) })
		for range 2 {
			err = s.Persist(t.Context())
			if !errors.Is(err, stats.ErrTooLarge) {
				t.Fatal(err)
			}
		}
		saved := load(t, store)
		for name, want := range map[string]int{"a": 8 << 10, "b": 4 << 10} {
			v, _ := stats.ExtensionOf[string](saved, name, nil)
			if len(v) != want && !strings.Contains(err.Error(), `"`+name+`"`) {
				t.Errorf("%s is saved with %d bytes, and the error does not say so: %v", name, len(v), err)
			}
			if v == "" {
				t.Errorf("%s is gone", name)
			}
		}
		check(t, "warnings", log.count("WARN"), 1)
		check(t, "the saves did not fail", s.Health().Failures, int64(0))
	})
}

type panics struct{ On bool }

func (p panics) MarshalJSON() ([]byte, error) {
	if p.On {
		panic("no JSON today")
	}
	return json.Marshal(map[string]bool{"On": false})
}

func TestMarshalThatPanics(t *testing.T) {
	store := kvstore.NewMemory()
	s := open(t, stats.Config{Store: store, LogEvery: -1})
	e, err := stats.Extend(s, "queue", panics{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e.Update(func(p *panics) { p.On = true })
	script(t, s, "Sa", "Fa")
	if err := s.Persist(t.Context()); err == nil || !strings.Contains(err.Error(), "no JSON today") {
		t.Errorf("Persist: %v", err)
	}
	check(t, "the rest is saved", load(t, store).Finished, int64(1))
	if err := s.Close(); err == nil {
		t.Error("Close did not say that the extension is not saved")
	}
}

func TestRunThatDiesBeforeItsFirstSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		closeOK(t, open(t, stats.Config{Store: store}))
		time.Sleep(time.Second)
		s := open(t, stats.Config{Store: store, PersistEvery: time.Hour})
		killed := copyOf(t, store)
		a := load(t, killed)
		check(t, "as a reader sees it", []any{a.FinishedAt.IsZero(), len(a.Segments), a.Segments[1].Clean}, []any{true, 2, false})
		closeOK(t, s)
		time.Sleep(time.Second)
		log := new(records)
		s = open(t, stats.Config{Store: killed, Logger: log.logger(), LogEvery: -1})
		check(t, "the next run knows", []any{log.lines()[0]["clean"], len(s.Snapshot().Segments)}, []any{false, 3})
		closeOK(t, s)
	})
}

func TestFailingBarrierIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(records)
		store := kvstoretest.NewFaulty(barrier{kvstore.NewMemory()})
		s := open(t, stats.Config{Store: store, Logger: log.logger(), LogEvery: -1})
		store.Inject(kvstoretest.Fault{Op: kvstoretest.Sync, Err: kvstore.ErrUnavailable})
		for range 3 {
			script(t, s, "Sa", "Fa", 2*time.Second)
			if err := s.Persist(t.Context()); !errors.Is(err, kvstore.ErrUnavailable) {
				t.Errorf("Persist: %v", err)
			}
		}
		check(t, "warnings", log.count("WARN"), 1)
		store.Heal()
		closeOK(t, s)
		check(t, "warnings in all", log.count("WARN"), 2)
	})
}

type barrier struct{ *kvstore.Memory }

func (barrier) Sync(context.Context) error { return nil }

// A record that gets damaged, or lost, is restored from the copy of the last
// start, and the warning says from when it is.
func TestNewestGoodCopyIsRestored(t *testing.T) {
	for name, harm := range map[string]func(st kvstore.Store, key string, rev kvstore.Revision) error{
		"damaged": func(st kvstore.Store, key string, rev kvstore.Revision) error {
			_, err := st.Save(context.Background(), key, []byte("CSTAT1 damaged"), rev)
			return err
		},
		"lost": func(st kvstore.Store, key string, rev kvstore.Revision) error {
			return st.Delete(context.Background(), key, rev)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, key := kvstore.NewMemory(), stats.Key(crawl, "")
				for range 3 {
					s := open(t, stats.Config{Store: store})
					script(t, s, "Sa", time.Second, "Fa")
					closeOK(t, s)
				}
				item, err := store.Load(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				if err := harm(store, key, item.Rev); err != nil {
					t.Fatal(err)
				}
				log := new(records)
				s := open(t, stats.Config{Store: store, Logger: log.logger()})
				a := s.Snapshot()
				check(t, "what the last start had found", []any{a.Finished, a.Runtime, log.count("WARN")}, []any{int64(2), 2 * time.Second, 1})
				closeOK(t, s)
			})
		})
	}
}

func TestManualPutsADamagedRecordAsideOnce(t *testing.T) {
	store, key := kvstore.NewMemory(), stats.Key(crawl, "")
	if _, err := store.Save(t.Context(), key, []byte("garbage"), 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		closeOK(t, open(t, stats.Config{Store: store, Persist: stats.PersistManual, LogEvery: -1}))
	}
	var kept int
	for range store.List(t.Context(), key+"/x/") {
		kept++
	}
	check(t, "copies", kept, 1)
}

func TestFlippedBitIsNoNewSchema(t *testing.T) {
	record, err := stats.New().Snapshot().Encode()
	if err != nil {
		t.Fatal(err)
	}
	flipped := strings.Replace(string(record), "schema=1", "schema=9", 1)
	if _, err := stats.Decode([]byte(flipped)); !errors.Is(err, kvstore.ErrCorrupt) {
		t.Error(err)
	}
}

func TestRuntimeAddsUpOverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		for i := range 4 {
			s := open(t, stats.Config{Store: store})
			time.Sleep(10 * time.Second)
			closeOK(t, s)
			check(t, "runtime", load(t, store).Runtime, time.Duration(i+1)*10*time.Second)
			time.Sleep(time.Hour)
		}
	})
}

func TestLongNamesAreRefusedInTime(t *testing.T) {
	name := strings.Repeat("é", 90)
	if _, err := stats.Open(t.Context(), stats.Config{ID: name, Member: name, Store: kvstore.NewMemory()}); err == nil || !strings.Contains(err.Error(), "Config.ID") {
		t.Error(err)
	}
}
