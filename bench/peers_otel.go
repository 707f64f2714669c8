package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

const otelModule = "go.opentelemetry.io/otel/sdk/metric"

// otelSet is one crawl in OpenTelemetry.
type otelSet struct {
	provider            *sdk.MeterProvider
	inFlight            metric.Int64UpDownCounter
	requests, responses metric.Int64Counter
	durations           metric.Float64Histogram
	retries             metric.Int64Histogram
}

func newOtelSet() *otelSet {
	o := &otelSet{provider: sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader()))}
	m := o.provider.Meter("crawl")
	var errs [5]error
	o.inFlight, errs[0] = m.Int64UpDownCounter("in_flight")
	o.requests, errs[1] = m.Int64Counter("requests")
	o.responses, errs[2] = m.Int64Counter("responses")
	o.durations, errs[3] = m.Float64Histogram("duration", metric.WithExplicitBucketBoundaries(
		.005, .01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96))
	o.retries, errs[4] = m.Int64Histogram("retries", metric.WithExplicitBucketBoundaries(0, 1, 2, 3, 4, 5, 6, 7))
	for _, err := range errs {
		if err != nil {
			panic(err) // the names are constants
		}
	}
	return o
}

func (o *otelSet) close() { _ = o.provider.Shutdown(context.Background()) }

var otelCached = contender{
	name: "OpenTelemetry", module: otelModule, about: "attribute sets kept, 14 and 8 buckets",
	lacks: "no quantiles in the process, nothing kept over a restart",
	open: func() subject {
		o, ctx := newOtelSet(), context.Background()
		kept := func(kv attribute.KeyValue) []metric.AddOption {
			return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(kv))}
		}
		finished := kept(attribute.String("outcome", "finished"))
		var codes [maxCode][]metric.AddOption
		for i := range codes {
			codes[i] = kept(attribute.Int("code", i))
		}
		return subject{close: o.close, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				o.inFlight.Add(ctx, 1)
				start := since()
				d := since() - start + q.extra
				o.inFlight.Add(ctx, -1)
				o.requests.Add(ctx, 1, finished...)
				o.responses.Add(ctx, 1, codes[q.code]...)
				o.durations.Record(ctx, time.Duration(d).Seconds())
				o.retries.Record(ctx, int64(q.retries))
			}
		}}
	},
}

var otelLabels = contender{
	name: "OpenTelemetry, labels", module: otelModule, about: "WithAttributes at every call",
	lacks: "as OpenTelemetry",
	open: func() subject {
		o, ctx := newOtelSet(), context.Background()
		return subject{close: o.close, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				o.inFlight.Add(ctx, 1)
				start := since()
				d := since() - start + q.extra
				o.inFlight.Add(ctx, -1)
				o.requests.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", "finished")))
				o.responses.Add(ctx, 1, metric.WithAttributes(attribute.Int("code", q.code)))
				o.durations.Record(ctx, time.Duration(d).Seconds())
				o.retries.Record(ctx, int64(q.retries))
			}
		}}
	},
}
