package promcollect

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/reading"
	"github.com/crawlstats/crawlstats/stats"
)

// New returns a collector of everything that src counts. Each Collect reads src
// once. The collector is unchecked: which families there are depends on the
// instruments of the crawler, so it describes none in advance, and a registry
// cannot tell that it was registered twice. A nil src panics.
func New(src stats.Source, cfg Config) prometheus.Collector {
	c := &collector{reader: reading.New(src, cfg.reading()), crawl: prometheus.Labels{}}
	for _, l := range c.reader.Crawl() {
		c.crawl[l.Key] = l.Value
	}
	return c
}

type collector struct {
	reader *reading.Reader
	crawl  prometheus.Labels
}

// Describe sends nothing.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends a metric for every sample of one reading.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ch <- c.info()
	r := c.reader.Read()
	for _, f := range r.Families {
		for _, s := range f.Samples {
			ch <- c.metric(f, s, f.Since)
		}
	}
}

// info says by which version of this library the rest was made.
func (c *collector) info() prometheus.Metric {
	m := catalogue.Info.Metric()
	desc := prometheus.NewDesc(m.Prom.Name, m.Help, m.Prom.Labels, c.crawl)
	return orInvalid(desc)(prometheus.NewConstMetric(desc, prometheus.GaugeValue, 1, stats.Version))
}

func (c *collector) metric(f reading.Family, s reading.Sample, since time.Time) prometheus.Metric {
	m := f.ID.Metric()
	names, values := make([]string, len(s.Labels)), make([]string, len(s.Labels))
	for i, l := range s.Labels {
		names[i], values[i] = l.Key, l.Value
	}
	desc := prometheus.NewDesc(f.Name, m.Help, names, c.crawl)
	made := orInvalid(desc)
	switch {
	case m.Prom.Type == catalogue.Histogram:
		return made(newHistogram(desc, s.Histogram, m.Prom, since, values))
	case m.Prom.Type == catalogue.Gauge:
		return made(prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.Value, values...))
	case since.IsZero():
		return made(prometheus.NewConstMetric(desc, prometheus.CounterValue, float64(s.Count), values...))
	default:
		return made(prometheus.NewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, float64(s.Count), since, values...))
	}
}

// orInvalid makes a metric that could not be made an error of the scrape, not a
// panic: names and values come from strangers.
func orInvalid(desc *prometheus.Desc) func(prometheus.Metric, error) prometheus.Metric {
	return func(m prometheus.Metric, err error) prometheus.Metric {
		if err != nil {
			return prometheus.NewInvalidMetric(desc, err)
		}
		return m
	}
}
