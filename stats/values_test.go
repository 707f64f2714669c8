package stats

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// UnmarshalJSON may be called by hand, with anything.
func TestUnmarshalOfWhatIsNoJSON(t *testing.T) {
	for _, v := range []json.Unmarshaler{new(Snapshot), new(Durations), new(History), new(ErrorGroup), new(Point)} {
		for _, data := range []string{"", " ", "{", `{"a`, `{"a":`, `{"count":1`, "nul", `[]`, `"x"`, "7", `{"count":1}}`} {
			if err := v.UnmarshalJSON([]byte(data)); err == nil {
				t.Errorf("%T takes %q", v, data)
			}
		}
		for _, data := range []string{"null", " {} "} {
			if err := v.UnmarshalJSON([]byte(data)); err != nil {
				t.Errorf("%T refuses %q: %v", v, data, err)
			}
		}
	}
}

// A member of another kind than ours is an error that names it.
func TestMembersOfTheWrongKind(t *testing.T) {
	body, err := sample().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	members, err := membersOf(body)
	if err != nil {
		t.Fatal(err)
	}
	var a Snapshot
	for _, f := range a.fields() {
		if f.read == nil {
			continue
		}
		right := members[f.key]
		for _, wrong := range []string{`{"x":{"y":[]}}`, `[{}]`, `[[7]]`, `"text"`, `-1.5e400`, "true"} {
			members[f.key] = json.RawMessage(wrong)
			raw, err := json.Marshal(members)
			if err != nil {
				t.Fatal(err)
			}
			var got Snapshot
			if err := got.UnmarshalJSON(raw); err == nil && !mayHold(f.key, wrong) {
				t.Errorf("%s may be %s", f.key, wrong)
			} else if err != nil && !strings.Contains(err.Error(), f.key) {
				t.Errorf("%s is %s: %v", f.key, wrong, err)
			}
		}
		members[f.key] = right
	}
}

// mayHold tells what is nothing unknown to a field: members of an object that it
// does not know are left out.
func mayHold(key, raw string) bool {
	switch raw {
	case "true":
		return key == "window"
	case `[{}]`:
		return slices.Contains([]string{"errorGroups", "retryErrorGroups", "hosts"}, key)
	case `{"x":{"y":[]}}`:
		return slices.Contains([]string{
			"finishedDuration", "failedDuration", "totalDuration", "queueWait", "hostsOther",
			"history", "segments", "timers", "uniques",
		}, key)
	}
	return false
}
