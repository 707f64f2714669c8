package stats_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

func openMember(t *testing.T, store kvstore.Store, name string) *stats.Statistics {
	t.Helper()
	return open(t, stats.Config{Store: store, Member: name, PersistEvery: time.Second, LogEvery: -1})
}

func TestFleetAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		closeOK(t, open(t, stats.Config{ID: crawl + "2", Store: store})) // another crawl, whose name begins alike
		var workers []*stats.Statistics
		for i := range 3 {
			w := openMember(t, store, fmt.Sprintf("w/%d", i))
			workers = append(workers, w)
			for n := range (i + 1) * 10 {
				w.Observe(stats.Outcome{Duration: time.Duration(n) * ms, Request: stats.Request{Host: "h"}})
			}
			w.Gauge("queue").Set(5)
			w.Start("under way")
		}
		time.Sleep(2 * time.Second)
		closeOK(t, workers[0])
		f, err := stats.LoadFleet(t.Context(), store, crawl)
		if err != nil {
			t.Fatal(err)
		}
		a := f.Snapshot()
		check(t, "counts", []int64{a.Started, a.Finished, a.InFlight, a.Hosts[0].Finished, a.FinishedDuration.Count}, []int64{63, 60, 3, 60, 60})
		check(t, "gauges add", a.Gauges["queue"], 15.0)
		check(t, "runtime is the longest", a.Runtime < 3*time.Second && a.Runtime >= time.Second, true)
		check(t, "segments", len(a.Segments), 3)
		if err := a.Balanced(); err != nil {
			t.Error(err)
		}
		var names []string
		for _, m := range f.Members() {
			names = append(names, m.Name+" "+string(m.State))
		}
		check(t, "members", names, []string{"w/0 finished", "w/1 running", "w/2 running"})

		time.Sleep(5 * time.Second)
		closeOK(t, workers[1])
		time.Sleep(60 * time.Second)
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, "a worker that goes on is not silent", f.Members()[2].State, stats.MemberRunning)
		killed := copyOf(t, store)
		closeOK(t, workers[2])
		time.Sleep(time.Minute)
		f, err = stats.LoadFleet(t.Context(), killed, crawl)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "a killed one is", []any{f.Members()[2].State, f.Members()[2].Age >= time.Minute}, []any{stats.MemberSilent, true})
		check(t, "and still counts", f.Snapshot().Finished, int64(60))
	})
}

func TestFleetLiveNeverFalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		one, two := openMember(t, store, "one"), openMember(t, store, "two")
		count := func(s *stats.Statistics, n int) {
			t.Helper()
			for range n {
				s.Observe(stats.Outcome{Duration: ms})
			}
			if err := s.Persist(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		count(one, 5)
		f, err := stats.LoadFleet(t.Context(), store, crawl)
		if err != nil {
			t.Fatal(err)
		}
		live := func(want int64) {
			t.Helper()
			if err := f.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			a := f.Live()
			check(t, "live", []int64{a.Finished, a.FinishedDuration.Count}, []int64{want, want})
			if a.Balanced() == nil {
				t.Error("a window was checked like a snapshot")
			}
		}
		live(0)
		count(one, 3)
		count(two, 4)
		live(7)
		if err := one.Reset(t.Context()); err != nil { // its record is gone for a moment
			t.Fatal(err)
		}
		live(7)
		check(t, "vanished", f.Members()[0].State, stats.MemberVanished)
		check(t, "the lifetime is without it", f.Snapshot().Finished, int64(4))
		count(one, 2)
		live(9)

		old, err := store.Load(t.Context(), stats.Key(crawl, "two"))
		if err != nil {
			t.Fatal(err)
		}
		count(two, 10)
		live(19)
		item, err := store.Load(t.Context(), stats.Key(crawl, "two"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Save(t.Context(), stats.Key(crawl, "two"), old.Value, item.Rev); err != nil { // rolled back
			t.Fatal(err)
		}
		live(19)
		count(two, 1) // written over the old one
		live(20)
		closeOK(t, one)
		closeOK(t, two)
	})
}

func TestFleetReadsOnlyWhatChanged(t *testing.T) {
	store := kvstore.NewMemory()
	w := openMember(t, store, "w")
	closeOK(t, w)
	f, err := stats.LoadFleet(t.Context(), store, crawl)
	if err != nil {
		t.Fatal(err)
	}
	item, err := store.Load(t.Context(), stats.Key(crawl, "w"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Save(t.Context(), stats.Key(crawl, "w"), []byte("garbage"), item.Rev); err != nil {
		t.Fatal(err)
	}
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := f.Members()[0]
	check(t, "a damaged record", errors.Is(m.Err, kvstore.ErrCorrupt), true)
	check(t, "what was read before counts on", f.Snapshot().Segments[0].Clean, true)
}

func TestFleetRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		f, err := stats.LoadFleet(t.Context(), store, crawl)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "an empty fleet", []int{len(f.Members()), int(f.Snapshot().Started)}, []int{0, 0})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx, time.Second) }()
		w := openMember(t, store, "w")
		script(t, w, "Sa", "Fa", 3*time.Second)
		check(t, "seen", f.Snapshot().Finished, int64(1))
		store.Inject(kvstoretest.Fault{Op: kvstoretest.Load, Err: kvstore.ErrUnavailable})
		time.Sleep(2 * time.Second)
		check(t, "an outage shows", errors.Is(f.Members()[0].Err, kvstore.ErrUnavailable), true)
		check(t, "and loses nothing", f.Snapshot().Finished, int64(1))
		store.Heal()
		time.Sleep(2 * time.Second)
		check(t, "and ends", f.Members()[0].Err, nil)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := f.Run(t.Context(), 0); err == nil {
			t.Error("no interval")
		}
		closeOK(t, w)
	})
}

func TestFleetNeedsALister(t *testing.T) {
	if _, err := stats.LoadFleet(t.Context(), deafAndBlind{kvstore.NewMemory()}, crawl); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

type deafAndBlind struct{ kvstore.Store }

func ExampleLoadFleet() {
	ctx := context.Background()
	store := kvstore.NewMemory() // redisstore.New in a real fleet
	for _, name := range []string{"worker-0", "worker-1"} {
		st, err := stats.Open(ctx, stats.Config{ID: "shop", Member: name, Store: store, LogEvery: -1, Logger: nolog})
		if err != nil {
			fmt.Println(err)
			return
		}
		st.Observe(stats.Outcome{})
		if err := st.Close(); err != nil {
			fmt.Println(err)
		}
	}
	var fleet *stats.Fleet
	fleet, err := stats.LoadFleet(ctx, store, "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fleet.Snapshot().Finished, "finished")
	for _, m := range fleet.Members() {
		var member stats.Member = m
		var state stats.MemberState = member.State
		fmt.Println(member.Name, state)
	}
	// Output:
	// 2 finished
	// worker-0 finished
	// worker-1 finished
}
