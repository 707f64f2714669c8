package stats

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// schema is the version of the body. It grows when an older version of this
// library would misread a newer body; a key that an older one can do without is
// simply added. Schema 0 is what came before: the records of Crawlee.
const schema = 1

// schemaKey marks a body as ours and tells its schema.
const schemaKey = "crawlstatsSchema"

// field is a member of the body, in the order of the body.
type field struct {
	key    string
	part   part // of the budget
	write  any
	read   any  // a pointer into the snapshot; nil: derived, only there for readers
	always bool // written even when empty, as in Crawlee's record
}

// fields lists what the body of a holds.
func (a *Snapshot) fields() []field {
	fields := slices.Grow(a.crawleeFields(struct{}{}, struct{}{}), 40)
	fields = append(fields, field{schemaKey, corePart, schema, nil, true})
	own := func(key string, p part, v any) { fields = append(fields, field{key, p, v, v, false}) }

	own("requestsStarted", corePart, &a.Started)
	own("requestsDiscarded", corePart, &a.Discarded)
	own("requestsInterrupted", corePart, &a.Interrupted)
	own("requestsInFlight", corePart, &a.InFlight)
	own("attempts", corePart, &a.Attempts)
	own("unmatched", corePart, &a.Unmatched)
	own("late", corePart, &a.Late)
	own("overflow", corePart, &a.Overflow)
	own("dropped", corePart, &a.Dropped)
	own("discards", corePart, &a.Discards)
	own("errorKinds", corePart, &a.ErrorKinds)
	own("failedKinds", corePart, &a.FailedKinds)
	own("lastStartedAt", corePart, (*instant)(&a.LastStartedAt))
	own("since", corePart, (*instant)(&a.Since))
	own("generation", corePart, &a.Generation)
	own("runtimeNanos", corePart, &a.Runtime)
	own("oldestInFlightNanos", corePart, &a.OldestInFlight)
	own("window", corePart, &a.window)

	own("finishedDuration", histogramPart, &a.FinishedDuration)
	own("failedDuration", histogramPart, &a.FailedDuration)
	own("totalDuration", histogramPart, &a.TotalDuration)
	own("queueWait", histogramPart, &a.QueueWait)

	own("errorGroups", errorPart, &a.Errors)
	own("errorsOther", errorPart, &a.ErrorsOther)
	own("retryErrorGroups", errorPart, &a.RetryErrors)
	own("retryErrorsOther", errorPart, &a.RetryErrorsOther)
	own("hosts", hostPart, &a.Hosts)
	own("hostsOther", hostPart, &a.HostsOther)

	own("counters", instrumentPart, &a.Counters)
	own("gauges", instrumentPart, (*gauges)(&a.Gauges))
	own("timers", timerPart, &a.Timers)
	own("uniques", uniquePart, &uniqueTable{a})
	own("extensions", carriedPart, &a.Extensions)
	own("segments", segmentPart, (*segmentTable)(&a.Segments))
	own("history", historyPart, &a.History)
	return fields
}

// gauges are written as finite numbers, for JSON has no others.
type gauges map[string]float64

func (g gauges) MarshalJSON() ([]byte, error) {
	m := maps.Clone(g)
	for key, v := range m {
		m[key] = finite(v)
	}
	return json.Marshal(map[string]float64(m))
}

// MarshalJSON writes everything there is, in the form that docs/FORMAT.md
// defines: the keys of Crawlee's record first, then those of this library. It is
// lossless, times to the nanosecond in UTC. What could not be read again, such as
// a negative count, is an error.
func (a Snapshot) MarshalJSON() ([]byte, error) {
	body, _, err := a.marshal()
	if err != nil {
		return nil, fmt.Errorf("stats: encode snapshot: %w", err)
	}
	return body, nil
}

