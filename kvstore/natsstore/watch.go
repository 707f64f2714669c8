package natsstore

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

// List yields the keys that start with prefix, as they were when it began. It
// waits like Load for a replica that is behind.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		listed, err := call(ctx, s, prefix, kvstore.ErrUnavailable, func() (map[string]sight, error) { return s.list(ctx, prefix) })
		if err != nil {
			yield("", fmt.Errorf("natsstore: list %.300q: %w", prefix, err))
			return
		}
		for key, now := range listed {
			if !now.gone && !yield(key, nil) {
				return
			}
		}
	}
}

func (s *Store) list(ctx context.Context, prefix string) (map[string]sight, error) {
	for start := time.Now(); ; {
		listed, err := s.newest(ctx, prefix)
		if err != nil || time.Since(start) > staleMost || !s.seen.behind(prefix, listed) {
			return listed, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// newest returns what some replica has of each key, the deleted ones too.
func (s *Store) newest(ctx context.Context, prefix string) (map[string]sight, error) {
	watcher, err := s.kv.Watch(ctx, s.prefix+">", jetstream.MetaOnly())
	if err != nil {
		return nil, fault.Read(typed(err))
	}
	defer stop(watcher)
	listed := make(map[string]sight)
	for {
		select {
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return nil, fmt.Errorf("%w: the connection ended while the keys came", kvstore.ErrUnavailable)
			case entry == nil: // that was all
				return listed, nil
			}
			if key, ok := s.key(entry); ok && strings.HasPrefix(key, prefix) {
				listed[key] = sightOf(entry)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: not all keys came in time: %w", kvstore.ErrUnavailable, context.Cause(ctx))
		}
	}
}

// stop ends a watcher and takes what it still wants to give: it blocks on that.
func stop(watcher jetstream.KeyWatcher) {
	_ = watcher.Stop() // else it ended with its connection or its context
	for range watcher.Updates() {
	}
}

// key returns the key of an entry, unless something else wrote it.
func (s *Store) key(entry jetstream.KeyValueEntry) (string, bool) {
	key, err := unescape(strings.TrimPrefix(entry.Key(), s.prefix))
	return key, err == nil
}

func sightOf(entry jetstream.KeyValueEntry) sight {
	return sight{rev: entry.Revision(), gone: entry.Operation() != jetstream.KeyValuePut}
}

// Watch tells of the changes that come after it began, of keys that start with
// prefix; from a replica that is behind also of some that came just before. The
// channel is closed when ctx, the store or the connection ends.
func (s *Store) Watch(ctx context.Context, prefix string) (<-chan kvstore.Event, error) {
	watcher, err := call(ctx, s, prefix, kvstore.ErrUnavailable, func() (jetstream.KeyWatcher, error) {
		watcher, err := s.kv.Watch(ctx, s.prefix+">", jetstream.MetaOnly(), jetstream.UpdatesOnly())
		if err != nil {
			return nil, fault.Read(typed(err))
		}
		return watcher, nil
	})
	if err != nil {
		return nil, fmt.Errorf("natsstore: watch %.300q: %w", prefix, err)
	}
	events := make(chan kvstore.Event)
	if err := s.calls.Go(ctx, func() {
		defer close(events)
		defer stop(watcher)
		s.forward(ctx, watcher, prefix, events)
	}); err != nil {
		stop(watcher)
		return nil, fmt.Errorf("natsstore: watch %.300q: %w", prefix, err)
	}
	return events, nil
}

// forward passes on what the watcher gives. While nobody takes the events, the
// newest of each key waits, in the order in which the keys first changed.
func (s *Store) forward(ctx context.Context, watcher jetstream.KeyWatcher, prefix string, events chan<- kvstore.Event) {
	var waiting []string
	newest := make(map[string]kvstore.Event)
	for {
		var out chan<- kvstore.Event // nil while nothing waits
		var next kvstore.Event
		if len(waiting) > 0 {
			out, next = events, newest[waiting[0]]
		}
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return
			}
			key, ours := s.key(entry)
			if !ours || !strings.HasPrefix(key, prefix) {
				continue
			}
			now := sightOf(entry)
			s.seen.note(key, now) // so that a Load finds at least this
			event := kvstore.Event{Key: key}
			if !now.gone {
				event.Rev = kvstore.Revision(now.rev)
			}
			if _, waits := newest[key]; !waits {
				waiting = append(waiting, key)
			}
			newest[key] = event
		case out <- next:
			delete(newest, next.Key)
			waiting = waiting[1:]
		case <-ctx.Done():
			return
		case <-s.closing:
			return
		}
	}
}
