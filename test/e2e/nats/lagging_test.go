package nats

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
)

// lagging is a bucket whose next reads come from a replica that is behind.
type lagging struct {
	jetstream.KeyValue
	old  jetstream.KeyValueEntry // what that one has; nil: nothing yet
	next atomic.Int64            // reads
}

func (l *lagging) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	switch {
	case l.next.Add(-1) < 0:
		return l.KeyValue.Get(ctx, key)
	case l.old == nil:
		return nil, jetstream.ErrKeyNotFound
	}
	return l.old, nil
}

func (l *lagging) Watch(ctx context.Context, keys string, opts ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	if l.next.Add(-1) >= 0 {
		keys = "nothing.>"
	}
	return l.KeyValue.Watch(ctx, keys, opts...)
}

// staleReads checks that a store does not go back behind what it met.
func staleReads(t *testing.T, kv jetstream.KeyValue) {
	ctx := t.Context()
	behind := &lagging{KeyValue: kv}
	st, other := open(t, behind, natsstore.Config{Prefix: "lag"}), open(t, kv, natsstore.Config{Prefix: "lag"})
	loads := func(what string, want kvstore.Revision) {
		t.Helper()
		behind.next.Store(3)
		it, err := st.Load(ctx, "k")
		if want == 0 && !errors.Is(err, kvstore.ErrNotFound) || want > 0 && (err != nil || it.Rev != want) {
			t.Errorf("%s: Load = %d, %v; want %d", what, it.Rev, err, want)
		}
		behind.next.Store(0)
	}
	save := func(st kvstore.Store, prev kvstore.Revision) kvstore.Revision {
		t.Helper()
		rev, err := st.Save(ctx, "k", []byte("v"), prev)
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	first := save(st, 0)
	fallBehind := func() {
		t.Helper()
		var err error
		if behind.old, err = kv.Get(ctx, "lag.k"); err != nil {
			t.Fatal(err)
		}
	}
	loads("saved", first)
	fallBehind()
	second := save(st, first)
	loads("saved again", second)
	fallBehind()
	third := save(other, second)
	if _, err := st.Save(ctx, "k", nil, second); !errors.Is(err, kvstore.ErrConflict) {
		t.Errorf("Save over what another saved: %v, want ErrConflict", err)
	}
	loads("lost a conflict", third)

	behind.next.Store(2)
	var keys []string
	for key, err := range st.List(ctx, "") {
		if err != nil {
			t.Error(err)
		}
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []string{"k"}) {
		t.Errorf("List = %q", keys)
	}

	if err := st.Delete(ctx, "k", third); err != nil {
		t.Fatal(err)
	}
	loads("deleted", 0)
	fourth := save(st, 0)
	loads("saved over the deletion", fourth)
	if err := other.Delete(ctx, "k", fourth); err != nil {
		t.Fatal(err)
	}
	loads("deleted by another", 0)
}
