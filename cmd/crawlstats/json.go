package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const schemaVersion = 1

func writeJSON(p *program, v any) error {
	data, err := line(json.MarshalIndent(v, "", "  "))
	if err == nil {
		_, err = p.out.Write(data)
	}
	return err
}

// line returns JSON as a line of text that shows.
func line(data []byte, err error) ([]byte, error) { return append(spelled(data), '\n'), err }

// spelled returns JSON with escapes for what does not show, which package json
// leaves as it is beyond ASCII.
func spelled(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for _, r := range string(data) {
		if r == '\n' || unicode.IsGraphic(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

// object is figures as a JSON object, in their order.
type object []figure

// MarshalJSON writes the version of the names first.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte(`{"schema_version":` + strconv.Itoa(schemaVersion))
	for _, f := range o {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b = append(b, `,"`+f.name+`":`...)
		b = append(b, value...)
	}
	return append(b, '}'), nil
}
