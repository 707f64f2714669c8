package promcollect

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// createdGauges gathers what its Gatherer does, and beside each counter and
// histogram that knows when it began a gauge <name>_created that tells.
type createdGauges struct{ prometheus.Gatherer }

func (g createdGauges) Gather() ([]*dto.MetricFamily, error) {
	families, err := g.Gatherer.Gather()
	all := slices.Clone(families)
	for _, f := range families {
		if gauges := createdOf(f); len(gauges.Metric) > 0 {
			all = append(all, gauges)
		}
	}
	slices.SortStableFunc(all, func(x, y *dto.MetricFamily) int { return cmp.Compare(x.GetName(), y.GetName()) })
	return all, err
}

func createdOf(f *dto.MetricFamily) *dto.MetricFamily {
	gauges := &dto.MetricFamily{
		Name: new(strings.TrimSuffix(f.GetName(), "_total") + "_created"),
		Help: f.Help,
		Type: dto.MetricType_GAUGE.Enum(),
	}
	for _, m := range f.Metric {
		if t, ok := createdAt(m); ok {
			seconds := float64(t.UnixMilli()) / 1000
			gauges.Metric = append(gauges.Metric, &dto.Metric{Label: m.Label, Gauge: &dto.Gauge{Value: &seconds}})
		}
	}
	return gauges
}

func createdAt(m *dto.Metric) (t time.Time, ok bool) {
	stamp := m.GetCounter().GetCreatedTimestamp()
	if m.Histogram != nil {
		stamp = m.Histogram.GetCreatedTimestamp()
	}
	return stamp.AsTime(), stamp != nil
}
