package stats

import (
	"encoding/json"
	"fmt"
	"time"
)

// The JSON of the parts of a Snapshot. Each of these types is its original with
// names: a conversion between the two does not compile once they differ.

type jsonGroup struct {
	Kind      string    `json:"kind"`
	Message   string    `json:"message"`
	Count     int64     `json:"count"`
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	LastSeen  time.Time `json:"lastSeen,omitzero"`
	Examples  []string  `json:"examples,omitempty"`
}

// MarshalJSON writes the fields in camelCase, times in UTC; times that are not
// known are left out.
func (g ErrorGroup) MarshalJSON() ([]byte, error) {
	g.FirstSeen, g.LastSeen = g.FirstSeen.UTC(), g.LastSeen.UTC()
	return json.Marshal(jsonGroup(g))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (g *ErrorGroup) UnmarshalJSON(data []byte) error { return unmarshalValid(data, g) }

func (g *ErrorGroup) read(raw []byte) error {
	if err := readObject(raw, g.member); err != nil {
		return err
	}
	if len(g.Examples) == 0 {
		g.Examples = nil
	}
	return inUTC(&g.FirstSeen, &g.LastSeen)
}

func (g *ErrorGroup) member(name []byte) any {
	switch string(name) {
	case "kind":
		return &g.Kind
	case "message":
		return &g.Message
	case "count":
		return &g.Count
	case "firstSeen":
		return &g.FirstSeen
	case "lastSeen":
		return &g.LastSeen
	case "examples":
		return &g.Examples
	}
	return nil
}

func (h *HostStats) read(raw []byte) error {
	return readObject(raw, func(name []byte) any {
		switch string(name) {
		case "host":
			return &h.Host
		case "finished":
			return &h.Finished
		case "failed":
			return &h.Failed
		case "discarded":
			return &h.Discarded
		case "retries":
			return &h.Retries
		case "errors":
			return &h.Errors
		case "duration":
			return &h.Duration
		}
		return nil
	})
}

// segmentTable is the JSON of Segments, column by column: names are written once.
type segmentTable []Segment

type jsonSegments struct {
	Owner    []string  `json:"owner"`
	Host     []string  `json:"host"`
	Version  []string  `json:"version"`
	Start    []instant `json:"start"`
	End      []instant `json:"end"`
	Clean    []bool    `json:"clean"`
	Finished []int64   `json:"finished"`
	Failed   []int64   `json:"failed"`
}

func (t segmentTable) MarshalJSON() ([]byte, error) {
	if len(t) == 0 {
		return []byte("null"), nil
	}
	var j jsonSegments
	for _, s := range t {
		j.Owner = append(j.Owner, s.Owner)
		j.Host = append(j.Host, s.Host)
		j.Version = append(j.Version, s.Version)
		j.Start = append(j.Start, instant(s.Start))
		j.End = append(j.End, instant(s.End))
		j.Clean = append(j.Clean, s.Clean)
		j.Finished = append(j.Finished, s.Finished)
		j.Failed = append(j.Failed, s.Failed)
	}
	return json.Marshal(j)
}

func (j *jsonSegments) member(name []byte) any {
	switch string(name) {
	case "owner":
		return &j.Owner
	case "host":
		return &j.Host
	case "version":
		return &j.Version
	case "start":
		return &j.Start
	case "end":
		return &j.End
	case "clean":
		return &j.Clean
	case "finished":
		return &j.Finished
	case "failed":
		return &j.Failed
	}
	return nil
}

func (t *segmentTable) read(raw []byte) error {
	var j jsonSegments
	if err := readObject(raw, j.member); err != nil {
		return err
	}
	n := len(j.Owner)
	for _, column := range []int{len(j.Host), len(j.Version), len(j.Start), len(j.End), len(j.Clean), len(j.Finished), len(j.Failed)} {
		if column != n {
			return fmt.Errorf("columns of %d and %d segments", n, column)
		}
	}
	*t = nil
	for i := range n {
		*t = append(*t, Segment{
			Owner: j.Owner[i], Host: j.Host[i], Version: j.Version[i],
			Start: time.Time(j.Start[i]), End: time.Time(j.End[i]), Clean: j.Clean[i],
			Finished: j.Finished[i], Failed: j.Failed[i],
		})
	}
	return nil
}

type jsonPoint struct {
	At        time.Time     `json:"at"`
	Finished  int64         `json:"finished"`
	Failed    int64         `json:"failed"`
	Discarded int64         `json:"discarded"`
	Retries   int64         `json:"retries"`
	InFlight  int64         `json:"inFlight"`
	Status    [6]int64      `json:"status"`
	P50       time.Duration `json:"p50Nanos"`
	P95       time.Duration `json:"p95Nanos"`
	P99       time.Duration `json:"p99Nanos"`
}

// MarshalJSON writes the fields in camelCase, the time in UTC.
func (p Point) MarshalJSON() ([]byte, error) {
	p.At = p.At.UTC()
	return json.Marshal(jsonPoint(p))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*jsonPoint)(p)); err != nil {
		return err
	}
	return inUTC(&p.At)
}

// instant is a time in UTC; null while there is none.
type instant time.Time

func (t instant) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().MarshalJSON()
}

func (t *instant) UnmarshalJSON(data []byte) error {
	if err := (*time.Time)(t).UnmarshalJSON(data); err != nil {
		return err
	}
	return inUTC((*time.Time)(t))
}

// inUTC turns times that were read into UTC, whose year then may be one that
// cannot be written.
func inUTC(times ...*time.Time) error {
	for _, t := range times {
		*t = t.UTC()
		if err := writable(*t); err != nil {
			return err
		}
	}
	return nil
}
