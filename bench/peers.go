package main

import (
	"github.com/DataDog/datadog-go/v5/statsd"
	"github.com/prometheus/client_golang/prometheus"
)

// peers count the same requests with the same clock; each keeps its handles
// where it can, and those that are used with labels at every call stand a second
// time as such. Only the port of Crawlee keeps its own clock, which is its cost.
var peers = []contender{
	tallyCached,
	victoria,
	promCached("Prometheus", "handles kept, 14 and 8 buckets", prometheus.HistogramOpts{Buckets: prometheus.ExponentialBuckets(.005, 2, 14)}),
	promCached("Prometheus, native", "handles kept, native histogram with factor 1.1", prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.1}),
	crawleePort,
	rcrowleyCached,
	otelCached,
	datadog("datadog-go", "aggregated in the client"),
	datadog("datadog-go, extended", "durations aggregated in the client too", statsd.WithExtendedClientSideAggregation()),
	cactusEvents,
	promLabels,
	victoriaLabels,
	tallyTagged,
	otelLabels,
	hashicorpInmem,
}
