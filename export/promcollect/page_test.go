package promcollect_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	openMetrics = `application/openmetrics-text;version=1.0.0`
	protobuf    = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`
)

// page is what one scrape showed, by family.
type page map[string]*dto.MetricFamily

// gather scrapes a collector of its own, in a registry that complains about
// everything.
func gather(t testing.TB, src stats.Source, cfg promcollect.Config) page {
	t.Helper()
	return scrapeCollector(t, promcollect.New(src, cfg))
}

func scrapeCollector(t testing.TB, c prometheus.Collector) page {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Error(err)
	}
	return pageOf(families)
}

func pageOf(families []*dto.MetricFamily) page {
	p := page{}
	for _, f := range families {
		p[f.GetName()] = f
	}
	return p
}

// get asks h for its page in a format.
func get(t testing.TB, h http.Handler, accept string) (contentType string, body []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Header().Get("Content-Type"), w.Body.Bytes()
}

// fetch parses the page of h, in classic text or in protobuf.
func fetch(t testing.TB, h http.Handler, accept string) page {
	t.Helper()
	contentType, body := get(t, h, accept)
	decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(http.Header{"Content-Type": {contentType}}))
	var families []*dto.MetricFamily
	for {
		var f dto.MetricFamily
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			return pageOf(families)
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
		families = append(families, &f)
	}
}

// metric returns the sample of a family with these labels among its own, given
// as key=value.
func (p page) metric(t testing.TB, family string, labels ...string) *dto.Metric {
	t.Helper()
	for _, m := range p[family].GetMetric() {
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(labelsOf(m), l) }) {
			return m
		}
	}
	t.Errorf("there is no %s%v", family, labels)
	return &dto.Metric{Counter: &dto.Counter{}, Gauge: &dto.Gauge{}, Histogram: &dto.Histogram{}}
}

func labelsOf(m *dto.Metric) (labels []string) {
	for _, l := range m.Label {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	return labels
}

func (p page) value(t testing.TB, family string, labels ...string) float64 {
	t.Helper()
	return valueOf(p.metric(t, family, labels...))
}

// valueOf returns the value of a counter or a gauge and the count of a histogram.
func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	}
	return math.NaN()
}

// sum adds up a family.
func (p page) sum(family string) (sum float64) {
	for _, m := range p[family].GetMetric() {
		sum += valueOf(m)
	}
	return sum
}

func lines(body []byte, prefix string) (found []string) {
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, prefix) {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

var quiet = slog.New(slog.DiscardHandler)

// created returns when a counter or a histogram began, zero if it does not say.
func created(m *dto.Metric) time.Time {
	switch {
	case m.GetCounter().GetCreatedTimestamp() != nil:
		return m.Counter.CreatedTimestamp.AsTime()
	case m.GetHistogram().GetCreatedTimestamp() != nil:
		return m.Histogram.CreatedTimestamp.AsTime()
	}
	return time.Time{}
}
