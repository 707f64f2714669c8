// Package otelbridge gives what a stats.Source counts to OpenTelemetry.
//
//	reader := sdkmetric.NewPeriodicReader(exporter,
//		sdkmetric.WithProducer(otelbridge.New(st, otelbridge.Config{})))
//	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
//	defer provider.Shutdown(ctx)
//
// The producer writes the data model of the SDK itself, straight from one
// reading of the Source: counters are monotonic cumulative sums and histograms
// cumulative, both with the time since when they count; the rest are gauges. It
// exports what package promcollect does, under the names that the translation of
// OpenTelemetry to Prometheus turns into the same ones:
// crawler_requests_finished_total is the sum crawler.requests_finished here, and
// crawler_request_duration_seconds the histogram crawler.request_duration in
// seconds.
//
// What OpenTelemetry has a place of its own for is not among them: the version
// of this library is that of the scope, and the program, its process and its
// handlers are instrumented by packages of OpenTelemetry's.
//
// # Concurrency
//
// A producer may be used by any number of readers. It starts no goroutine, and
// never holds up what is counted.
package otelbridge
