package promcollect_test

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/readingtest"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

// Each line of the origin's example page has its counterpart on ours, except
// those that Go has nothing for.
func TestOriginPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := promcollect.Config{Registry: prometheus.NewRegistry(), CreatedGauges: true}
		mux := http.NewServeMux()
		mux.Handle("/metrics", promcollect.Handler(readingtest.Full(t), cfg))
		mux.Handle("POST /mutate", promcollect.Instrument(http.NotFoundHandler(), cfg))
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/mutate", nil))

		p, om := fetch(t, mux, ""), fetch(t, mux, protobuf)
		for _, line := range []struct {
			origin, family string
			labels         []string
		}{
			{"python_gc_objects_collected_total", "go_gc_heap_frees_objects_total", nil},
			{"python_gc_collections_total", "go_gc_cycles_total_gc_cycles_total", nil},
			{"python_gc_collections_total", "go_gc_cycles_automatic_gc_cycles_total", nil},
			{"python_gc_collections_total", "go_gc_cycles_forced_gc_cycles_total", nil},
			{"python_info", "go_info", nil},
			{"process_virtual_memory_bytes", "process_virtual_memory_bytes", nil},
			{"process_resident_memory_bytes", "process_resident_memory_bytes", nil},
			{"process_start_time_seconds", "process_start_time_seconds", nil},
			{"process_cpu_seconds_total", "process_cpu_seconds_total", nil},
			{"process_open_fds", "process_open_fds", nil},
			{"process_max_fds", "process_max_fds", nil},
			{"exporter_info", "crawler_info", []string{"version=" + stats.Version}},
			{"exporter_info", "crawler_build_info", nil},
			{"http_request_duration_seconds", "http_request_duration_seconds", []string{"method=POST", "path=/mutate", "status=404"}},
			{"http_request_duration_seconds_created", "http_request_duration_seconds_created", []string{"method=POST", "path=/mutate", "status=404"}},
			{"http_request_total", "http_request_total", []string{"method=POST", "status=404"}},
			{"http_request_created", "http_request_created", []string{"method=POST", "status=404"}},
			{"http_request_exceptions_total", "http_request_exceptions_total", nil},
			{"http_request_exceptions_total", "http_request_exceptions_created", nil},
			{"mutate_requests_total", "mutate_requests_total", []string{"allowed=False", "status_code=403"}},
			{"mutate_requests_total", "mutate_requests_total", []string{"allowed=True", "status_code=202"}},
			{"mutate_requests_created", "mutate_requests_created", []string{"allowed=False", "status_code=403"}},
			{"mutate_requests_created", "mutate_requests_created", []string{"allowed=True", "status_code=202"}},
		} {
			p.metric(t, line.family, line.labels...)
			if base, ok := strings.CutSuffix(line.family, "_created"); ok {
				if om[base] == nil {
					base += "_total"
				}
				if created(om.metric(t, base, line.labels...)).IsZero() {
					t.Errorf("%s does not tell when it began, as %s does", base, line.origin)
				}
			}
			if id, ok := catalogue.FindProm(line.family); ok && !strings.HasPrefix(line.origin, id.Metric().Answers) {
				t.Errorf("%s is said to answer %s, not %s", line.family, id.Metric().Answers, line.origin)
			}
		}
		if got := p.metric(t, "http_request_duration_seconds", "path=/mutate").Histogram.Bucket; len(got) != 7 || got[0].GetUpperBound() != .1 || got[5].GetUpperBound() != 2.5 {
			t.Errorf("buckets %v", got)
		}
	})
}

// Families in OpenMetrics are told apart without _total, _created and _info.
func TestOpenMetricsFamiliesDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := promcollect.Handler(readingtest.Full(t), promcollect.Config{Hosts: 3})
		get(t, h, "")
		_, body := get(t, h, openMetrics)
		if !bytes.HasSuffix(body, []byte("# EOF\n")) {
			t.Error("the page does not end in # EOF")
		}
		seen := map[string]string{}
		for _, line := range lines(body, "# TYPE ") {
			name := strings.Fields(line)[2]
			base := name
			for _, end := range []string{"_total", "_created", "_info"} {
				base = strings.TrimSuffix(base, end)
			}
			if other, ok := seen[base]; ok {
				t.Errorf("%s and %s are one family to some parsers", name, other)
			}
			seen[base] = name
		}
		if len(seen) < 60 {
			t.Errorf("only %d families", len(seen))
		}
	})
}

