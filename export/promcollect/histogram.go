package promcollect

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/reading"
)

// newHistogram returns a histogram with classic buckets, and native ones when it
// is of durations.
func newHistogram(desc *prometheus.Desc, h reading.Histogram, m catalogue.Prom, since time.Time, labels []string) (prometheus.Metric, error) {
	buckets := make(map[float64]uint64, len(m.Buckets))
	for i, bound := range m.Buckets {
		buckets[bound] = h.Below[i]
	}
	classic, err := prometheus.NewConstHistogramWithCreatedTimestamp(desc, h.Count, h.Sum, buckets, since, labels...)
	if since.IsZero() {
		classic, err = prometheus.NewConstHistogram(desc, h.Count, h.Sum, buckets, labels...)
	}
	if err != nil || m.Unit == "" {
		return classic, err
	}
	counts, zero := h.Exponential()
	native, err := prometheus.NewConstNativeHistogram(desc, h.Count, h.Sum, counts, nil, zero,
		reading.Scale, reading.ZeroThreshold, since, labels...)
	return histogram{native, classic}, err
}

// histogram is a native histogram with the buckets and the beginning of a classic
// one.
type histogram struct {
	prometheus.Metric
	classic prometheus.Metric
}

func (h histogram) Write(out *dto.Metric) error {
	var classic dto.Metric
	if err := h.classic.Write(&classic); err != nil {
		return err
	}
	if err := h.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = classic.Histogram.Bucket
	out.Histogram.CreatedTimestamp = classic.Histogram.CreatedTimestamp
	return nil
}
