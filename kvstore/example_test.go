package kvstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/crawlstats/crawlstats/kvstore"
)

func ExampleStore() {
	ctx := context.Background()
	var st kvstore.Store = kvstore.NewMemory()
	defer st.Close(ctx)

	rev, _ := st.Save(ctx, "greeting", []byte("hello"), 0) // must not exist yet
	_, err := st.Save(ctx, "greeting", []byte("hi"), 0)
	fmt.Println(errors.Is(err, kvstore.ErrConflict))

	st.Save(ctx, "greeting", []byte("hi"), rev)
	it, _ := st.Load(ctx, "greeting")
	fmt.Println(string(it.Value))
	// Output:
	// true
	// hi
}

// A writer that lost a race loads what won, applies its change to that, and
// saves again.
func ExampleRevision() {
	ctx := context.Background()
	st := kvstore.NewMemory()
	add := func(s string) error {
		for {
			it, err := st.Load(ctx, "log")
			if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
				return err // without one, it.Rev is zero: the key must not exist
			}
			_, err = st.Save(ctx, "log", append(it.Value, s...), it.Rev)
			if !errors.Is(err, kvstore.ErrConflict) {
				return err
			}
		}
	}
	fmt.Println(add("a"), add("b"))
	it, _ := st.Load(ctx, "log")
	fmt.Println(string(it.Value))
	// Output:
	// <nil> <nil>
	// ab
}

// The optional interfaces are found by asking.
func ExampleDescriber() {
	var st kvstore.Store = kvstore.NewMemory()
	if d, ok := st.(kvstore.Describer); ok {
		info := d.Describe()
		fmt.Println(info.Engine, "shared:", info.Shared, "every", info.SuggestedInterval)
	}
	_, canSync := st.(kvstore.Syncer)
	fmt.Println("needs a sync:", canSync)
	// Output:
	// memory shared: false every 1s
	// needs a sync: false
}

func ExampleMemory() {
	ctx := context.Background()
	st := kvstore.NewMemory()
	st.Save(ctx, "pages/1", nil, 0)
	st.Save(ctx, "other", nil, 0)
	for key, err := range st.List(ctx, "pages/") {
		fmt.Println(key, err)
	}
	// Output: pages/1 <nil>
}

func ExampleDir() {
	dir, _ := os.MkdirTemp("", "stats")
	defer os.RemoveAll(dir)
	ctx := context.Background()

	st, err := kvstore.OpenDir(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	st.Save(ctx, "shop/eu", []byte("42 pages"), 0)
	st.Close(ctx)

	st, _ = kvstore.OpenDir(dir)
	defer st.Close(ctx)
	it, err := st.Load(ctx, "shop/eu")
	fmt.Println(string(it.Value), err)
	// Output: 42 pages <nil>
}

func ExampleNamed() {
	ctx := context.Background()
	st := kvstore.NewMemory()
	defer st.Close(ctx) // the views do not own it

	shop, news := kvstore.Named(st, "shop"), kvstore.Named(st, "news")
	shop.Save(ctx, "state", []byte("of the shop"), 0)
	_, err := news.Load(ctx, "state")
	fmt.Println(errors.Is(err, kvstore.ErrNotFound))
	// Output: true
}

func ExampleLockedError() {
	err := fmt.Errorf("open: %w", &kvstore.LockedError{PID: 4711})
	var locked *kvstore.LockedError
	if errors.Is(err, kvstore.ErrLocked) && errors.As(err, &locked) {
		fmt.Println("process", locked.PID, "has it")
	}
	// Output: process 4711 has it
}

// Capabilities beyond the Store are interfaces of their own: ask for them.
func ExampleLister() {
	ctx := context.Background()
	var st kvstore.Store = kvstore.NewMemory()
	if _, err := st.Save(ctx, "a", []byte("1"), 0); err != nil {
		fmt.Println(err)
	}
	if lister, ok := st.(kvstore.Lister); ok {
		for key, err := range lister.List(ctx, "") {
			var item kvstore.Item
			if err == nil {
				item, err = st.Load(ctx, key)
			}
			fmt.Println(key, string(item.Value), err)
		}
	}
	if d, ok := st.(kvstore.Describer); ok {
		var info kvstore.Info = d.Describe()
		fmt.Println(info.Engine)
	}
	_, watches := st.(kvstore.Watcher)
	var none kvstore.Event
	fmt.Println(watches, none.Key == "")
	// Output:
	// a 1 <nil>
	// memory
	// false true
}
