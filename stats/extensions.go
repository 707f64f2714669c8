package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// extensions are the Extensions of one Statistics, and the restored values that
// nobody has asked for: those are carried through.
type extensions struct {
	mu       sync.Mutex
	live     map[string]*extension
	restored map[string][]json.RawMessage
	kept     map[string][]json.RawMessage // what the record holds: to fall back to
}

// extension is what is known of an Extension whatever its type.
type extension struct {
	mu      sync.Mutex
	version uint64                 // grows with every change
	encode  func() ([]byte, error) // of the value; mu is held
	reset   func()                 // the value to its default; mu is held

	encoded uint64 // version that raw holds
	raw     json.RawMessage
	err     error // of the newest encoding: raw is then older than the value
}

// json returns the encoded value, or the newest that could be encoded and why
// the current one cannot.
func (x *extension) json() (json.RawMessage, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.encoded != x.version {
		raw, err := x.tryEncode()
		if x.encoded, x.err = x.version, err; err == nil {
			x.raw = raw
		}
	}
	return x.raw, x.err
}

// tryEncode survives a MarshalJSON that panics: it would take the crawl with it.
func (x *extension) tryEncode() (raw []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its MarshalJSON panics: %v", p)
		}
	}()
	return x.encode()
}

// add registers x and returns what was restored under its name.
func (e *extensions) add(name string, x *extension) (restored []json.RawMessage, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.live[name] != nil {
		return nil, fmt.Errorf("stats: extend %q: the name is taken: use one name for each extension", name)
	}
	setKey(&e.live, name, x)
	restored = e.restored[name]
	delete(e.restored, name)
	return restored, nil
}

// restore takes over the values of a record.
func (e *extensions) restore(values map[string][]json.RawMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.restored, e.kept = values, maps.Clone(values)
}

// keep notes what the record holds now.
func (e *extensions) keep(values map[string][]json.RawMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = values
}

// fallBack returns values with those that are too large as they were when they
// last fitted, for an old queue is better than none. What was tried so already is
// left out.
func (e *extensions) fallBack(values map[string][]json.RawMessage, tooLarge, tried []string) map[string][]json.RawMessage {
	e.mu.Lock()
	defer e.mu.Unlock()
	values = maps.Clone(values)
	for _, name := range tooLarge {
		old, ok := e.kept[name]
		delete(values, name)
		if ok && !slices.Contains(tried, name) {
			values[name] = old
		}
	}
	return values
}

func (e *extensions) registered() map[string]*extension {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.live)
}

func (e *extensions) snapshot() map[string][]json.RawMessage {
	e.mu.Lock()
	all := mergeExtensions(e.restored, nil)
	e.mu.Unlock()
	for name, x := range e.registered() {
		if raw, _ := x.json(); raw != nil {
			setKey(&all, name, []json.RawMessage{slices.Clone(raw)})
		}
	}
	return all
}

// check returns why extensions cannot be encoded as they are now.
func (e *extensions) check() error {
	var errs []error
	for name, x := range e.registered() {
		if _, err := x.json(); err != nil {
			errs = append(errs, fmt.Errorf("extension %q keeps its last saved value: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// tooLarge returns the error for extensions that had no room in a record.
func (e *extensions) tooLarge(names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("extensions %q: %w: keep less in them, or put it under a key of its own in the store", names, ErrTooLarge)
}

func (e *extensions) changes() (n uint64) {
	for _, x := range e.registered() {
		x.mu.Lock()
		n += x.version
		x.mu.Unlock()
	}
	return n
}

// reset puts every value back to its default and forgets the restored ones.
func (e *extensions) reset() {
	e.restore(nil)
	for _, x := range e.registered() {
		x.mu.Lock()
		x.version++
		x.reset()
		x.mu.Unlock()
	}
}
