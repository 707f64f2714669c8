package main

import (
	"strconv"
	"sync/atomic"
	"time"

	hashicorp "github.com/hashicorp/go-metrics"
	rcrowley "github.com/rcrowley/go-metrics"
	"github.com/uber-go/tally/v4"
)

const tallyModule = "github.com/uber-go/tally/v4"

var tallyCached = contender{
	name: "tally", module: tallyModule, about: "handles kept, 14 and 8 buckets",
	lacks: "no minimum, maximum or quantiles, nothing kept over a restart",
	open: func() subject {
		scope, closer := tally.NewRootScope(tally.ScopeOptions{Reporter: tally.NullStatsReporter}, 0)
		var n atomic.Int64
		inFlight := scope.Gauge("in_flight")
		finished := scope.Tagged(map[string]string{"outcome": "finished"}).Counter("requests")
		var codes [maxCode]tally.Counter
		for i := range codes {
			codes[i] = scope.Tagged(map[string]string{"code": strconv.Itoa(i)}).Counter("responses")
		}
		durations := scope.Histogram("duration", tally.MustMakeExponentialDurationBuckets(5*time.Millisecond, 2, 14))
		retries := scope.Histogram("retries", tally.MustMakeLinearValueBuckets(0, 1, 8))
		return subject{close: func() { _ = closer.Close() }, loop: func(table []request, at, count int) {
			for i := at; i < at+count; i++ {
				q := &table[i&(tableSize-1)]
				inFlight.Update(float64(n.Add(1)))
				start := since()
				d := since() - start + q.extra
				inFlight.Update(float64(n.Add(-1)))
				finished.Inc(1)
				codes[q.code].Inc(1)
				durations.RecordDuration(time.Duration(d))
				retries.RecordValue(float64(q.retries))
			}
		}}
	},
}

var tallyTagged = contender{
	name: "tally, labels", module: tallyModule, about: "Tagged at every call",
	lacks: "as tally",
	open: func() subject {
		scope, closer := tally.NewRootScope(tally.ScopeOptions{Reporter: tally.NullStatsReporter}, 0)
		var n atomic.Int64
		return subject{close: func() { _ = closer.Close() }, loop: func(table []request, at, count int) {
			for i := at; i < at+count; i++ {
				q := &table[i&(tableSize-1)]
				scope.Gauge("in_flight").Update(float64(n.Add(1)))
				start := since()
				d := since() - start + q.extra
				scope.Gauge("in_flight").Update(float64(n.Add(-1)))
				scope.Tagged(map[string]string{"outcome": "finished"}).Counter("requests").Inc(1)
				scope.Tagged(map[string]string{"code": strconv.Itoa(q.code)}).Counter("responses").Inc(1)
				scope.Histogram("duration", tally.DefaultBuckets).RecordDuration(time.Duration(d))
				scope.Histogram("retries", tally.DefaultBuckets).RecordValue(float64(q.retries))
			}
		}}
	},
}

var rcrowleyCached = contender{
	name: "rcrowley", module: "github.com/rcrowley/go-metrics", about: "handles kept, samples of 1,028 that favour the new",
	lacks: "its quantiles are of a sample, nothing kept over a restart",
	open: func() subject {
		set := rcrowley.NewRegistry()
		inFlight, finished := rcrowley.NewRegisteredCounter("in_flight", set), rcrowley.NewRegisteredCounter("requests.finished", set)
		durations := rcrowley.NewRegisteredHistogram("duration", set, rcrowley.NewExpDecaySample(1028, .015))
		retries := rcrowley.NewRegisteredHistogram("retries", set, rcrowley.NewExpDecaySample(1028, .015))
		var codes [maxCode]rcrowley.Counter
		for i := range codes {
			codes[i] = rcrowley.NewRegisteredCounter("responses."+strconv.Itoa(i), set)
		}
		return subject{recorded: finished.Count, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				inFlight.Inc(1)
				start := since()
				d := since() - start + q.extra
				inFlight.Dec(1)
				finished.Inc(1)
				codes[q.code].Inc(1)
				durations.Update(d)
				retries.Update(int64(q.retries))
			}
		}}
	},
}

var hashicorpInmem = contender{
	name: "hashicorp, labels", module: "github.com/hashicorp/go-metrics", about: "InmemSink; it has no handles",
	lacks: "counts of the last minute only, no quantiles, nothing kept over a restart",
	open: func() subject {
		config := hashicorp.DefaultConfig("crawl")
		config.EnableRuntimeMetrics, config.EnableHostname = false, false
		m, err := hashicorp.New(config, hashicorp.NewInmemSink(10*time.Second, time.Minute))
		if err != nil {
			panic(err) // the configuration is the library's own
		}
		var n atomic.Int64
		inFlight, requests, responses := []string{"in_flight"}, []string{"requests"}, []string{"responses"}
		durations, retries := []string{"duration"}, []string{"retries"}
		return subject{close: m.Shutdown, loop: func(table []request, at, count int) {
			for i := at; i < at+count; i++ {
				q := &table[i&(tableSize-1)]
				m.SetGauge(inFlight, float32(n.Add(1)))
				start := since()
				d := since() - start + q.extra
				m.SetGauge(inFlight, float32(n.Add(-1)))
				m.IncrCounterWithLabels(requests, 1, []hashicorp.Label{{Name: "outcome", Value: "finished"}})
				m.IncrCounterWithLabels(responses, 1, []hashicorp.Label{{Name: "code", Value: strconv.Itoa(q.code)}})
				m.AddSample(durations, float32(time.Duration(d).Seconds()))
				m.AddSample(retries, float32(q.retries))
			}
		}}
	},
}
