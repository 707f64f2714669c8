package otelbridge

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/reading"
	"github.com/crawlstats/crawlstats/stats"
)

// ScopeName is the name of the instrumentation scope; its version is
// stats.Version.
const ScopeName = "github.com/crawlstats/crawlstats/export/otelbridge"

// MaxHosts is the most that Config.Hosts can be.
const MaxHosts = reading.MaxHosts

// Config says what is exported. Its zero value exports everything but hosts,
// histograms with the explicit buckets of docs/METRICS.md.
type Config struct {
	// Crawler and Member are attributes of every data point; default the ID and
	// the Member of the Statistics. Empty ones are left out. A Fleet has neither.
	Crawler, Member string

	// Hosts is how many of the busiest hosts get data points of their own in
	// crawler.host_requests, at most MaxHosts; the others are host="other".
	// Default 0: none by host. Once its place is given a host keeps it until a
	// Reset, and no host takes the place of another.
	Hosts int

	// Self returns further counts for crawler.self by their attribute what, such as
	// the Health of a statsdpush.Pusher: statsd_lines, statsd_packets,
	// statsd_bytes, statsd_errors, statsd_dropped. Others are not exported.
	// Default nil: none.
	Self func() map[string]int64

	// Exponential makes histograms of durations exponential, each bucket 9 % wide,
	// instead of explicit.
	Exponential bool
}

// New returns a producer for the option WithProducer of a reader of the SDK.
// Each time the reader collects, src is read once. A nil src panics.
func New(src stats.Source, cfg Config) sdkmetric.Producer {
	return &producer{
		reader: reading.New(src, reading.Config{
			Crawler: cfg.Crawler, Member: cfg.Member, Hosts: cfg.Hosts, Self: cfg.Self,
		}),
		exponential: cfg.Exponential,
	}
}

type producer struct {
	reader      *reading.Reader
	exponential bool
}

// Produce returns one scope with a metric for every family of one reading. It
// fails only when ctx is done.
func (p *producer) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := p.reader.Read()
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: ScopeName, Version: stats.Version}}
	for _, f := range r.Families {
		m := f.ID.Metric()
		scope.Metrics = append(scope.Metrics, metricdata.Metrics{
			Name: nameOf(f.Name, m.Prom.Unit), Description: m.Help, Unit: unitOf(m.Prom),
			Data: p.data(r.At, f, m.Prom),
		})
	}
	return []metricdata.ScopeMetrics{scope}, nil
}

// nameOf returns the name of a family without the ends that Prometheus adds by
// type and unit, in the namespace of crawlers. Instruments of the crawler's own
// keep their unit: a counter and a timer may share the rest of the name.
func nameOf(family, unit string) string {
	name := strings.TrimSuffix(family, "_total")
	rest, ours := strings.CutPrefix(name, "crawler_")
	if !ours {
		return name
	}
	return "crawler." + strings.TrimSuffix(rest, "_"+unit)
}

// unitOf returns the unit in UCUM.
func unitOf(m catalogue.Prom) string {
	switch m.Unit {
	case "seconds":
		return "s"
	case "bytes":
		return "By"
	}
	return "" // a plain number: "1" would become _ratio in Prometheus
}

func (p *producer) data(at time.Time, f reading.Family, m catalogue.Prom) metricdata.Aggregation {
	switch {
	case m.Type == catalogue.Counter:
		sum := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
		for _, s := range f.Samples {
			sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{
				Attributes: p.attributes(s), StartTime: f.Since, Time: at, Value: s.Count,
			})
		}
		return sum
	case m.Type == catalogue.Gauge:
		var gauge metricdata.Gauge[float64]
		for _, s := range f.Samples {
			gauge.DataPoints = append(gauge.DataPoints, metricdata.DataPoint[float64]{
				Attributes: p.attributes(s), Time: at, Value: s.Value,
			})
		}
		return gauge
	case p.exponential && m.Unit != "":
		h := metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality}
		for _, s := range f.Samples {
			h.DataPoints = append(h.DataPoints, p.exponentialPoint(at, f.Since, s))
		}
		return h
	default:
		h := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
		for _, s := range f.Samples {
			h.DataPoints = append(h.DataPoints, p.explicitPoint(at, f.Since, s, m.Buckets))
		}
		return h
	}
}

// attributes returns the labels of s and those of the crawl.
func (p *producer) attributes(s reading.Sample) attribute.Set {
	var kvs []attribute.KeyValue
	for _, l := range append(p.reader.Crawl(), s.Labels...) {
		kvs = append(kvs, attribute.String(l.Key, l.Value))
	}
	return attribute.NewSet(kvs...)
}
