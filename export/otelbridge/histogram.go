package otelbridge

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/crawlstats/crawlstats/export/internal/reading"
)

func (p *producer) explicitPoint(at, since time.Time, s reading.Sample, bounds []float64) metricdata.HistogramDataPoint[float64] {
	h := s.Histogram
	point := metricdata.HistogramDataPoint[float64]{
		Attributes: p.attributes(s), StartTime: since, Time: at,
		Count: h.Count, Sum: h.Sum, Bounds: bounds,
	}
	point.Min, point.Max = extremes(h)
	var below uint64
	for _, n := range append(slices.Clip(h.Below), h.Count) {
		point.BucketCounts = append(point.BucketCounts, n-below)
		below = n
	}
	return point
}

func (p *producer) exponentialPoint(at, since time.Time, s reading.Sample) metricdata.ExponentialHistogramDataPoint[float64] {
	h := s.Histogram
	counts, zero := h.Exponential()
	point := metricdata.ExponentialHistogramDataPoint[float64]{
		Attributes: p.attributes(s), StartTime: since, Time: at,
		Count: h.Count, Sum: h.Sum,
		Scale: reading.Scale, ZeroCount: zero, ZeroThreshold: reading.ZeroThreshold,
		PositiveBucket: dense(counts),
	}
	point.Min, point.Max = extremes(h)
	return point
}

// dense lays the counts out one after the other. The upper bound of bucket i is
// the lower one of bucket i here: OpenTelemetry counts them from one less.
func dense(counts map[int]int64) metricdata.ExponentialBucket {
	if len(counts) == 0 {
		return metricdata.ExponentialBucket{}
	}
	indexes := slices.Sorted(maps.Keys(counts))
	first, last := indexes[0], indexes[len(indexes)-1]
	b := metricdata.ExponentialBucket{Offset: int32(first - 1), Counts: make([]uint64, last-first+1)}
	for i, n := range counts {
		b.Counts[i-first] = uint64(n)
	}
	return b
}

// extremes returns the shortest and the longest duration, when there is one.
func extremes(h reading.Histogram) (least, most metricdata.Extrema[float64]) {
	if h.Durations.Count == 0 {
		return least, most
	}
	return metricdata.NewExtrema(h.Durations.Min.Seconds()), metricdata.NewExtrema(h.Durations.Max.Seconds())
}
