// Package reading turns one look at a stats.Source into the families of the
// catalogue: which samples each metric has, with what labels. The exporters that
// are asked, Prometheus and OpenTelemetry, only encode what it returns, so they
// cannot disagree.
//
// Counters and histograms are of this process (Source.Live), lifetime values are
// gauges (Source.Snapshot). Both are read once, one after the other, so that a
// lifetime value is never less than the counter beside it.
//
// # Concurrency
//
// A [Reader] may be used by any number of goroutines. Readings are made one
// after the other, because each goes on from the busiest hosts and the names of
// the one before. The lock is held while the Source is read: it does no I/O.
package reading
