package kvstore

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a Store whose values live and die with the process. It implements
// Lister and Describer and works inside a testing/synctest bubble.
type Memory struct {
	mu     sync.Mutex
	items  map[string]Item
	last   Revision // counts over all keys, so that no revision comes twice
	closed bool
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{items: make(map[string]Item)} }

// Load returns a copy of the value of key.
func (m *Memory) Load(ctx context.Context, key string) (Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok, err := m.current(ctx, key)
	switch {
	case err != nil:
		return Item{}, fmt.Errorf("kvstore: load %q: %w", key, err)
	case !ok:
		return Item{}, fmt.Errorf("kvstore: load %q: %w", key, ErrNotFound)
	}
	return Item{Value: slices.Clone(it.Value), Rev: it.Rev}, nil
}

// Save stores a copy of value if the revision of key is still prev.
func (m *Memory) Save(ctx context.Context, key string, value []byte, prev Revision) (Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, _, err := m.current(ctx, key)
	if err == nil && it.Rev != prev {
		err = ErrConflict
	}
	if err != nil {
		return 0, fmt.Errorf("kvstore: save %q: %w", key, err)
	}
	m.last++
	m.items[key] = Item{Value: slices.Clone(value), Rev: m.last}
	return m.last, nil
}

// Delete removes key if its revision is still prev.
func (m *Memory) Delete(ctx context.Context, key string, prev Revision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok, err := m.current(ctx, key)
	switch {
	case err != nil:
	case !ok:
		err = ErrNotFound
	case it.Rev != prev:
		err = ErrConflict
	}
	if err != nil {
		return fmt.Errorf("kvstore: delete %q: %w", key, err)
	}
	delete(m.items, key)
	return nil
}

// current returns what is stored under key, after the checks every call shares.
// The caller holds m.mu.
func (m *Memory) current(ctx context.Context, key string) (it Item, ok bool, err error) {
	if err := usable(ctx, key, m.closed); err != nil {
		return Item{}, false, err
	}
	it, ok = m.items[key]
	return it, ok, nil
}

// List yields the keys that start with prefix, as they were when it began.
func (m *Memory) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m.mu.Lock()
		err := usable(ctx, prefix, m.closed)
		keys := slices.Collect(maps.Keys(m.items))
		m.mu.Unlock()
		if err != nil {
			yield("", fmt.Errorf("kvstore: list %q: %w", prefix, err))
			return
		}
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
	}
}

// Describe says that the values are in this process only.
func (m *Memory) Describe() Info {
	return Info{Engine: "memory", SuggestedInterval: time.Second}
}

// Close drops every value.
func (m *Memory) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	clear(m.items)
	return nil
}

// usable holds the checks that every call to a store begins with.
func usable(ctx context.Context, key string, closed bool) error {
	switch {
	case closed:
		return ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	case len(key) > MaxKey:
		return fmt.Errorf("%w: the key has %d bytes, the most is %d", ErrTooLarge, len(key), MaxKey)
	}
	return nil
}
