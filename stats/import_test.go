package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// crawled returns the snapshot of a crawl with something of everything.
func crawled(t *testing.T) stats.Snapshot {
	t.Helper()
	store := kvstore.NewMemory()
	s := open(t, stats.Config{Store: store, LogEvery: -1})
	for i := range 20 {
		q := stats.Outcome{Request: stats.Request{Host: "a.example"}, Duration: time.Duration(i+1) * time.Millisecond, StatusCode: 200}
		if i%5 == 0 {
			q.Err = errors.New("refused")
		}
		s.Observe(q)
	}
	s.Counter("items").Add(7)
	closeOK(t, s)
	return load(t, store)
}

// TestImportGoesOn: what one store held goes on in another, with everything.
func TestImportGoesOn(t *testing.T) {
	a := crawled(t)
	store := kvstore.NewMemory()
	key := stats.Key(crawl, "")
	if err := stats.Import(t.Context(), store, key, a, 0); err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(a)
	got, _ := json.Marshal(load(t, store))
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error("the record changed on its way:", diff)
	}

	s := open(t, stats.Config{Store: store, LogEvery: -1})
	s.Observe(stats.Outcome{Duration: time.Millisecond})
	b := s.Snapshot()
	closeOK(t, s)
	if err := b.Balanced(); err != nil {
		t.Error(err)
	}
	if b.Finished != a.Finished+1 || b.Failed != a.Failed || b.Counters["items"] != 7 || len(b.Segments) != 2 || len(b.Hosts) != 1 ||
		b.FinishedDuration.Quantile(.95) != a.FinishedDuration.Quantile(.95) {
		t.Errorf("it did not go on as the same crawl: %+v", b.Summary())
	}
}

// TestImportIsCompareAndSet: nothing is overwritten unseen, and who is
// overwritten learns of it.
func TestImportIsCompareAndSet(t *testing.T) {
	a := crawled(t)
	store := kvstore.NewMemory()
	key := stats.Key(crawl, "")
	owner := open(t, stats.Config{Store: store, LogEvery: -1})
	owner.Observe(stats.Outcome{})
	if err := owner.Persist(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := stats.Import(t.Context(), store, key, a, 0); !errors.Is(err, kvstore.ErrConflict) {
		t.Fatalf("over a record that nobody knew of: %v, want ErrConflict", err)
	}
	if got := load(t, store).Finished; got != 1 {
		t.Fatalf("%d finished after a refused import, want 1", got)
	}

	item, err := store.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := stats.Import(t.Context(), store, key, a, item.Rev); err != nil {
		t.Fatal(err)
	}
	owner.Observe(stats.Outcome{})
	if err := owner.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
		t.Errorf("the owner of before saved: %v, want ErrSuperseded", err)
	}
	owner.Close()
	if got := load(t, store).Finished; got != a.Finished {
		t.Errorf("%d finished, want the %d of the import", got, a.Finished)
	}
}

func TestImportLeavesANewerSchemaAlone(t *testing.T) {
	store := kvstore.NewMemory()
	key := stats.Key(crawl, "")
	rev, err := store.Save(t.Context(), key, []byte(`{"crawlstatsSchema":99}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := stats.Import(t.Context(), store, key, crawled(t), rev); !errors.Is(err, stats.ErrNewerSchema) {
		t.Errorf("%v, want ErrNewerSchema", err)
	}
}

// TestImportTooLarge: an extension is not lost on the way.
func TestImportTooLarge(t *testing.T) {
	a := crawled(t)
	large, _ := json.Marshal(make([]byte, 64<<10))
	a.Extensions = map[string][]json.RawMessage{"queue": {large}}
	store := kvstore.NewMemory()
	if err := stats.Import(t.Context(), store, stats.Key(crawl, ""), a, 0); !errors.Is(err, stats.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	if _, err := store.Load(t.Context(), stats.Key(crawl, "")); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("something was written: %v", err)
	}
}

// A crawl moves to another store.
func ExampleImport() {
	ctx := context.Background()
	from, to := kvstore.NewMemory(), kvstore.NewMemory() // a directory, and Redis
	key := stats.Key("shop", "")
	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: from, LogEvery: -1, Logger: nolog})
	if err != nil {
		fmt.Println(err)
		return
	}
	st.Observe(stats.Outcome{})
	st.Close()

	a, err := stats.Load(ctx, from, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stats.Import(ctx, to, key, a, 0))

	st, err = stats.Open(ctx, stats.Config{ID: "shop", Store: to, LogEvery: -1, Logger: nolog})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer st.Close()
	fmt.Println(st.Snapshot().Finished, "finished")
	// Output:
	// <nil>
	// 1 finished
}
