package catalogue

import (
	"slices"
	"strings"
)

// A Metric is one fact that exporters send, under one name or a family of names.
type Metric struct {
	Help   string // one sentence without a full stop; the HELP line of Prometheus
	Field  string // where it stands in a Snapshot, or which part gives it
	Scope  Scope  // what it is a count or a value of
	Parts  []Part // what varies: labels of Prometheus, <placeholders> of statsd
	Statsd Statsd // zero: not sent to statsd
	Prom   Prom   // zero: not shown to Prometheus
	// Answers names the metric of Crawlee, bjoern or a Flask exporter that this
	// one is the counterpart of; "" where it has none.
	Answers string
}

// Scope tells lifetime values, which survive restarts, from those of a process.
type Scope string

// The scopes.
const (
	Process  Scope = "this process" // since Open or the last Reset
	Lifetime Scope = "lifetime"     // since the first run or the last Reset
	Now      Scope = "now"          // the state of the moment
)

// A Part is what varies within a Metric.
type Part struct {
	Name   string
	Values []string // the closed set; nil: open, but bounded by the Statistics
}

// Type is the type of a metric in either language.
type Type string

// The types.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram" // Prometheus alone
	Set       Type = "set"       // statsd alone
	// Timing is a distribution of durations in statsd: one metric for each of
	// Timings, and events of type ms on request.
	Timing Type = "timing"
)

// Statsd is a Metric in statsd.
type Statsd struct {
	Name string // behind the prefix; <part> stands for a value of that Part
	Type Type
}

// Prom is a Metric in Prometheus, and in OpenTelemetry by way of it.
type Prom struct {
	Name    string // of the family; <name> stands for that of an instrument
	Type    Type
	Unit    string    // "seconds", "bytes" or "" for a plain number
	Labels  []string  // names of Parts, beside the constant labels
	Buckets []float64 // upper bounds of a classic histogram
}

// TimingPart is one of the metrics that a Timing of statsd consists of.
type TimingPart struct {
	Suffix string // behind the name and a dot
	Type   Type
	Help   string
}

// Timings returns the metrics that a Timing consists of.
func Timings() []TimingPart { return slices.Clone(timings) }

// All returns every metric, in the order of the documentation.
func All() []Metric { return slices.Clone(table[:]) }

// Metric returns the row of id.
func (id ID) Metric() Metric { return table[id] }

// StatsdName returns the statsd name of id behind the prefix, its placeholders
// filled with values in the order they stand.
func (id ID) StatsdName(values ...string) string {
	name := table[id].Statsd.Name
	for _, v := range values {
		if head, rest, ok := strings.Cut(name, "<"); ok {
			_, tail, _ := strings.Cut(rest, ">")
			name = head + v + tail
		}
	}
	return name
}

// Values returns the closed set of the part of id called name, nil when it is
// open.
func (id ID) Values(name string) []string { return slices.Clone(table[id].values(name)) }

func (m Metric) values(part string) []string {
	for _, p := range m.Parts {
		if p.Name == part {
			return p.Values
		}
	}
	return nil
}

// FindStatsd returns the metric that name, without its prefix, belongs to.
func FindStatsd(name string) (ID, bool) {
	for id := range ID(len(table)) {
		if m := table[id]; m.Statsd.Name != "" && m.hasStatsd(name) {
			return id, true
		}
	}
	return 0, false
}

func (m Metric) hasStatsd(name string) bool {
	if m.Statsd.Type != Timing {
		return m.fits(m.Statsd.Name, name)
	}
	if m.fits(m.Statsd.Name, name) { // its events
		return true
	}
	return slices.ContainsFunc(timings, func(t TimingPart) bool {
		base, ok := strings.CutSuffix(name, "."+t.Suffix)
		return ok && m.fits(m.Statsd.Name, base)
	})
}

// FindProm returns the metric that a family of Prometheus belongs to. The
// families of instruments of the crawler's own are not found: any name may be
// one.
func FindProm(family string) (ID, bool) {
	for id := range ID(len(table)) {
		if m := table[id]; m.Prom.Name != "" && !strings.HasPrefix(m.Prom.Name, "<") && m.fits(m.Prom.Name, family) {
			return id, true
		}
	}
	return 0, false
}

// fits reports whether name is made by the pattern. A pattern has at most one
// placeholder.
func (m Metric) fits(pattern, name string) bool {
	head, rest, found := strings.Cut(pattern, "<")
	if !found {
		return pattern == name
	}
	part, tail, _ := strings.Cut(rest, ">")
	if len(name) <= len(head)+len(tail) || !strings.HasPrefix(name, head) || !strings.HasSuffix(name, tail) {
		return false
	}
	values := m.values(part)
	return values == nil || slices.Contains(values, name[len(head):len(name)-len(tail)])
}
