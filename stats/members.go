package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A record is checked once to be JSON, and then walked without a further look at
// its syntax. Names and values are views of it.

var errNoObject = errors.New("not a JSON object")

// membersOf splits a JSON object into its members, which are views of data. Of a
// key that comes twice the last one counts.
func membersOf(data []byte) (map[string]json.RawMessage, error) {
	data = past(data, ' ')
	if !bytes.HasPrefix(data, []byte("{")) || !json.Valid(data) {
		return nil, errNoObject
	}
	members := make(map[string]json.RawMessage, 64)
	err := object(data, func(name, value []byte) error {
		members[string(name)] = value
		return nil
	})
	return members, err
}

// object calls member for each member of a JSON object that is known to be valid.
func object(data []byte, member func(name, value []byte) error) error {
	if data[0] != '{' {
		return fmt.Errorf("%.20s is not an object", data)
	}
	for rest := past(data[1:], ' '); rest[0] != '}'; rest = past(rest, ',') {
		n := valueEnd(rest)
		name := nameOf(rest[:n])
		rest = past(rest[n:], ':')
		n = valueEnd(rest)
		if err := member(name, rest[:n:n]); err != nil {
			return fmt.Errorf("%.40q: %w", name, err)
		}
		rest = rest[n:]
	}
	return nil
}

// array calls item for each item of a JSON array that is known to be valid.
func array(data []byte, item func(value []byte) error) error {
	if data[0] != '[' {
		return fmt.Errorf("%.20s is not an array", data)
	}
	for rest := past(data[1:], ' '); rest[0] != ']'; rest = past(rest, ',') {
		n := valueEnd(rest)
		if err := item(rest[:n:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// past returns what follows white space, and a mark within it.
func past(data []byte, mark byte) []byte {
	for i, c := range data {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != mark {
			return data[i:]
		}
	}
	return nil
}

// nameOf returns what a JSON string says.
func nameOf(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // a string, as its caller knows
	return []byte(text)
}

// valueEnd returns the length of the value that valid JSON begins with.
func valueEnd(data []byte) int {
	switch data[0] {
	case '"':
		return stringEnd(data)
	case '{', '[':
		return nestEnd(data)
	}
	for i, c := range data { // a number or a word
		switch c {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return len(data)
}

func stringEnd(data []byte) int {
	for i := 1; ; i++ {
		i += bytes.IndexByte(data[i:], '"')
		escapes := 0
		for data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

func nestEnd(data []byte) int {
	for i, depth := 0, 0; ; i++ {
		switch data[i] {
		case '"':
			i += stringEnd(data[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// canonical returns a value in the one form that json.Marshal writes, in memory
// of its own.
func canonical(raw json.RawMessage) json.RawMessage {
	var compact, escaped bytes.Buffer
	_ = json.Compact(&compact, raw) // it was read before, so it is valid
	json.HTMLEscape(&escaped, compact.Bytes())
	return escaped.Bytes()
}
