package stats

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// errorBook groups errors by kind and masked message, each list bounded. When a
// list is full, its rarer half is folded into other and leaves, so that an error
// that begins late and then floods is still seen, and the totals stay exact.
type errorBook struct {
	limit int

	mu    sync.Mutex
	lists [2]errorList
}

const (
	ofAttempts = iota // RetryErrors
	ofRequests        // Errors
)

type errorList struct {
	groups map[groupKey]*ErrorGroup
	other  int64
}

// add counts err, which is of that kind, and returns its group when it is the first of it.
func (b *errorBook) add(list int, kind ErrorKind, err error, url string, now time.Time) (opened *ErrorGroup) {
	key := groupKey{string(kind), maskMessage(errorText(err))}
	url = cleanURL(url)

	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.lists[list]
	g := l.groups[key]
	if g == nil {
		if len(l.groups) >= b.limit {
			l.evict()
		}
		if l.groups == nil {
			l.groups = make(map[groupKey]*ErrorGroup)
		}
		g = &ErrorGroup{Kind: key.kind, Message: key.message, FirstSeen: now}
		l.groups[key] = g
	}
	g.Count++
	g.LastSeen = now
	if url != "" && len(g.Examples) < maxExamples && !slices.Contains(g.Examples, url) {
		g.Examples = append(g.Examples, url)
	}
	if g.Count > 1 {
		return nil
	}
	first := *g
	return &first
}

func (l *errorList) evict() {
	groups := slices.SortedFunc(maps.Values(l.groups), func(x, y *ErrorGroup) int {
		return cmp.Or(cmp.Compare(x.Count, y.Count), x.LastSeen.Compare(y.LastSeen))
	})
	for _, g := range groups[:(len(groups)+1)/2] {
		l.other += g.Count
		delete(l.groups, groupKey{g.Kind, g.Message})
	}
}

// all returns a copy of a list and the count of what fitted no group.
func (b *errorBook) all(list int) (groups []ErrorGroup, other int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.lists[list].groups {
		c := *g
		c.Examples = slices.Sorted(slices.Values(g.Examples))
		groups = append(groups, c)
	}
	return sortGroups(groups), b.lists[list].other
}

// errorText returns the message of err. An Error method may panic, a nil
// pointer in an interface being the usual way; statistics must not.
func errorText(err error) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = "the Error method of this error panics"
		}
	}()
	if err == nil {
		return "no error was given"
	}
	return err.Error()
}
