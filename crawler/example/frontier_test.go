package main

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// held is a keeper that saves nothing.
type held struct {
	mu sync.Mutex
	ledger
}

func (h *held) Update(fn func(*ledger)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fn(&h.ledger)
}

func untold(float64) {}

// TestFrontierTellsHowManyWait: that is what a progress bar is made of.
func TestFrontierTellsHowManyWait(t *testing.T) {
	var waiting float64
	f := newFrontier(new(held), 100, func(n float64) { waiting = n })
	want := func(n float64, when string) {
		t.Helper()
		if waiting != n {
			t.Errorf("%v wait %s, want %v", waiting, when, n)
		}
	}
	f.add("/a", "/b")
	want(2, "after two were found")
	a, _ := f.next()
	want(1, "while one is crawled")
	f.settle(a, "/c", "/a")
	want(2, "after it led to a new one")
	b, _ := f.next()
	f.release(b)
	want(2, "after one was given back")

	waiting = -1
	newFrontier(f.kept, 100, func(n float64) { waiting = n })
	want(2, "after a restart")
}

func TestFrontierHandsOutEachURLOnce(t *testing.T) {
	var kept held
	f := newFrontier(&kept, 100, untold)
	f.add("/", "/")
	var mu sync.Mutex
	visits := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for task, ok := f.next(); ok; task, ok = f.next() {
				mu.Lock()
				visits[task.path]++
				mu.Unlock()
				var links []string // the home page leads to ten pages, and they to each other
				for i := range 10 {
					links = append(links, fmt.Sprint("/", i))
				}
				f.settle(task, links...)
			}
		})
	}
	wg.Wait()
	want := map[string]int{"/": 1}
	for i := range 10 {
		want[fmt.Sprint("/", i)] = 1
	}
	if diff := cmp.Diff(want, visits); diff != "" {
		t.Error(diff)
	}
	if found, left := f.size(); found != 11 || left != 0 {
		t.Errorf("%d found, %d left, want 11 and 0", found, left)
	}
}

func TestFrontierForgetsNothingUnsettled(t *testing.T) {
	var kept held
	f := newFrontier(&kept, 100, untold)
	f.add("/a", "/b", "/c", "/d")
	next := func(f *frontier) task {
		t.Helper()
		task, ok := f.next()
		if !ok {
			t.Fatal("nothing handed out")
		}
		return task
	}
	a, b, c := next(f), next(f), next(f)
	f.settle(a, "/e", "/a")
	f.retry(&b)
	f.retry(&b) // and then the process dies with /b and /c in flight
	_ = c

	record, err := json.Marshal(kept.ledger)
	if err != nil {
		t.Fatal(err)
	}
	var restored held
	if err := json.Unmarshal(record, &restored.ledger); err != nil {
		t.Fatal(err)
	}
	again := newFrontier(&restored, 100, untold)
	got := map[string]int{}
	for range 4 {
		task := next(again)
		got[task.path] = task.tries
		again.settle(task)
	}
	if diff := cmp.Diff(map[string]int{"/b": 2, "/c": 0, "/d": 0, "/e": 0}, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := again.next(); ok {
		t.Error("a settled URL was handed out again")
	}
	if len(restored.Tries) != 0 {
		t.Errorf("tries of settled URLs are kept: %v", restored.Tries)
	}
}

func TestFrontierEnds(t *testing.T) {
	t.Run("quota", func(t *testing.T) {
		f := newFrontier(new(held), 1, untold)
		f.add("/a", "/b")
		first, _ := f.next()
		if second, ok := f.next(); ok {
			t.Errorf("handed out %s beyond the quota", second.path)
		}
		f.release(first)
		if _, left := f.size(); left != 2 {
			t.Errorf("%d left, want 2", left)
		}
	})
	t.Run("stop", func(t *testing.T) {
		f := newFrontier(new(held), 100, untold)
		f.add("/a", "/b")
		if _, ok := f.next(); !ok {
			t.Fatal("nothing handed out")
		}
		f.stop()
		if task, ok := f.next(); ok {
			t.Errorf("handed out %s after stop", task.path)
		}
	})
}

func TestJournal(t *testing.T) {
	store := kvstore.NewMemory()
	st, err := stats.Open(t.Context(), stats.Config{ID: "x", Store: store, Logger: quiet, LogEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	queue := kvstore.Named(store, "queue")
	open := func() *journal {
		t.Helper()
		j, err := openJournal(t.Context(), queue, "x")
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	save := func(j *journal) {
		t.Helper()
		if err := j.save(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}

	j := open()
	want := ledger{Tries: map[int]int{7: 1, 2100: 3}}
	for i := range 2500 {
		want.URLs = append(want.URLs, fmt.Sprint("/", i))
		if i%3 == 0 {
			want.Done.add(i)
		}
	}
	j.Update(func(l *ledger) { *l = want })
	save(j)
	if diff := cmp.Diff(want, open().ledger); diff != "" {
		t.Error("after a save:", diff)
	}

	// Only the page that changed is written.
	before := []kvstore.Revision{j.saved[0].Rev, j.saved[1].Rev, j.saved[2].Rev}
	j.Update(func(l *ledger) { l.Done.add(1001) })
	save(j)
	for n, rev := range before {
		if changed := j.saved[n].Rev != rev; changed != (n == 1) {
			t.Errorf("page %d written: %v", n, changed)
		}
	}
	if !open().ledger.Done.has(1001) {
		t.Error("the change was not saved")
	}

	if err := j.clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l := open().ledger; len(l.URLs) != 0 {
		t.Errorf("%d URLs after clear", len(l.URLs))
	}
	j.Update(func(l *ledger) { l.URLs = []string{"/new"} })
	save(j) // into keys that were deleted
	if l := open().ledger; len(l.URLs) != 1 {
		t.Errorf("%d URLs after a new start, want 1", len(l.URLs))
	}
}
