package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

const maxExtensionName = 100

// Extension is a value of the crawler's own type that is saved in the same
// record as the statistics, at the same moment: a queue, a cursor, a tally.
type Extension[T any] struct {
	core  *extension
	value T // guarded by core.mu
}

// Extend adds an Extension to s. Its value is the one that was restored under
// this name, else def, which is also what a Reset brings back. All extensions
// together have 16 KB of JSON in the record. merge folds the values of several
// members into one; it may be nil where there is only one.
//
// It is an error to use a name twice, or a T that does not survive a round trip
// through JSON; of a struct, fields that are not exported do not. A restored value
// that does not fit T is dropped with a warning.
func Extend[T any](s *Statistics, name string, def T, merge func(dst *T, src T)) (*Extension[T], error) {
	if name == "" || len(name) > maxExtensionName || cleanName(name) != name {
		return nil, fmt.Errorf("stats: extend %q: use a name of 1 to %d printable bytes", cleanName(name), maxExtensionName)
	}
	defaults, err := roundTrip(def)
	if err != nil {
		return nil, fmt.Errorf("stats: extend %q: %w", name, err)
	}
	e := &Extension[T]{core: &extension{version: 1}}
	e.core.encode = func() ([]byte, error) { return json.Marshal(e.value) }
	e.core.reset = func() {
		var value T // a fresh one: def may share memory with the caller
		_ = json.Unmarshal(defaults, &value)
		e.value = value
	}
	e.core.reset()

	restored, err := s.extensions.add(name, e.core)
	if err != nil {
		return nil, err
	}
	if len(restored) == 0 {
		return e, nil
	}
	value, err := foldValues(restored, merge)
	if err != nil {
		s.cfg.Logger.Warn("a saved extension does not fit its type and starts from its default",
			"crawler", s.cfg.ID, "extension", name, "error", err)
		return e, nil
	}
	e.Update(func(v *T) { *v = value })
	return e, nil
}

// Update calls fn with the value, under this extension's lock: fn must not call
// the Statistics, and must not keep the pointer.
func (e *Extension[T]) Update(fn func(*T)) {
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	e.core.version++
	fn(&e.value)
}

// Value returns a copy of the value, made by a round trip through JSON.
func (e *Extension[T]) Value() T {
	raw, _ := e.core.json()
	var value T
	_ = json.Unmarshal(raw, &value)
	return value
}

// ExtensionOf returns the value of an extension in a snapshot, the values of
// several members folded by merge. Without one it is the zero value of T.
func ExtensionOf[T any](a Snapshot, name string, merge func(dst *T, src T)) (T, error) {
	value, err := foldValues(a.Extensions[name], merge)
	if err != nil {
		return value, fmt.Errorf("stats: read extension %q: %w", name, err)
	}
	return value, nil
}

func foldValues[T any](values []json.RawMessage, merge func(dst *T, src T)) (folded T, err error) {
	if len(values) > 1 && merge == nil {
		return folded, fmt.Errorf("%d members saved a value: give a merge function to fold them", len(values))
	}
	for i, raw := range values {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return *new(T), err
		}
		if i == 0 {
			folded = v
		} else {
			merge(&folded, v)
		}
	}
	return folded, nil
}

// roundTrip returns the JSON of v, if a value read from it is saved alike.
func roundTrip[T any](v T) ([]byte, error) {
	first, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var back T
	if err := json.Unmarshal(first, &back); err != nil {
		return nil, fmt.Errorf("a saved value cannot be read again: %w", err)
	}
	second, err := json.Marshal(back)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) || string(first) == "{}" && hidden(v) {
		return nil, errors.New("the value changes in a round trip through JSON: export the fields that matter, or give the type MarshalJSON and UnmarshalJSON")
	}
	return first, nil
}

// hidden reports whether v is a struct of which JSON sees nothing.
func hidden(v any) bool {
	if _, itself := v.(json.Marshaler); itself {
		return false
	}
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 {
		return false
	}
	return !slices.ContainsFunc(reflect.VisibleFields(t), reflect.StructField.IsExported)
}
