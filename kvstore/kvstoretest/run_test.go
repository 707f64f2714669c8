package kvstoretest

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

func TestRun(t *testing.T) {
	Run(t, func(*testing.T) kvstore.Store { return NewFaulty(kvstore.NewMemory()) })
}

// broken is a store with one fault, which the suite must find.
type broken struct {
	*kvstore.Memory
	load   func(m *kvstore.Memory, ctx context.Context, key string) (kvstore.Item, error)
	save   func(m *kvstore.Memory, ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error)
	delete func(m *kvstore.Memory, ctx context.Context, key string, prev kvstore.Revision) error
	list   func(m *kvstore.Memory, ctx context.Context, prefix string) iter.Seq2[string, error]
	close  func(m *kvstore.Memory, ctx context.Context) error
}

func (b *broken) Load(ctx context.Context, key string) (kvstore.Item, error) {
	if b.load != nil {
		return b.load(b.Memory, ctx, key)
	}
	return b.Memory.Load(ctx, key)
}

func (b *broken) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	if b.save != nil {
		return b.save(b.Memory, ctx, key, value, prev)
	}
	return b.Memory.Save(ctx, key, value, prev)
}

func (b *broken) Delete(ctx context.Context, key string, prev kvstore.Revision) error {
	if b.delete != nil {
		return b.delete(b.Memory, ctx, key, prev)
	}
	return b.Memory.Delete(ctx, key, prev)
}

func (b *broken) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if b.list != nil {
		return b.list(b.Memory, ctx, prefix)
	}
	return b.Memory.List(ctx, prefix)
}

func (b *broken) Close(ctx context.Context) error {
	if b.close != nil {
		return b.close(b.Memory, ctx)
	}
	return b.Memory.Close(ctx)
}

// blindly saves whatever the revision.
func blindly(m *kvstore.Memory, ctx context.Context, key string, value []byte, _ kvstore.Revision) (kvstore.Revision, error) {
	it, _ := m.Load(ctx, key)
	return m.Save(ctx, key, value, it.Rev)
}

func TestBrokenStoresFail(t *testing.T) {
	for _, test := range []struct {
		name  string
		store func() *broken
		fails []string // all checks that fail
	}{
		{"sound", func() *broken { return &broken{} }, nil},
		{
			"saves blindly", func() *broken { return &broken{save: blindly} },
			[]string{"CompareAndSet", "RevisionsNeverReturn", "Racers"},
		},
		{"checks only whether the key exists", func() *broken {
			return &broken{save: func(m *kvstore.Memory, ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
				if it, err := m.Load(ctx, key); err == nil && prev != 0 {
					prev = it.Rev
				}
				return m.Save(ctx, key, value, prev)
			}}
		}, []string{"CompareAndSet", "Racers"}},
		{"deletes blindly", func() *broken {
			return &broken{delete: func(m *kvstore.Memory, ctx context.Context, key string, _ kvstore.Revision) error {
				it, _ := m.Load(ctx, key)
				return m.Delete(ctx, key, it.Rev)
			}}
		}, []string{"Delete"}},
		{"keeps the caller's slice", func() *broken {
			var mu sync.Mutex
			kept := make(map[string][]byte)
			return &broken{
				save: func(m *kvstore.Memory, ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
					mu.Lock()
					defer mu.Unlock()
					rev, err := m.Save(ctx, key, value, prev)
					if err == nil {
						kept[key] = value
					}
					return rev, err
				},
				load: func(m *kvstore.Memory, ctx context.Context, key string) (kvstore.Item, error) {
					mu.Lock()
					defer mu.Unlock()
					it, err := m.Load(ctx, key)
					it.Value = kept[key]
					return it, err
				},
			}
		}, []string{"Copies"}},
		{"takes a short value for none", func() *broken {
			return &broken{load: func(m *kvstore.Memory, ctx context.Context, key string) (kvstore.Item, error) {
				it, err := m.Load(ctx, key)
				if err == nil && len(it.Value) == 0 {
					err = kvstore.ErrNotFound
				}
				return it, err
			}}
		}, []string{"Values"}},
		{"folds case", func() *broken {
			return &broken{save: func(m *kvstore.Memory, ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
				return m.Save(ctx, strings.ToLower(key), value, prev)
			}}
		}, []string{"Keys", "List"}},
		{"lists everything", func() *broken {
			return &broken{list: func(m *kvstore.Memory, ctx context.Context, _ string) iter.Seq2[string, error] {
				return m.List(ctx, "")
			}}
		}, []string{"List"}},
		{"hides its errors", func() *broken {
			return &broken{load: func(m *kvstore.Memory, ctx context.Context, key string) (kvstore.Item, error) {
				it, err := m.Load(ctx, key)
				if err != nil {
					err = fmt.Errorf("load: %v", err)
				}
				return it, err
			}}
		}, []string{"CompareAndSet", "Delete", "Close"}},
		{"ignores the context", func() *broken {
			return &broken{load: func(m *kvstore.Memory, ctx context.Context, key string) (kvstore.Item, error) {
				return m.Load(context.WithoutCancel(ctx), key)
			}}
		}, []string{"DoneContext"}},
		{"never closes", func() *broken {
			return &broken{
				close: func(*kvstore.Memory, context.Context) error { return nil },
				save: func(m *kvstore.Memory, ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
					if prev > 1000 {
						return 0, kvstore.ErrClosed // so that CloseInUse ends
					}
					return m.Save(ctx, key, value, prev)
				},
			}
		}, []string{"Close"}},
		{"closes once", func() *broken {
			closed := false
			return &broken{close: func(m *kvstore.Memory, ctx context.Context) error {
				if closed {
					return kvstore.ErrClosed
				}
				closed = true
				return m.Close(ctx)
			}}
		}, []string{"Close"}},
		{"closes only in time", func() *broken {
			return &broken{close: func(m *kvstore.Memory, ctx context.Context) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return m.Close(ctx)
			}}
		}, []string{"CloseWithDoneContext"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var failed []string
			for _, c := range checks {
				st := test.store()
				st.Memory = kvstore.NewMemory()
				if (&verdict{TB: t}).of(c, st) {
					failed = append(failed, c.name)
				}
			}
			if !slices.Equal(failed, test.fails) {
				t.Errorf("the suite fails at %v, want %v", failed, test.fails)
			}
		})
	}
}

// verdict is a TB that only notes whether a check failed.
type verdict struct {
	testing.TB
	mu     sync.Mutex
	failed bool
}

func (v *verdict) of(c check, st kvstore.Store) (failed bool) {
	done := make(chan struct{})
	go func() { // Fatalf and Skip end the goroutine of the check
		defer close(done)
		c.run(v, st)
	}()
	<-done
	return v.failed
}

func (v *verdict) Errorf(string, ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Skip(...any) { runtime.Goexit() }
