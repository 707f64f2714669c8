package otel

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/crawlstats/crawlstats/export/otelbridge"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// receive is a collector: it hands on what it is sent.
func receive(t *testing.T) (url string, exports <-chan *collector.ExportMetricsServiceRequest) {
	t.Helper()
	received := make(chan *collector.ExportMetricsServiceRequest, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		data, err := io.ReadAll(body)
		if err != nil || r.URL.Path != "/v1/metrics" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		request := new(collector.ExportMetricsServiceRequest)
		if err := proto.Unmarshal(data, request); err != nil {
			t.Error(err)
			return
		}
		received <- request
		answer, err := proto.Marshal(&collector.ExportMetricsServiceResponse{})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.Write(answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, received
}

// export sends st once and returns what arrived, by name.
func export(t *testing.T, st *stats.Statistics, cfg otelbridge.Config) map[string]*metrics.Metric {
	t.Helper()
	url, exports := receive(t)
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(url+"/v1/metrics"),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(
		sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(otelbridge.New(st, cfg)))))
	defer provider.Shutdown(context.Background())
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrived := map[string]*metrics.Metric{}
	for _, resource := range (<-exports).ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			if scope.Scope.Name == otelbridge.ScopeName {
				if scope.Scope.Version != stats.Version {
					t.Errorf("scope version %q", scope.Scope.Version)
				}
				for _, m := range scope.Metrics {
					arrived[m.Name] = m
				}
			}
		}
	}
	return arrived
}

// crawl counts a seeded run, on top of an earlier one.
func crawl(t *testing.T) *stats.Statistics {
	t.Helper()
	store := kvstore.NewMemory()
	cfg := stats.Config{ID: "shop", Member: "a", Store: store, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)}
	rng := rand.New(rand.NewPCG(1, 2))
	var st *stats.Statistics
	for range 2 {
		var err error
		if st, err = stats.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		for range 5000 {
			o := stats.Outcome{
				Request:    stats.Request{Retries: rng.IntN(5)},
				Duration:   time.Duration(rng.ExpFloat64() * float64(time.Second)),
				QueueWait:  time.Duration(rng.ExpFloat64() * float64(10*time.Millisecond)),
				StatusCode: []int{200, 404, 503}[rng.IntN(3)],
			}
			if rng.IntN(10) == 0 {
				o.Err = stats.WithKind(stats.KindTimeout, errors.New("too slow"))
			}
			st.Observe(o)
		}
		st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "True"}, stats.Label{Key: "status_code", Value: "202"}).Add(5)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func hasAttributes(attributes []*common.KeyValue, want string) bool {
	have := map[string]string{}
	for _, a := range attributes {
		have[a.Key] = a.Value.GetStringValue()
	}
	for _, pair := range strings.Fields(want + " crawler=shop member=a") {
		k, v, _ := strings.Cut(pair, "=")
		if have[k] != v {
			return false
		}
	}
	return true
}

