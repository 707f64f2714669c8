// Package promcollect shows a stats.Source to Prometheus.
//
//	mux.Handle("/metrics", promcollect.Handler(st, promcollect.Config{}))
//
// [New] makes a prometheus.Collector for a registry of the caller's, [Handler] a
// ready page with the process, the Go runtime and the build beside it, and
// [Instrument] measures a handler of the caller's. There is no global registry.
//
// # Two scopes
//
// Counters and histograms count from the Open of this process, or its last
// Reset, and say so by their created timestamps; what all runs have come to is
// in gauges, crawler_job_…. A restored total in a counter would look like a jump
// by the whole lifetime, and after a crash it would fall and look like a reset.
//
// # One look
//
// Each scrape reads the Source once, so its numbers fit together: in every
// scrape
//
//	crawler_requests_started_total = crawler_requests_finished_total
//		+ sum(crawler_requests_failed_total) + sum(crawler_requests_discarded_total)
//		+ crawler_requests_in_flight
//
// and a histogram counts as many requests as the counter beside it. Histograms
// have the classic buckets and, where the format carries them, native ones.
//
// Instruments of the crawler's own are families of their own names:
// <name>_total, <name>, <name>_seconds, <name>_unique. An instrument whose name
// is taken or would be misread is not shown and counted in
// crawler_self_total{what="names_refused"}.
//
// All names are in docs/METRICS.md.
//
// # Concurrency
//
// Everything may be used from any number of goroutines. No goroutine is started.
// Scrapes of one collector read the Source one after the other and never hold up
// what is counted.
package promcollect
