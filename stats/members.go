package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var errNoObject = errors.New("not a JSON object")

// membersOf splits a JSON object into its members, which are views of data. Of a
// key that comes twice the last one counts.
func membersOf(data []byte) (map[string]json.RawMessage, error) {
	data = bytes.TrimLeft(data, " \t\r\n")
	if !bytes.HasPrefix(data, []byte("{")) || !json.Valid(data) {
		return nil, errNoObject
	}
	members := make(map[string]json.RawMessage, 64)
	for rest := data[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return members, nil
		}
		n := valueEnd(rest)
		name, err := nameOf(rest[:n])
		if err != nil {
			return nil, err
		}
		rest = bytes.TrimLeft(rest[n:], " \t\r\n:")
		n = valueEnd(rest)
		members[name], rest = rest[:n:n], rest[n:]
	}
}

func nameOf(quoted []byte) (name string, err error) {
	for _, c := range quoted[1 : len(quoted)-1] {
		if c == '\\' || c >= utf8.RuneSelf {
			err = json.Unmarshal(quoted, &name)
			return name, err
		}
	}
	return string(quoted[1 : len(quoted)-1]), nil
}

// valueEnd returns the length of the value that valid JSON begins with.
func valueEnd(data []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default: // of a number or a word, or between values
			if depth > 0 || i+1 < len(data) && !bytes.ContainsRune([]byte(" \t\r\n,}]"), rune(data[i+1])) {
				continue
			}
		}
		if depth == 0 {
			return i + 1
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
