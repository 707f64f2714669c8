package view

import "github.com/crawlstats/crawlstats/stats"

// A tally is failures by what they have in common. All counts also those whose
// key found no place of its own.
type tally[K comparable] struct {
	by  map[K]int64
	all int64
}

// grow adds what the counts in now have more than those before.
func (t *tally[K]) grow(now, before tally[K]) {
	if t.by == nil {
		t.by = map[K]int64{}
	}
	for key, n := range now.by {
		if more := n - before.by[key]; more > 0 {
			t.by[key] += more
		}
	}
	t.all += max(now.all-before.all, 0)
}

// top returns the key with the largest count, and its percentage of all.
func (t tally[K]) top(less func(x, y K) bool) (most K, share float64) {
	var largest int64
	for key, n := range t.by {
		if n > largest || n == largest && less(key, most) {
			most, largest = key, n
		}
	}
	return most, Ratio(largest, max(t.all, largest)) // a key may have grown without a place
}

// attemptsOf returns the failed attempts by error group.
func attemptsOf(a stats.Snapshot) tally[group] {
	t := tally[group]{by: make(map[group]int64, len(a.Errors)+len(a.RetryErrors)), all: a.ErrorsOther + a.RetryErrorsOther}
	for _, list := range [][]stats.ErrorGroup{a.Errors, a.RetryErrors} {
		for _, g := range list {
			t.by[group{g.Kind, g.Message}] += g.Count
			t.all += g.Count
		}
	}
	return t
}

// failuresOf returns the failed requests by host.
func failuresOf(a stats.Snapshot) tally[string] {
	t := tally[string]{by: map[string]int64{}, all: a.Failed}
	for _, h := range a.Hosts {
		if h.Failed > 0 {
			t.by[h.Host] = h.Failed
		}
	}
	return t
}
