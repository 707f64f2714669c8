package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// reader is what reads itself from JSON that is known to be valid.
type reader interface{ read(raw []byte) error }

// unmarshal is json.Unmarshal for what is known to be valid, without reflection
// for what the members of a record are.
func unmarshal(raw []byte, into any) error {
	if v, ok := into.(*json.RawMessage); ok {
		*v = raw
		return nil
	}
	if raw[0] == 'n' {
		return nil // null says nothing
	}
	switch v := into.(type) {
	case reader:
		return v.read(raw)
	case json.Unmarshaler:
		return v.UnmarshalJSON(raw)
	case *int64:
		return readInt(raw, v)
	case *time.Duration:
		return readInt(raw, v)
	case *int:
		return readInt(raw, v)
	case *string:
		return readText(raw, v)
	case *bool:
		return readBool(raw, v)
	case *float64:
		return readFloat(raw, v)
	case *[]int64:
		return readList(raw, v)
	case *[]bool:
		return readList(raw, v)
	case *[]string:
		return readList(raw, v)
	case *[]instant:
		return readList(raw, v)
	case *[]json.RawMessage:
		return readList(raw, v)
	case *[]ErrorGroup:
		return readList(raw, v)
	case *[]HostStats:
		return readList(raw, v)
	case *map[int]int64:
		return readCodes(raw, v)
	case *map[DiscardReason]int64:
		return readMap(raw, v)
	case *map[string]int64:
		return readMap(raw, v)
	case *gauges:
		return readMap(raw, (*map[string]float64)(v))
	case *map[string]string:
		return readMap(raw, v)
	case *map[string]Durations:
		return readMap(raw, v)
	case *map[string]jsonRing:
		return readMap(raw, v)
	case *map[string]jsonUnique:
		return readMap(raw, v)
	case *map[string][]json.RawMessage:
		return readMap(raw, v)
	}
	return json.Unmarshal(raw, into)
}

func readInt[N ~int64 | ~int](raw []byte, into *N) error {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	*into = N(n)
	return err
}

func readFloat(raw []byte, into *float64) (err error) {
	*into, err = strconv.ParseFloat(string(raw), 64)
	return err
}

func readBool(raw []byte, into *bool) (err error) {
	*into, err = strconv.ParseBool(string(raw))
	return err
}

func readText(raw []byte, into *string) error {
	if raw[0] != '"' {
		return fmt.Errorf("%.20s is not a text", raw)
	}
	*into = string(nameOf(raw))
	return nil
}

// readList replaces a slice.
func readList[T any](raw []byte, into *[]T) error {
	*into = []T{}
	return array(raw, func(value []byte) error {
		var zero T
		*into = append(*into, zero)
		return unmarshal(value, &(*into)[len(*into)-1])
	})
}

// readMap replaces a map.
func readMap[K ~string, V any](raw []byte, into *map[K]V) error {
	*into = make(map[K]V)
	v := new(V)
	return object(raw, func(name, value []byte) error {
		var zero V
		*v = zero
		if err := unmarshal(value, v); err != nil {
			return err
		}
		(*into)[K(name)] = *v
		return nil
	})
}

func readCodes(raw []byte, into *map[int]int64) error {
	*into = make(map[int]int64)
	return object(raw, func(name, value []byte) error {
		code, err := strconv.Atoi(string(name))
		if err != nil {
			return err
		}
		var n int64
		err = unmarshal(value, &n)
		(*into)[code] = n
		return err
	})
}

// readObject reads the members of an object to where find says; those it returns
// nil for are left out.
func readObject(raw []byte, find func(name []byte) any) error {
	return object(raw, func(name, value []byte) error {
		if into := find(name); into != nil {
			return unmarshal(value, into)
		}
		return nil
	})
}

var errInvalid = errors.New("not JSON")

// unmarshalValid is the UnmarshalJSON of a reader. Whoever calls that by hand
// may give it anything.
func unmarshalValid(data []byte, into reader) error {
	if !json.Valid(data) {
		return errInvalid
	}
	return unmarshal(past(data, ' '), into)
}
