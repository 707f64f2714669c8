package main

import (
	"sync"
	"time"
)

// A ledger is the part of the frontier that survives the process. Every URL
// found is in it, as a path; one that is not done is crawled again by the next
// run, so a crash loses none.
type ledger struct {
	URLs  []string    `json:"urls"`            // in the order they were found
	Done  bitmap      `json:"done,omitempty"`  // bit i tells that URLs[i] is settled
	Tries map[int]int `json:"tries,omitempty"` // failed attempts at URLs that are not
}

func (l *ledger) setTries(index, n int) {
	if l.Tries == nil {
		l.Tries = make(map[int]int)
	}
	l.Tries[index] = n
}

// A keeper guards a ledger and saves it in its own time. A
// *stats.Extension[ledger] is one: then frontier and statistics land in the same
// record. A journal is the other.
type keeper interface {
	Update(func(*ledger))
}

// A bitmap is a set of small numbers. It is base64 in JSON.
type bitmap []byte

func (b bitmap) has(i int) bool { return i/8 < len(b) && b[i/8]>>(i%8)&1 == 1 }

func (b *bitmap) add(i int) {
	if missing := i/8 + 1 - len(*b); missing > 0 {
		*b = append(*b, make(bitmap, missing)...)
	}
	(*b)[i/8] |= 1 << (i % 8)
}

// A task is a URL to crawl.
type task struct {
	index  int // in ledger.URLs
	path   string
	tries  int // failed attempts
	queued time.Time
}

// A frontier hands out each URL once, to any number of workers.
type frontier struct {
	kept    keeper
	pending func(float64) // is told how many wait

	mu      sync.Mutex // held while kept is updated, so that both tell the same
	changed *sync.Cond
	seen    map[string]bool
	waiting []task
	busy    int // handed out, not yet back
	quota   int // may still be handed out
	stopped bool
}

// newFrontier returns a frontier of what kept holds, that hands out at most
// quota URLs and tells pending how many wait to be.
func newFrontier(kept keeper, quota int, pending func(float64)) *frontier {
	f := &frontier{kept: kept, pending: pending, seen: make(map[string]bool), quota: quota}
	f.changed = sync.NewCond(&f.mu)
	kept.Update(func(l *ledger) {
		for i, path := range l.URLs {
			f.seen[path] = true
			if !l.Done.has(i) {
				f.waiting = append(f.waiting, task{i, path, l.Tries[i], time.Now()})
			}
		}
	})
	f.tell()
	return f
}

// add puts the paths that are new in the queue.
func (f *frontier) add(paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.admit(paths)
	f.kept.Update(func(l *ledger) { l.URLs = append(l.URLs, fresh...) })
}

// next waits for a task. It returns false when there is nothing left to do, or
// to do now: the quota is used up, or stop was called.
func (f *frontier) next() (task, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.stopped && f.quota > 0 {
		if len(f.waiting) > 0 {
			t := f.waiting[0]
			f.waiting = f.waiting[1:]
			f.busy++
			f.quota--
			f.tell()
			return t, true
		}
		if f.busy == 0 {
			break
		}
		f.changed.Wait()
	}
	f.changed.Broadcast()
	return task{}, false
}

// settle ends a task for good and puts the paths it led to in the queue, in one
// step. The outcome must be in the statistics before: a crash in between then
// repeats a page rather than lose one.
func (f *frontier) settle(t task, found ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.admit(found)
	f.kept.Update(func(l *ledger) {
		l.URLs = append(l.URLs, fresh...)
		l.Done.add(t.index)
		delete(l.Tries, t.index)
	})
	f.busy--
	f.changed.Broadcast()
}

// retry notes a failed attempt.
func (f *frontier) retry(t *task) {
	t.tries++
	f.kept.Update(func(l *ledger) { l.setTries(t.index, t.tries) })
}

// release gives a task back that the next run shall crawl.
func (f *frontier) release(t task) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, t)
	f.busy--
	f.tell()
	f.changed.Broadcast()
}

// stop ends the handing out.
func (f *frontier) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.changed.Broadcast()
}

// size returns how many URLs were found, and how many of them are not settled.
func (f *frontier) size() (found, left int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen), len(f.waiting) + f.busy
}

// admit queues the paths that are new and returns them. Its caller holds mu.
func (f *frontier) admit(paths []string) []string {
	var fresh []string
	for _, path := range paths {
		if !f.seen[path] {
			f.waiting = append(f.waiting, task{index: len(f.seen), path: path, queued: time.Now()})
			f.seen[path] = true
			fresh = append(fresh, path)
		}
	}
	f.tell()
	return fresh
}

// tell keeps the figure up to date that the bar and the eta come from. Its caller
// holds mu, so that an older figure never follows a newer one.
func (f *frontier) tell() { f.pending(float64(len(f.waiting))) }
