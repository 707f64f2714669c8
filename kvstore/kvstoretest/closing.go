package kvstoretest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

func doneContext(t testing.TB, st kvstore.Store) {
	rev := mustSave(t, st, "k", []byte("one"), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	if _, err := st.Load(ctx, "k"); err == nil {
		t.Errorf("Load with a cancelled context succeeded")
	}
	if _, err := st.Save(ctx, "k", []byte("two"), rev); err == nil {
		t.Errorf("Save with a cancelled context succeeded")
	} else if !errors.Is(err, kvstore.ErrUnknown) {
		wantItem(t, st, "k", "one", rev)
	}
	if err := st.Delete(ctx, "k", rev); err == nil {
		t.Errorf("Delete with a cancelled context succeeded")
	}
	if lister, ok := st.(kvstore.Lister); ok {
		if err := listError(ctx, lister); err == nil {
			t.Errorf("List with a cancelled context succeeded")
		}
	}
	if d := time.Since(start); d > prompt {
		t.Errorf("calls with a cancelled context took %v", d)
	}
}

func listError(ctx context.Context, st kvstore.Lister) error {
	for _, err := range st.List(ctx, "") {
		if err != nil {
			return err
		}
	}
	return nil
}

func closeStore(t testing.TB, st kvstore.Store) {
	ctx := t.Context()
	rev := mustSave(t, st, "k", []byte("one"), 0)
	for range 2 {
		if err := st.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	calls := map[string]error{"Delete": st.Delete(ctx, "k", rev)}
	_, calls["Load"] = st.Load(ctx, "k")
	_, calls["Save"] = st.Save(ctx, "k", nil, rev)
	if lister, ok := st.(kvstore.Lister); ok {
		calls["List"] = listError(ctx, lister)
	}
	if syncer, ok := st.(kvstore.Syncer); ok {
		if err := syncer.Sync(ctx); !errors.Is(err, errors.ErrUnsupported) {
			calls["Sync"] = err
		}
	}
	for name, err := range calls {
		if !errors.Is(err, kvstore.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
}

func closeWithDoneContext(t testing.TB, st kvstore.Store) {
	mustSave(t, st, "k", []byte("one"), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	if err := st.Close(ctx); err != nil {
		t.Errorf("Close with a cancelled context: %v", err)
	}
	if d := time.Since(start); d > prompt {
		t.Errorf("Close with a cancelled context took %v", d)
	}
}

// closeInUse closes under running calls: they succeed or say ErrClosed.
func closeInUse(t testing.TB, st kvstore.Store) {
	var running, wg sync.WaitGroup
	for w := range 4 {
		running.Add(1)
		wg.Go(func() {
			var rev kvstore.Revision
			for i := 0; ; i++ {
				next, err := st.Save(t.Context(), string(rune('a'+w)), []byte("v"), rev)
				if i == 0 {
					running.Done()
				}
				if err != nil {
					if !errors.Is(err, kvstore.ErrClosed) {
						t.Errorf("Save during Close: %v, want ErrClosed", err)
					}
					return
				}
				rev = next
			}
		})
	}
	running.Wait()
	if err := st.Close(t.Context()); err != nil {
		t.Errorf("Close in use: %v", err)
	}
	wg.Wait()
}

func describe(t testing.TB, st kvstore.Store) {
	d, ok := st.(kvstore.Describer)
	if !ok {
		t.Skip("the store is no Describer")
	}
	info := d.Describe()
	if info.Engine == "" || info.MaxValue < 0 || info.SuggestedInterval < 0 {
		t.Errorf("Describe() = %+v, want an engine and no negative figure", info)
	}
	if strings.ContainsAny(info.Engine+info.Location, "\n\x00") {
		t.Errorf("Describe() = %+v, want one line", info)
	}
}
