package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// A Bus carries events from those who publish them to those who subscribed to
// their type. Its zero value is ready to use; it must not be copied. A nil *Bus
// is one that nobody listens to: Subscribe and Publish do nothing.
type Bus struct {
	mu     sync.Mutex             // held by writers only
	topics atomic.Pointer[topics] // never changed in place
}

// topics holds a []*subscriber[E] under the type E.
type topics map[reflect.Type]any

type subscriber[E any] struct {
	fn func(context.Context, E) error
}

// Subscribe calls fn for each event of type E published on b, until unsubscribe
// is called. The same fn subscribed twice is called twice. unsubscribe may be
// called more than once and from inside fn; it does not wait for a call of fn
// that is under way.
//
// The type E is the topic, exactly as written: Subscribe panics when E is a
// pointer or an interface, since events are published as plain values and fn
// would never be called. It panics also when fn is nil.
func Subscribe[E any](b *Bus, fn func(context.Context, E) error) (unsubscribe func()) {
	if err := checkTopic[E](); err != nil {
		panic("events: BUG: subscribe to " + err.Error())
	}
	if fn == nil {
		panic(fmt.Sprintf("events: BUG: subscribe to %v with a nil function", reflect.TypeFor[E]()))
	}
	if b == nil {
		return func() {}
	}
	s := &subscriber[E]{fn}
	update(b, func(list []*subscriber[E]) []*subscriber[E] {
		return append(slices.Clip(list), s)
	})
	return func() {
		update(b, func(list []*subscriber[E]) []*subscriber[E] {
			return slices.DeleteFunc(slices.Clone(list), func(other *subscriber[E]) bool { return other == s })
		})
	}
}

// Publish calls every subscriber of type E with e, in the order they
// subscribed, and returns when all have returned. The error joins what they
// returned, each naming the type of the event; a panic is turned into a
// [*PanicError], and the remaining subscribers still run. An event that nobody
// subscribed to is no error.
//
// Publishing a pointer or an interface is an error: it would reach nobody.
func Publish[E any](ctx context.Context, b *Bus, e E) error {
	if err := checkTopic[E](); err != nil {
		return fmt.Errorf("events: publish %w", err)
	}
	var errs []error
	for _, s := range subscribers[E](b) {
		if err := s.call(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("events: handle %v: %w", reflect.TypeFor[E](), err))
		}
	}
	return errors.Join(errs...)
}

// Subscribers returns how many functions are subscribed to events of type E.
func Subscribers[E any](b *Bus) int { return len(subscribers[E](b)) }

// A PanicError tells that a subscriber panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // of the goroutine, as debug.Stack formats it
}

// Error tells the panic value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("subscriber panicked: %v", e.Value) }

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func (s *subscriber[E]) call(ctx context.Context, e E) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.fn(ctx, e)
}

// subscribers returns a list that is never changed in place.
func subscribers[E any](b *Bus) []*subscriber[E] {
	if b == nil {
		return nil
	}
	t := b.topics.Load()
	if t == nil {
		return nil
	}
	list, _ := (*t)[reflect.TypeFor[E]()].([]*subscriber[E])
	return list
}

// update replaces the subscribers of E by change(them), which must not change
// its argument. A topic without subscribers leaves no trace.
func update[E any](b *Bus, change func([]*subscriber[E]) []*subscriber[E]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := make(topics)
	if t := b.topics.Load(); t != nil {
		maps.Copy(next, *t)
	}
	topic := reflect.TypeFor[E]()
	if list := change(subscribers[E](b)); len(list) > 0 {
		next[topic] = list
	} else {
		delete(next, topic)
	}
	b.topics.Store(&next)
}

func checkTopic[E any]() error {
	switch t := reflect.TypeFor[E](); t.Kind() {
	case reflect.Pointer, reflect.Interface:
		return fmt.Errorf("%v: a pointer or interface is no event; use the plain value", t)
	}
	return nil
}