func TestArrives(t *testing.T) {
	st := crawl(t)
	live, whole := st.Live(), st.Snapshot()
	if whole.Finished <= live.Finished {
		t.Fatal("the run before is missing: the test could not tell the scopes apart")
	}
	arrived := export(t, st, otelbridge.Config{})
	since := uint64(live.Since.UnixNano())

	sum := func(want int64, name, attributes string) {
		t.Helper()
		s := arrived[name].GetSum()
		if !s.GetIsMonotonic() || s.GetAggregationTemporality() != metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
			t.Errorf("%s is no monotonic cumulative sum", name)
		}
		for _, p := range s.GetDataPoints() {
			if hasAttributes(p.Attributes, attributes) {
				if p.GetAsInt() != want || p.StartTimeUnixNano != since || p.TimeUnixNano < since {
					t.Errorf("%s %s: %d from %d to %d, want %d from %d", name, attributes, p.GetAsInt(), p.StartTimeUnixNano, p.TimeUnixNano, want, since)
				}
				return
			}
		}
		t.Errorf("%s %s did not arrive", name, attributes)
	}
	sum(live.Started, "crawler.requests_started", "")
	sum(live.Finished, "crawler.requests_finished", "")
	sum(live.FailedKinds["timeout"], "crawler.requests_failed", "kind=timeout")
	sum(live.StatusCodes[404], "crawler.responses", "code=404")
	sum(live.Retries, "crawler.requests_retried", "")
	sum(5, "mutate_requests", "allowed=True status_code=202")
	found := false
	for _, p := range arrived["crawler.job_requests"].GetGauge().GetDataPoints() {
		if hasAttributes(p.Attributes, "state=finished") {
			if found = true; p.GetAsDouble() != float64(whole.Finished) {
				t.Errorf("%v finished in all runs, want %d", p.GetAsDouble(), whole.Finished)
			}
		}
	}
	if !found {
		t.Error("crawler.job_requests did not arrive")
	}

	for _, c := range durations(live) {
		found := false
		for _, p := range arrived[c.name].GetHistogram().GetDataPoints() {
			if !hasAttributes(p.Attributes, c.attributes) {
				continue
			}
			found = true
			if p.Count != uint64(c.want.Count) || p.GetSum() != c.want.Sum.Seconds() || p.StartTimeUnixNano != since ||
				p.GetMin() != c.want.Min.Seconds() || p.GetMax() != c.want.Max.Seconds() {
				t.Errorf("%s %s: %v, want %v", c.name, c.attributes, p, c.want)
			}
			var below uint64
			for i, bound := range p.ExplicitBounds {
				below += p.BucketCounts[i]
				if want := c.want.CountBelow(time.Duration(bound * float64(time.Second))); below != uint64(want) {
					t.Errorf("%s %s: %d at most %v s, want %d", c.name, c.attributes, below, bound, want)
				}
			}
		}
		if !found {
			t.Errorf("%s %s did not arrive", c.name, c.attributes)
		}
	}
}

func TestExponentialArrives(t *testing.T) {
	st := crawl(t)
	live := st.Live()
	arrived := export(t, st, otelbridge.Config{Exponential: true})
	for _, c := range durations(live) {
		found := false
		for _, p := range arrived[c.name].GetExponentialHistogram().GetDataPoints() {
			if !hasAttributes(p.Attributes, c.attributes) {
				continue
			}
			found = true
			total := p.ZeroCount
			for _, n := range p.Positive.BucketCounts {
				total += n
			}
			if p.Count != uint64(c.want.Count) || total != p.Count || p.GetSum() != c.want.Sum.Seconds() || p.StartTimeUnixNano != uint64(live.Since.UnixNano()) {
				t.Errorf("%s %s: %v, want %v", c.name, c.attributes, p, c.want)
			}
			if got, want := quantile(p, .95), c.want.Quantile(.95).Seconds(); got < want/1.1 || got > want*1.1 {
				t.Errorf("%s %s: the 0.95 quantile is %v, want %v within 10 %%", c.name, c.attributes, got, want)
			}
		}
		if !found {
			t.Errorf("%s %s did not arrive", c.name, c.attributes)
		}
	}
}

type durationsCase struct {
	name, attributes string
	want             stats.Durations
}

func durations(live stats.Snapshot) []durationsCase {
	return []durationsCase{
		{"crawler.request_duration", "outcome=ok", live.FinishedDuration},
		{"crawler.request_duration", "outcome=error", live.FailedDuration},
		{"crawler.request_queue", "", live.QueueWait},
		{"crawler.request_total", "", live.TotalDuration},
	}
}

func quantile(p *metrics.ExponentialHistogramDataPoint, q float64) float64 {
	rank, seen := q*float64(p.Count-1), p.ZeroCount
	for i, n := range p.Positive.BucketCounts {
		if seen += n; float64(seen) > rank {
			return math.Exp2(float64(int(p.Positive.Offset)+i+1) / math.Exp2(float64(p.Scale)))
		}
	}
	return math.NaN()
}
