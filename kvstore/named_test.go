package kvstore

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestNamesNeverMeet saves the same key under names that look alike.
func TestNamesNeverMeet(t *testing.T) {
	st := NewMemory()
	names := []string{"default", "Default", "a", "a/b", "a=2Fb", "a/", "@a", "=", "ü", "\x00", " "}
	for _, name := range names {
		mustSave(t, Named(st, name), "k", "value of "+name, 0)
	}
	mustSave(t, Named(Named(st, "a"), "b"), "k", "nested", 0)
	mustSave(t, st, "k", "plain", 0)
	for _, name := range names {
		it, err := Named(st, name).Load(t.Context(), "k")
		if err != nil || string(it.Value) != "value of "+name {
			t.Errorf("in %q: %q, %v", name, it.Value, err)
		}
	}
	if it, err := Named(st, "").Load(t.Context(), "k"); err != nil || string(it.Value) != "value of default" {
		t.Errorf(`name "" is not "default": %q, %v`, it.Value, err)
	}
	var keys []string
	for key, err := range Named(st, "a").(Lister).List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if want := []string{"@b/k", "k"}; !slices.Equal(keys, want) {
		t.Errorf("List = %q, want %q", keys, want)
	}
}

func TestNamedClose(t *testing.T) {
	st := NewMemory()
	view, other := Named(st, "x"), Named(st, "x")
	rev := mustSave(t, view, "k", "v", 0)
	if err := view.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := view.(Syncer).Sync(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Sync of a closed view: %v, want ErrClosed", err)
	}
	if _, err := view.(Watcher).Watch(t.Context(), ""); !errors.Is(err, ErrClosed) {
		t.Errorf("Watch of a closed view: %v, want ErrClosed", err)
	}
	mustSave(t, other, "k", "w", rev)
}

// bare is a store without the optional interfaces.
type bare struct{ Store }

func TestNamedUnsupported(t *testing.T) {
	view := Named(bare{NewMemory()}, "x")
	if err := view.(Syncer).Sync(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Sync: %v, want ErrUnsupported", err)
	}
	if _, err := view.(Watcher).Watch(t.Context(), ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Watch: %v, want ErrUnsupported", err)
	}
	for _, err := range view.(Lister).List(t.Context(), "") {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("List: %v, want ErrUnsupported", err)
		}
	}
	if info := view.(Describer).Describe(); info.Engine != "unknown" {
		t.Errorf("Describe = %+v", info)
	}
}

// watched is a store that reports what the test tells it.
type watched struct {
	Store
	prefix string
	events chan Event
	synced int
}

func (w *watched) Watch(_ context.Context, prefix string) (<-chan Event, error) {
	w.prefix = prefix
	return w.events, nil
}

func (w *watched) Sync(context.Context) error { w.synced++; return nil }

func TestNamedForwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{Store: NewMemory(), events: make(chan Event)}
		view := Named(w, "x")
		if err := view.(Syncer).Sync(t.Context()); err != nil || w.synced != 1 {
			t.Errorf("Sync: %v, forwarded %d times", err, w.synced)
		}
		ctx, cancel := context.WithCancel(t.Context())
		events, err := view.(Watcher).Watch(ctx, "a")
		if err != nil || w.prefix != "@x/a" {
			t.Fatalf("Watch asked for %q: %v", w.prefix, err)
		}
		w.events <- Event{Key: "@x/ab", Rev: 3}
		if e := <-events; e != (Event{Key: "ab", Rev: 3}) {
			t.Errorf("event %+v", e)
		}
		cancel()
		w.events <- Event{Key: "@x/ac"} // nobody reads any more
		close(w.events)
		if _, open := <-events; open {
			t.Error("an event after the context ended")
		}
	})
}

func TestLockedError(t *testing.T) {
	for pid, want := range map[int]string{0: "locked by another process", 7: "locked by another process (pid 7)"} {
		err := &LockedError{PID: pid}
		if err.Error() != want || !errors.Is(err, ErrLocked) || errors.Is(err, ErrClosed) {
			t.Errorf("LockedError{%d} is %q", pid, err)
		}
	}
}