// Native buckets arrive in protobuf beside the classic ones, add up to the count
// and give the percentiles of the snapshot.
func TestNativeHistograms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		live := st.Live()
		p := fetch(t, promcollect.Handler(st, promcollect.Config{}), protobuf)
		for _, c := range []struct {
			family string
			labels []string
			want   stats.Durations
		}{
			{"crawler_request_duration_seconds", []string{"outcome=ok"}, live.FinishedDuration},
			{"crawler_request_duration_seconds", []string{"outcome=error"}, live.FailedDuration},
			{"crawler_request_queue_seconds", nil, live.QueueWait},
			{"crawler_request_total_seconds", nil, live.TotalDuration},
			{"parse_seconds", nil, live.Timers["parse"]},
		} {
			h := p.metric(t, c.family, c.labels...).Histogram
			if h.GetSchema() != 3 || len(h.Bucket) == 0 || !h.CreatedTimestamp.AsTime().Equal(live.Since) {
				t.Errorf("%s: schema %d, %d classic buckets, created %v", c.family, h.GetSchema(), len(h.Bucket), h.CreatedTimestamp)
			}
			counts := nativeBuckets(h)
			total := h.GetZeroCount()
			for _, n := range counts {
				total += n
			}
			if total != uint64(c.want.Count) || total != h.GetSampleCount() {
				t.Errorf("%s: %d in native buckets, %d samples, want %d", c.family, total, h.GetSampleCount(), c.want.Count)
			}
			for _, q := range []float64{.5, .9, .95, .99} {
				got, want := nativeQuantile(h, counts, q), c.want.Quantile(q).Seconds()
				if got < want/1.1 || got > want*1.1 {
					t.Errorf("%s: the %v quantile is %v s, want %v within 10 %%", c.family, q, got, want)
				}
			}
		}
		if h := p.metric(t, "crawler_request_retries").Histogram; h.Schema != nil {
			t.Error("a histogram of whole numbers has exponential buckets")
		}
	})
}

// nativeBuckets decodes the positive buckets by index.
func nativeBuckets(h *dto.Histogram) map[int]uint64 {
	counts, at, n, deltas := map[int]uint64{}, 0, int64(0), h.PositiveDelta
	for _, span := range h.PositiveSpan {
		at += int(span.GetOffset())
		for range span.GetLength() {
			n += deltas[0]
			deltas = deltas[1:]
			counts[at] = uint64(n)
			at++
		}
	}
	return counts
}

// nativeQuantile returns the upper bound of the bucket that holds the quantile.
func nativeQuantile(h *dto.Histogram, counts map[int]uint64, q float64) float64 {
	rank, seen := q*float64(h.GetSampleCount()-1), h.GetZeroCount()
	var indexes []int
	for i := range counts {
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	for _, i := range indexes {
		if seen += counts[i]; float64(seen) > rank {
			return math.Exp2(float64(i) / math.Exp2(float64(h.GetSchema())))
		}
	}
	return math.NaN()
}

// What another collector cannot tell is left out, counted and logged; the rest
// of the page stands.
func TestBrokenNeighbour(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	registry.MustRegister(brokenCollector{})
	h := promcollect.Handler(stats.New(), promcollect.Config{Registry: registry, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	get(t, h, "")
	p := fetch(t, h, "")
	p.metric(t, "crawler_requests_started_total")
	if got := p.value(t, "promhttp_metric_handler_errors_total", "cause=gathering"); got != 1 {
		t.Errorf("%v errors counted before this page, want 1", got)
	}
	if !strings.Contains(log.String(), "out of order") {
		t.Errorf("the log says %q", log.String())
	}
}

type brokenCollector struct{}

func (brokenCollector) Describe(chan<- *prometheus.Desc) {}

func (brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("x", "x", nil, nil), errors.New("out of order"))
}

// The registry of the caller is shown beside our own metrics.
func TestRegistryOfTheCaller(t *testing.T) {
	registry := prometheus.NewRegistry()
	mine := prometheus.NewGauge(prometheus.GaugeOpts{Name: "mine", Help: "mine"})
	registry.MustRegister(mine)
	mine.Set(5)
	h := promcollect.Handler(stats.New(), promcollect.Config{Registry: registry})
	get(t, h, "")
	p := fetch(t, h, "")
	if got := p.value(t, "mine"); got != 5 {
		t.Errorf("mine is %v, want 5", got)
	}
	if got := p.value(t, "http_request_total", "method=GET", "status=200"); got != 1 {
		t.Errorf("%v requests of the page, want 1", got)
	}
	own, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if pageOf(own)["crawler_requests_started_total"] != nil {
		t.Error("Handler registered its own metrics with the caller")
	}
}