// marshal returns the body and what each part of it takes.
func (a Snapshot) marshal() (body []byte, sizes partSizes, err error) {
	fields := a.fields()
	if err := a.validate(fields); err != nil {
		return nil, sizes, err // it could not be read again
	}
	var w bodyWriter
	if err := w.fields(fields); err != nil {
		return nil, sizes, err
	}
	for _, key := range slices.Sorted(maps.Keys(a.unknown)) {
		w.member(key, carriedPart, a.unknown[key])
	}
	return w.end(), w.sizes, nil
}

// bodyWriter writes a JSON object, and measures it.
type bodyWriter struct {
	json  []byte
	sizes partSizes
}

func (w *bodyWriter) fields(fields []field) error {
	for _, f := range fields {
		raw, err := marshal(f.write)
		if err != nil {
			return fmt.Errorf("%s: %w", f.key, err)
		}
		if f.always || !empty(raw) {
			w.member(f.key, f.part, raw)
		}
	}
	return nil
}

// marshal is json.Marshal without a second look at what is compact already.
func marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case *int64:
		return strconv.AppendInt(nil, *v, 10), nil
	case json.Marshaler:
		return v.MarshalJSON()
	}
	return json.Marshal(v)
}

func (w *bodyWriter) member(key string, p part, raw []byte) {
	before := len(w.json)
	name, _ := json.Marshal(key) // a string always has a JSON form
	w.json = append(append(append(append(w.json, ','), name...), ':'), raw...)
	w.sizes[p] += len(w.json) - before
}

func (w *bodyWriter) end() []byte {
	w.json[0] = '{'
	return append(w.json, '}')
}

// empty reports whether raw, without spaces, says what a missing member says.
func empty(raw []byte) bool {
	switch string(raw) {
	case "null", "0", "false", `""`, "{}", "[]":
		return true
	}
	return false
}

// UnmarshalJSON reads what MarshalJSON writes, and the five dialects of
// Crawlee's record. What cannot be true, such as a negative count, is an error,
// and a is then unchanged.
func (a *Snapshot) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // as every Unmarshaler does
	}
	s, err := readBody(data)
	if err != nil {
		return fmt.Errorf("stats: decode snapshot: %w", err)
	}
	*a = s
	return nil
}

func readBody(data []byte) (a Snapshot, err error) {
	members, err := membersOf(data)
	if err != nil {
		return Snapshot{}, err
	}
	if _, ours := members[schemaKey]; ours {
		err = a.read(members)
	} else {
		err = a.readCrawlee(members)
	}
	// In one form, what is carried through stays as it is.
	for key, raw := range a.unknown {
		a.unknown[key] = canonical(raw)
	}
	for _, values := range a.Extensions {
		for i, raw := range values {
			values[i] = canonical(raw)
		}
	}
	return a, err
}

// read takes the members of a body of this library. Those it does not know are
// of a newer minor version, and carried through.
func (a *Snapshot) read(members map[string]json.RawMessage) error {
	var version int
	if err := json.Unmarshal(members[schemaKey], &version); err != nil || version < 1 {
		return fmt.Errorf("%s is %.20s, not a version", schemaKey, members[schemaKey])
	}
	if version > schema {
		return newerSchema(version)
	}
	fields := a.fields()
	for _, f := range fields {
		raw, there := members[f.key]
		delete(members, f.key)
		if !there || f.read == nil || empty(raw) {
			continue
		}
		if err := unmarshal(raw, f.read); err != nil {
			return fmt.Errorf("%s: %w", f.key, err)
		}
	}
	if len(members) > 0 {
		a.unknown = members
	}
	a.RetryHistogram = trimZeros(a.RetryHistogram)
	maps.DeleteFunc(a.Extensions, func(_ string, values []json.RawMessage) bool { return len(values) == 0 })
	if len(a.Extensions) == 0 {
		a.Extensions = nil
	}
	return a.validate(fields)
}

func newerSchema(version int) error {
	return fmt.Errorf("%w: it is %d, and this version reads up to %d: update the program; nothing was overwritten",
		ErrNewerSchema, version, schema)
}
