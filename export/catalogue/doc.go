// Package catalogue is the one list of what the exporters send: each metric with
// its meaning, the field of a stats.Snapshot it is made of, its statsd name and
// its Prometheus family. docs/METRICS.md is written from it; the tests of each
// exporter fail on a name that is not in it, and on one in it that they do not
// export.
//
// It also holds the rules by which text of strangers becomes part of a name:
// [Segment] and [Path] for statsd, [PromName], [PromLabel] and [LabelValue] for
// Prometheus and what speaks its language.
//
// # Concurrency
//
// Everything here is a pure function over tables that never change.
package catalogue

//go:generate go run ./gen ../../docs/METRICS.md
