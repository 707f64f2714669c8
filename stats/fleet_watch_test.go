package stats_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

// watched is a store that tells of the changes that the test gives it.
type watched struct {
	*kvstoretest.Faulty
	changes chan kvstore.Event
}

func (w *watched) Watch(context.Context, string) (<-chan kvstore.Event, error) { return w.changes, nil }

func (w *watched) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return w.Faulty.List(ctx, prefix)
}

// Where the store tells of changes, the one record that changed is read, and not
// all of them.
func TestFleetFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &watched{kvstoretest.NewFaulty(kvstore.NewMemory()), make(chan kvstore.Event)}
		one, two := openMember(t, store, "one"), openMember(t, store, "two")
		f, err := stats.LoadFleet(t.Context(), store, crawl)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx, time.Minute) }()

		one.Observe(stats.Outcome{})
		two.Observe(stats.Outcome{})
		for _, w := range []*stats.Statistics{one, two} {
			if err := w.Persist(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		before := store.Calls(kvstoretest.Load)
		tell := func(key string) {
			store.changes <- kvstore.Event{Key: key, Rev: 1}
			synctest.Wait()
		}
		tell(stats.Key(crawl, "one"))
		check(t, "only one was read", []int64{f.Snapshot().Finished, int64(store.Calls(kvstoretest.Load) - before)}, []int64{1, 1})
		tell(stats.Key(crawl, "one") + "/x/last-open")
		tell(stats.Key(crawl+"2", "one"))
		check(t, "what is no record of it is not read", store.Calls(kvstoretest.Load)-before, 1)

		if err := one.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		tell(stats.Key(crawl, "one"))
		check(t, "vanished", f.Members()[0].State, stats.MemberVanished)
		close(store.changes)
		time.Sleep(time.Minute + time.Second)
		check(t, "the interval goes on", f.Snapshot().Finished, int64(1))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeOK(t, one)
		closeOK(t, two)
	})
}

// A store that hangs does not end the following.
func TestFleetOutlivesAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		one := openMember(t, store, "one")
		f, err := stats.LoadFleet(t.Context(), store, crawl)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx, 10*time.Second) }()
		hang := make(chan struct{})
		store.Inject(kvstoretest.Fault{Op: kvstoretest.Load, Block: hang})
		time.Sleep(71 * time.Second)
		if err := f.Members()[0].Err; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a minute the member says %v", err)
		}
		one.Observe(stats.Outcome{})
		if err := one.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(hang)
		time.Sleep(10 * time.Second)
		check(t, "it goes on", f.Snapshot().Finished, int64(1))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeOK(t, one)
	})
}
