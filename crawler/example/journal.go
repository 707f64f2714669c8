package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// urlsPerPage keeps a page of a journal far below what any store takes.
const urlsPerPage = 1000

// A journal keeps the ledger of a crawl that may find more URLs than an
// extension of the statistics has room for. It has keys of its own in the same
// store: pages of the ledger, of which those that changed are written.
type journal struct {
	store kvstore.Store
	name  string

	mu     sync.Mutex
	ledger ledger

	saved []kvstore.Item // the pages as they are in the store; for save and clear, one at a time
}

// openJournal loads the journal of that name.
func openJournal(ctx context.Context, store kvstore.Store, name string) (*journal, error) {
	j := &journal{store: store, name: name}
	for {
		item, err := store.Load(ctx, j.key(len(j.saved)))
		if errors.Is(err, kvstore.ErrNotFound) {
			return j, nil
		}
		if err != nil {
			return nil, fmt.Errorf("example: load queue: %w", err)
		}
		var page ledger
		if err := json.Unmarshal(item.Value, &page); err != nil {
			return nil, fmt.Errorf("example: read queue: page %d: %w: give another -state to start anew", len(j.saved), err)
		}
		j.ledger.append(page)
		j.saved = append(j.saved, item)
	}
}

// Update calls fn with the ledger, under the lock of the journal.
func (j *journal) Update(fn func(*ledger)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fn(&j.ledger)
}

// save saves the statistics, then the ledger as it was before: a crash in
// between repeats a page rather than lose its outcome.
func (j *journal) save(ctx context.Context, st *stats.Statistics) error {
	pages, err := j.pages()
	if err != nil {
		return fmt.Errorf("example: save queue: %w", err)
	}
	if err := st.Persist(ctx); err != nil {
		return err
	}
	for n, page := range pages {
		if n == len(j.saved) {
			j.saved = append(j.saved, kvstore.Item{})
		}
		if bytes.Equal(page, j.saved[n].Value) {
			continue
		}
		rev, err := j.store.Save(ctx, j.key(n), page, j.saved[n].Rev)
		if err != nil {
			return fmt.Errorf("example: save queue: %w", err)
		}
		j.saved[n] = kvstore.Item{Value: page, Rev: rev}
	}
	return nil
}

// clear empties the journal, in the store too. The last page goes first, so that
// no crash leaves pages without those before them.
func (j *journal) clear(ctx context.Context) error {
	for n := len(j.saved) - 1; n >= 0; n-- {
		if err := j.store.Delete(ctx, j.key(n), j.saved[n].Rev); err != nil {
			return fmt.Errorf("example: clear queue: %w", err)
		}
		j.saved = j.saved[:n]
	}
	j.Update(func(l *ledger) { *l = ledger{} })
	return nil
}

func (j *journal) key(page int) string { return fmt.Sprintf("%s/%d", j.name, page) }

// pages returns the ledger cut into pages of JSON.
func (j *journal) pages() (pages [][]byte, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for start := 0; start < len(j.ledger.URLs); start += urlsPerPage {
		page, err := json.Marshal(j.ledger.slice(start, min(start+urlsPerPage, len(j.ledger.URLs))))
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// slice returns the URLs from start to end as a ledger of their own.
func (l *ledger) slice(start, end int) ledger {
	part := ledger{URLs: l.URLs[start:end], Tries: make(map[int]int)}
	for i := range part.URLs {
		if l.Done.has(start + i) {
			part.Done.add(i)
		}
		if n := l.Tries[start+i]; n > 0 {
			part.Tries[i] = n
		}
	}
	return part
}

// append undoes slice.
func (l *ledger) append(part ledger) {
	start := len(l.URLs)
	l.URLs = append(l.URLs, part.URLs...)
	for i := range part.URLs {
		if part.Done.has(i) {
			l.Done.add(start + i)
		}
		if n := part.Tries[i]; n > 0 {
			l.setTries(start+i, n)
		}
	}
}
