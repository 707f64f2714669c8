package stats

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// FuzzMembers compares the split of an object with that of encoding/json.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, ` { } `, `{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":"}\"]"}]},"d":null}`,
		`{"\u0061\n":-1.5e3 , "é":"\\" , "" : true}`, `{"a":1}x`, `{"a"}`, "{}\v", "{\"\xff\":1}", `{"a":[[],{}],"b":[ ]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(data, &want)
		got, err := membersOf(data)
		if (err == nil) != (wantErr == nil && want != nil) {
			t.Fatalf("%q: %v, and %v by encoding/json", data, err, wantErr)
		}
		if err == nil && !maps.EqualFunc(got, want, slices.Equal[json.RawMessage]) {
			t.Errorf("%q: %q, and %q by encoding/json", data, got, want)
		}
	})
}
