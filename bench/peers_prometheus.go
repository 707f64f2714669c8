package main

import (
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const promModule = "github.com/prometheus/client_golang"

// promSet is one crawl in Prometheus: in flight, outcome, status, durations,
// retries.
type promSet struct {
	inFlight           prometheus.Gauge
	outcomes, codes    *prometheus.CounterVec
	durations, retries prometheus.Histogram
}

func newPromSet(durations prometheus.HistogramOpts) *promSet {
	durations.Name = "duration_seconds"
	p := &promSet{
		inFlight:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "in_flight"}),
		outcomes:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"outcome"}),
		codes:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "responses_total"}, []string{"code"}),
		durations: prometheus.NewHistogram(durations),
		retries:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "retries", Buckets: prometheus.LinearBuckets(0, 1, 8)}),
	}
	prometheus.NewRegistry().MustRegister(p.inFlight, p.outcomes, p.codes, p.durations, p.retries)
	return p
}

func (p *promSet) recorded() int64 {
	var m dto.Metric
	if err := p.durations.Write(&m); err != nil {
		return -1
	}
	return int64(m.GetHistogram().GetSampleCount())
}

func promCached(name, about string, durations prometheus.HistogramOpts) contender {
	return contender{
		name: name, module: promModule, about: about,
		lacks: "no consistent snapshot, no quantiles before a server computes them, nothing kept over a restart",
		open: func() subject {
			p := newPromSet(durations)
			finished := p.outcomes.WithLabelValues("finished")
			var codes [maxCode]prometheus.Counter
			for i := range codes {
				codes[i] = p.codes.WithLabelValues(strconv.Itoa(i))
			}
			return subject{recorded: p.recorded, loop: func(table []request, at, n int) {
				for i := at; i < at+n; i++ {
					q := &table[i&(tableSize-1)]
					p.inFlight.Inc()
					start := since()
					d := since() - start + q.extra
					p.inFlight.Dec()
					finished.Inc()
					codes[q.code].Inc()
					p.durations.Observe(time.Duration(d).Seconds())
					p.retries.Observe(float64(q.retries))
				}
			}}
		},
	}
}

var promLabels = contender{
	name: "Prometheus, labels", module: promModule, about: "WithLabelValues at every call",
	lacks: "as Prometheus",
	open: func() subject {
		p := newPromSet(prometheus.HistogramOpts{Buckets: prometheus.ExponentialBuckets(.005, 2, 14)})
		return subject{recorded: p.recorded, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				p.inFlight.Inc()
				start := since()
				d := since() - start + q.extra
				p.inFlight.Dec()
				p.outcomes.WithLabelValues("finished").Inc()
				p.codes.WithLabelValues(strconv.Itoa(q.code)).Inc()
				p.durations.Observe(time.Duration(d).Seconds())
				p.retries.Observe(float64(q.retries))
			}
		}}
	},
}

const vmModule = "github.com/VictoriaMetrics/metrics"

var victoria = contender{
	name: "VictoriaMetrics", module: vmModule, about: "handles kept, histograms with 18 buckets to the decade",
	lacks: "no quantiles in the process, no consistent snapshot, nothing kept over a restart",
	open: func() subject {
		set := metrics.NewSet()
		inFlight, durations, retries := set.NewCounter("in_flight"), set.NewHistogram("duration_seconds"), set.NewHistogram("retries")
		finished := set.NewCounter(`requests_total{outcome="finished"}`)
		var codes [maxCode]*metrics.Counter
		for i := range codes {
			codes[i] = set.NewCounter(`responses_total{code="` + strconv.Itoa(i) + `"}`)
		}
		return subject{recorded: func() int64 { return int64(finished.Get()) }, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				inFlight.Inc()
				start := since()
				d := since() - start + q.extra
				inFlight.Dec()
				finished.Inc()
				codes[q.code].Inc()
				durations.Update(time.Duration(d).Seconds())
				retries.Update(float64(q.retries))
			}
		}}
	},
}

var victoriaLabels = contender{
	name: "VictoriaMetrics, labels", module: vmModule, about: "GetOrCreateCounter at every call",
	lacks: "as VictoriaMetrics",
	open: func() subject {
		set := metrics.NewSet()
		inFlight, durations, retries := set.NewCounter("in_flight"), set.NewHistogram("duration_seconds"), set.NewHistogram("retries")
		return subject{
			recorded: func() int64 { return int64(set.GetOrCreateCounter(`requests_total{outcome="finished"}`).Get()) },
			loop: func(table []request, at, n int) {
				for i := at; i < at+n; i++ {
					q := &table[i&(tableSize-1)]
					inFlight.Inc()
					start := since()
					d := since() - start + q.extra
					inFlight.Dec()
					set.GetOrCreateCounter(`requests_total{outcome="finished"}`).Inc()
					set.GetOrCreateCounter(`responses_total{code="` + strconv.Itoa(q.code) + `"}`).Inc()
					durations.Update(time.Duration(d).Seconds())
					retries.Update(float64(q.retries))
				}
			},
		}
	},
}
