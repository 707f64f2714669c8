package kvstoretest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

func TestFaultyCounts(t *testing.T) {
	ctx := t.Context()
	f := NewFaulty(kvstore.NewMemory())
	f.Inject(Fault{Op: Save, Nth: 2, Err: kvstore.ErrNoSpace})
	f.Inject(Fault{Nth: 4, Err: kvstore.ErrUnavailable})
	rev, err := f.Save(ctx, "k", []byte("one"), 0) // save 1, call 1
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(ctx, "k"); err != nil { // call 2
		t.Errorf("Load met a fault of Save: %v", err)
	}
	if _, err := f.Save(ctx, "k", []byte("two"), rev); !errors.Is(err, kvstore.ErrNoSpace) { // save 2, call 3
		t.Errorf("second Save: %v, want ErrNoSpace", err)
	}
	if it, err := f.Load(ctx, "k"); !errors.Is(err, kvstore.ErrUnavailable) { // call 4
		t.Errorf("fourth call: %q, %v, want ErrUnavailable", it.Value, err)
	}
	if it, err := f.Load(ctx, "k"); err != nil || string(it.Value) != "one" { // the faults are used up
		t.Errorf("Load = %q, %v", it.Value, err)
	}
	if f.Calls(Save) != 2 || f.Calls(Load) != 3 || f.Calls(Any) != 5 || f.Calls(Sync) != 0 {
		t.Errorf("calls: %d saves, %d loads, %d in all", f.Calls(Save), f.Calls(Load), f.Calls(Any))
	}
}

func TestFaultyAppliesThenFails(t *testing.T) {
	ctx := t.Context()
	f := NewFaulty(kvstore.NewMemory())
	f.Inject(Fault{Op: Save, Err: kvstore.ErrUnknown, Applied: true})
	if rev, err := f.Save(ctx, "k", []byte("v"), 0); !errors.Is(err, kvstore.ErrUnknown) || rev != 0 {
		t.Errorf("Save = %d, %v, want ErrUnknown", rev, err)
	}
	it, err := f.Load(ctx, "k")
	if err != nil || string(it.Value) != "v" {
		t.Errorf("the save was not applied: %v", err)
	}
	f.Heal()
	if _, err := f.Save(ctx, "k", []byte("w"), it.Rev); err != nil {
		t.Errorf("Save after Heal: %v", err)
	}
}

func TestFaultyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFaulty(kvstore.NewMemory())
		release := make(chan struct{})
		f.Inject(Fault{Op: Save, Nth: 1, Delay: time.Minute})
		f.Inject(Fault{Op: Save, Nth: 2, Block: release})
		start := time.Now()
		rev, err := f.Save(t.Context(), "k", []byte("slow"), 0)
		if err != nil || time.Since(start) != time.Minute {
			t.Errorf("slow Save took %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Save(ctx, "k", []byte("never"), rev); !errors.Is(err, kvstore.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("blocked Save: %v, want ErrUnavailable", err)
		}
		f.Inject(Fault{Op: Save, Block: release})
		time.AfterFunc(time.Hour, func() { close(release) })
		if _, err := f.Save(t.Context(), "k", []byte("released"), rev); err != nil || time.Since(start) < time.Hour {
			t.Errorf("blocked Save after %v: %v", time.Since(start), err)
		}
	})
}

func TestFaultyOptional(t *testing.T) {
	f := NewFaulty(struct{ kvstore.Store }{kvstore.NewMemory()})
	if err := f.Sync(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Sync: %v, want ErrUnsupported", err)
	}
	if _, err := f.Watch(t.Context(), ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Watch: %v, want ErrUnsupported", err)
	}
	if err := listError(t.Context(), f); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("List: %v, want ErrUnsupported", err)
	}
	if info := f.Describe(); info.Engine != "unknown" {
		t.Errorf("Describe = %+v", info)
	}
}
