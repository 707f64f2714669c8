package stats

import (
	"context"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Run reads each record as soon as the store tells that it has changed, where
// the store is a kvstore.Watcher, and all of them once each interval, until ctx
// ends; then it returns nil. Failures are in Members, and the next turn tries
// again; a turn takes a minute at most.
func (f *Fleet) Run(ctx context.Context, every time.Duration) error {
	if every <= 0 {
		return fmt.Errorf("stats: run fleet %q: the interval is %v: give a positive one", f.id, every)
	}
	changes := f.watch(ctx)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			f.refreshInTime(ctx)
		case change, open := <-changes:
			if !open {
				changes = nil // the interval goes on
				continue
			}
			f.follow(ctx, change)
		}
	}
}

// turnMost is what a turn of Run may take of a store that hangs, before it is
// told in Members and tried anew.
const turnMost = time.Minute

func (f *Fleet) refreshInTime(ctx context.Context) {
	turn, cancel := context.WithTimeout(ctx, turnMost)
	defer cancel()
	if err := f.Refresh(turn); err != nil && ctx.Err() == nil {
		f.fail(err)
	}
}

// follow reads the one record that has changed.
func (f *Fleet) follow(ctx context.Context, change kvstore.Event) {
	if !f.owns(change.Key) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, turnMost)
	defer cancel()
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return
	}
	there := f.load(ctx, change.Key)
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[change.Key]; m != nil && ctx.Err() == nil {
		m.vanished = !there
	}
}

// watch returns the changes of the records, nil where the store cannot tell.
func (f *Fleet) watch(ctx context.Context) <-chan kvstore.Event {
	w, ok := f.store.(kvstore.Watcher)
	if !ok {
		return nil
	}
	changes, err := w.Watch(ctx, Key(f.id, ""))
	if err != nil {
		return nil
	}
	return changes
}

// fail notes with every member that the store did not answer.
func (f *Fleet) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		m.err = err
	}
}
