package events_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/events"
)

// saved and moved are events of a program's own.
type (
	saved struct{ N int }
	moved struct{ N int }
)

func TestPublishCallsSubscribersInOrder(t *testing.T) {
	var bus events.Bus
	var got []string
	note := func(name string) func(context.Context, saved) error {
		return func(_ context.Context, e saved) error {
			got = append(got, name)
			if e.N != 7 {
				t.Errorf("%s got %d, want 7", name, e.N)
			}
			return nil
		}
	}
	events.Subscribe(&bus, note("a"))
	stopB := events.Subscribe(&bus, note("b"))
	events.Subscribe(&bus, note("c"))
	events.Subscribe(&bus, func(context.Context, moved) error {
		t.Error("an event reached a subscriber of another type")
		return nil
	})

	publish(t, &bus, saved{7})
	stopB()
	stopB() // a second call removes nobody else
	publish(t, &bus, saved{7})

	if diff := cmp.Diff([]string{"a", "b", "c", "a", "c"}, got); diff != "" {
		t.Error(diff)
	}
	if n := events.Subscribers[saved](&bus); n != 2 {
		t.Errorf("%d subscribers, want 2", n)
	}
}

func TestSameFunctionTwice(t *testing.T) {
	var bus events.Bus
	calls := 0
	fn := func(context.Context, saved) error { calls++; return nil }
	stop := events.Subscribe(&bus, fn)
	events.Subscribe(&bus, fn)
	publish(t, &bus, saved{})
	stop()
	publish(t, &bus, saved{})
	if calls != 3 {
		t.Errorf("%d calls, want 3: two registrations, then one", calls)
	}
}

func TestErrorsAndPanicsReachThePublisherAndNobodyElse(t *testing.T) {
	var bus events.Bus
	full, broken := errors.New("disk full"), errors.New("broken")
	reached := false
	events.Subscribe(&bus, func(context.Context, saved) error { return full })
	events.Subscribe(&bus, func(context.Context, saved) error { panic("boom") })
	events.Subscribe(&bus, func(context.Context, saved) error { panic(broken) })
	events.Subscribe(&bus, func(context.Context, saved) error { reached = true; return nil })

	err := events.Publish(t.Context(), &bus, saved{})
	if !errors.Is(err, full) || !errors.Is(err, broken) {
		t.Errorf("error %v does not hold what was returned and what was panicked with", err)
	}
	var p *events.PanicError
	if !errors.As(err, &p) || p.Value != "boom" || !strings.Contains(string(p.Stack), "bus_test.go") {
		t.Errorf("error %v holds no PanicError with its value and stack", err)
	}
	want := `events: handle events_test.saved: disk full
events: handle events_test.saved: subscriber panicked: boom
events: handle events_test.saved: subscriber panicked: broken`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if !reached {
		t.Error("the last subscriber did not run")
	}
}

func TestContextReachesSubscribersEvenWhenCancelled(t *testing.T) {
	var bus events.Bus
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got error
	events.Subscribe(&bus, func(ctx context.Context, _ saved) error { got = ctx.Err(); return nil })
	if err := events.Publish(ctx, &bus, saved{}); err != nil {
		t.Error(err)
	}
	if !errors.Is(got, context.Canceled) {
		t.Errorf("subscriber saw %v, want the cancelled context", got)
	}
}

func TestSubscribersMayUseTheBus(t *testing.T) {
	var bus events.Bus
	var got []string
	var stop func()
	stop = events.Subscribe(&bus, func(ctx context.Context, e saved) error {
		got = append(got, "outer")
		stop()
		events.Subscribe(&bus, func(context.Context, saved) error { got = append(got, "late"); return nil })
		return events.Publish(ctx, &bus, moved(e))
	})
	events.Subscribe(&bus, func(context.Context, moved) error { got = append(got, "inner"); return nil })
	events.Subscribe(&bus, func(context.Context, saved) error { got = append(got, "second"); return nil })

	publish(t, &bus, saved{1})
	publish(t, &bus, saved{2})

	want := []string{"outer", "inner", "second", "second", "late"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPointersAndInterfacesAreRefused(t *testing.T) {
	var bus events.Bus
	mustPanic(t, "*events_test.saved", func() {
		events.Subscribe(&bus, func(context.Context, *saved) error { return nil })
	})
	mustPanic(t, "error", func() {
		events.Subscribe(&bus, func(context.Context, error) error { return nil })
	})
	mustPanic(t, "nil function", func() { events.Subscribe[saved](&bus, nil) })

	for _, err := range []error{
		events.Publish(t.Context(), &bus, &saved{}),
		events.Publish[any](t.Context(), &bus, saved{}),
		events.Publish(t.Context(), nil, &saved{}), // wrong with nobody listening too
	} {
		if err == nil {
			t.Error("published a pointer or interface: want an error")
		}
	}
}

func mustPanic(t *testing.T, want string, fn func()) {
	t.Helper()
	defer func() {
		msg, _ := recover().(string)
		if !strings.HasPrefix(msg, "events: BUG: ") || !strings.Contains(msg, want) {
			t.Errorf("panic %q, want one of ours about %q", msg, want)
		}
	}()
	fn()
}

func TestNilBusHasNoListeners(t *testing.T) {
	var bus *events.Bus
	stop := events.Subscribe(bus, func(context.Context, saved) error { return errors.New("called") })
	stop()
	publish(t, bus, saved{})
	if n := events.Subscribers[saved](bus); n != 0 {
		t.Errorf("%d subscribers, want 0", n)
	}
}

func TestPublishDoesNotAllocate(t *testing.T) {
	var bus events.Bus
	var sum int
	for range 3 {
		events.Subscribe(&bus, func(_ context.Context, e saved) error { sum += e.N; return nil })
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { _ = events.Publish(ctx, &bus, saved{1}) }); n != 0 {
		t.Errorf("%v allocations per Publish, want none", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = events.Publish(ctx, &bus, moved{1}) }); n != 0 {
		t.Errorf("%v allocations per Publish to nobody, want none", n)
	}
}

// TestConcurrentUse has subscribers come and go while others publish. One that
// stays must see every event.
func TestConcurrentUse(t *testing.T) {
	var bus events.Bus
	var mu sync.Mutex
	seen := 0
	events.Subscribe(&bus, func(context.Context, saved) error {
		mu.Lock()
		defer mu.Unlock()
		seen++
		return nil
	})
	const goroutines, each = 8, 200
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range each {
				stop := events.Subscribe(&bus, func(context.Context, saved) error { return nil })
				if err := events.Publish(t.Context(), &bus, saved{i}); err != nil {
					t.Error(err)
				}
				stop()
			}
		})
	}
	wg.Wait()
	if seen != goroutines*each {
		t.Errorf("the lasting subscriber saw %d events, want %d", seen, goroutines*each)
	}
	if n := events.Subscribers[saved](&bus); n != 1 {
		t.Errorf("%d subscribers left, want 1", n)
	}
}

func publish[E any](t *testing.T, b *events.Bus, e E) {
	t.Helper()
	if err := events.Publish(t.Context(), b, e); err != nil {
		t.Error(err)
	}
}

func BenchmarkPublish(b *testing.B) {
	var bus events.Bus
	events.Subscribe(&bus, func(context.Context, saved) error { return nil })
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		_ = events.Publish(ctx, &bus, saved{1})
	}
}
