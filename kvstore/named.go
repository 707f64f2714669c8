package kvstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
)

// Named returns a store inside st that sees only the keys of its name; "" means
// "default". Two names never meet, whatever they contain, and neither do a name
// and the keys that st itself is given, unless those start with "@". A named
// store can hold named stores in turn. The name takes its part of MaxKey.
//
// The result implements Lister, Syncer, Watcher and Describer. Where st lacks
// one of them, its method returns an error that wraps errors.ErrUnsupported,
// and Describe names the engine "unknown". Closing the result closes only this
// view: st is closed by whoever opened it, after its views.
func Named(st Store, name string) Store {
	if name == "" {
		name = "default"
	}
	return &named{inner: st, prefix: "@" + escapeName(name) + "/"}
}

type named struct {
	inner  Store
	prefix string // ends with a slash, which an escaped name cannot contain
	closed atomic.Bool
}

// escapeName keeps [A-Za-z0-9_-] and writes every other byte as =XX.
func escapeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

func (n *named) Load(ctx context.Context, key string) (Item, error) {
	if n.closed.Load() {
		return Item{}, n.fail("load", ErrClosed)
	}
	return n.inner.Load(ctx, n.prefix+key)
}

func (n *named) Save(ctx context.Context, key string, value []byte, prev Revision) (Revision, error) {
	if n.closed.Load() {
		return 0, n.fail("save", ErrClosed)
	}
	return n.inner.Save(ctx, n.prefix+key, value, prev)
}

func (n *named) Delete(ctx context.Context, key string, prev Revision) error {
	if n.closed.Load() {
		return n.fail("delete", ErrClosed)
	}
	return n.inner.Delete(ctx, n.prefix+key, prev)
}

func (n *named) Close(context.Context) error {
	n.closed.Store(true)
	return nil
}

func (n *named) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lister, ok := n.inner.(Lister)
		switch {
		case n.closed.Load():
			yield("", n.fail("list", ErrClosed))
			return
		case !ok:
			yield("", n.fail("list", errors.ErrUnsupported))
			return
		}
		for key, err := range lister.List(ctx, n.prefix+prefix) {
			if !yield(strings.TrimPrefix(key, n.prefix), err) {
				return
			}
		}
	}
}

func (n *named) Sync(ctx context.Context) error {
	syncer, ok := n.inner.(Syncer)
	switch {
	case n.closed.Load():
		return n.fail("sync", ErrClosed)
	case !ok:
		return n.fail("sync", errors.ErrUnsupported)
	}
	return syncer.Sync(ctx)
}

// Watch forwards the events of this name. Its goroutine ends when the channel
// of the inner store does, that is with ctx.
func (n *named) Watch(ctx context.Context, prefix string) (<-chan Event, error) {
	watcher, ok := n.inner.(Watcher)
	switch {
	case n.closed.Load():
		return nil, n.fail("watch", ErrClosed)
	case !ok:
		return nil, n.fail("watch", errors.ErrUnsupported)
	}
	in, err := watcher.Watch(ctx, n.prefix+prefix)
	if err != nil {
		return nil, err
	}
	out := make(chan Event)
	go func() {
		defer close(out)
		for e := range in {
			if ctx.Err() != nil {
				continue // a select might still send it
			}
			e.Key = strings.TrimPrefix(e.Key, n.prefix)
			select {
			case out <- e:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}

func (n *named) Describe() Info {
	if d, ok := n.inner.(Describer); ok {
		return d.Describe()
	}
	return Info{Engine: "unknown"}
}

func (n *named) fail(verb string, err error) error {
	return fmt.Errorf("kvstore: %s in %s: %w", verb, strings.TrimSuffix(n.prefix, "/"), err)
}
