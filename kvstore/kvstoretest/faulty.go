package kvstoretest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Op names a method of a store.
type Op string

// The methods that a Fault can meet. Any meets them all.
const (
	Any    Op = ""
	Load   Op = "load"
	Save   Op = "save"
	Delete Op = "delete"
	List   Op = "list"
	Watch  Op = "watch"
	Sync   Op = "sync"
	Close  Op = "close"
)

// Fault is what goes wrong with a call. A call first waits out Delay and Block;
// if its context ends meanwhile, it returns ErrUnavailable and was not applied.
type Fault struct {
	Op      Op              // the calls it meets; default all
	Nth     int             // only the nth of them from now on, counted from 1; default every one
	Err     error           // what the call returns; nil lets it through after the wait
	Applied bool            // the store is called before Err is returned, as when an answer gets lost
	Delay   time.Duration   // default none
	Block   <-chan struct{} // the call waits until it is closed; default it does not
}

// Faulty wraps a store and injects faults. It implements Lister, Syncer, Watcher
// and Describer by forwarding; where the store lacks one, the method returns an
// error that wraps errors.ErrUnsupported. It works in a testing/synctest bubble.
type Faulty struct {
	inner kvstore.Store

	mu     sync.Mutex
	faults []*Fault // Nth counts down to 1
	calls  map[Op]int
}

// NewFaulty returns a store that behaves like st until a fault is injected.
func NewFaulty(st kvstore.Store) *Faulty {
	return &Faulty{inner: st, calls: make(map[Op]int)}
}

// Inject adds a fault. Of several that meet the same call, the one injected
// first wins. A Fault with Nth is used up by its call.
func (f *Faulty) Inject(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
}

// Heal drops all faults. Calls that already wait go on waiting.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Calls returns how many calls of op were made, failed ones included.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if op != Any {
		return f.calls[op]
	}
	sum := 0
	for _, n := range f.calls {
		sum += n
	}
	return sum
}

// next counts a call and returns the fault it meets.
func (f *Faulty) next(op Op) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[op]++
	var met *Fault
	kept := f.faults[:0]
	for _, fault := range f.faults {
		meets := fault.Op == Any || fault.Op == op
		due := meets && fault.Nth <= 1
		if meets && fault.Nth > 1 {
			fault.Nth--
		}
		if due && met == nil {
			met = fault
			if fault.Nth == 1 {
				continue // used up
			}
		}
		kept = append(kept, fault)
	}
	f.faults = kept
	if met == nil {
		return Fault{}
	}
	return *met
}

// call runs op under the fault it meets.
func (f *Faulty) call(ctx context.Context, op Op, run func() error) error {
	fault := f.next(op)
	if err := fault.wait(ctx); err != nil {
		return fmt.Errorf("kvstoretest: %s: %w: %w", op, kvstore.ErrUnavailable, err)
	}
	if fault.Err == nil {
		return run()
	}
	if fault.Applied {
		_ = run() // the answer that gets lost
	}
	return fmt.Errorf("kvstoretest: %s: injected: %w", op, fault.Err)
}

func (f *Fault) wait(ctx context.Context) error {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if f.Block != nil {
		select {
		case <-f.Block:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Load loads from the wrapped store, unless a fault prevents it.
func (f *Faulty) Load(ctx context.Context, key string) (kvstore.Item, error) {
	var it kvstore.Item
	err := f.call(ctx, Load, func() (err error) {
		it, err = f.inner.Load(ctx, key)
		return err
	})
	if err != nil {
		return kvstore.Item{}, err
	}
	return it, nil
}

// Save saves to the wrapped store, unless a fault prevents it.
func (f *Faulty) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	var rev kvstore.Revision
	err := f.call(ctx, Save, func() (err error) {
		rev, err = f.inner.Save(ctx, key, value, prev)
		return err
	})
	if err != nil {
		return 0, err
	}
	return rev, nil
}

// Delete deletes from the wrapped store, unless a fault prevents it.
func (f *Faulty) Delete(ctx context.Context, key string, prev kvstore.Revision) error {
	return f.call(ctx, Delete, func() error { return f.inner.Delete(ctx, key, prev) })
}

// Close closes the wrapped store, unless a fault prevents it.
func (f *Faulty) Close(ctx context.Context) error {
	return f.call(ctx, Close, func() error { return f.inner.Close(ctx) })
}

// List lists the wrapped store. A fault comes before the first key.
func (f *Faulty) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lister, ok := f.inner.(kvstore.Lister)
		if err := f.call(ctx, List, func() error { return supported(ok) }); err != nil {
			yield("", err)
			return
		}
		lister.List(ctx, prefix)(yield)
	}
}

// Watch watches the wrapped store. A fault prevents that it begins.
func (f *Faulty) Watch(ctx context.Context, prefix string) (<-chan kvstore.Event, error) {
	watcher, ok := f.inner.(kvstore.Watcher)
	if err := f.call(ctx, Watch, func() error { return supported(ok) }); err != nil {
		return nil, err
	}
	return watcher.Watch(ctx, prefix)
}

// Sync syncs the wrapped store, unless a fault prevents it.
func (f *Faulty) Sync(ctx context.Context) error {
	return f.call(ctx, Sync, func() error {
		syncer, ok := f.inner.(kvstore.Syncer)
		if !ok {
			return supported(false)
		}
		return syncer.Sync(ctx)
	})
}

// Describe describes the wrapped store.
func (f *Faulty) Describe() kvstore.Info {
	if d, ok := f.inner.(kvstore.Describer); ok {
		return d.Describe()
	}
	return kvstore.Info{Engine: "unknown"}
}

func supported(ok bool) error {
	if !ok {
		return fmt.Errorf("kvstoretest: wrapped store: %w", errors.ErrUnsupported)
	}
	return nil
}
