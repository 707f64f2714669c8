package prometheus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

const openMetrics = "application/openmetrics-text;version=1.0.0"

// serve shows st at /metrics, with a handler of the caller's that has been used.
func serve(t *testing.T, st *stats.Statistics, cfg promcollect.Config) *httptest.Server {
	t.Helper()
	cfg.Registry = client.NewRegistry()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promcollect.Handler(st, cfg))
	mux.Handle("POST /mutate", promcollect.Instrument(http.NotFoundHandler(), cfg))
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/mutate", nil))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	fetch(t, srv.URL+"/metrics", "") // the page is among its own metrics from the second time on
	return srv
}

func TestPromtoolFindsNothing(t *testing.T) {
	promtool := tool.Program(t, "promtool", "prometheus")
	st := open(t, kvstore.NewMemory())
	crawl(st, 5000)
	for _, cfg := range []promcollect.Config{{}, {Hosts: 5, CreatedGauges: true}} {
		page := fetch(t, serve(t, st, cfg).URL+"/metrics", "")
		if !strings.Contains(string(page), "crawler_requests_started_total{") {
			t.Fatalf("this is not the page:\n%s", page)
		}
		if out := run(t, page, promtool, "check", "metrics"); out != "" {
			t.Error(out)
		}
	}
}

// strict prints the samples of an OpenMetrics page by family as JSON, or fails.
const strict = `
import sys, json
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = {f.name: [[s.name, s.labels, s.value] for s in f.samples]
            for f in text_string_to_metric_families(sys.stdin.buffer.read().decode("utf-8"))}
json.dump(families, sys.stdout)
`

func TestStrictParserAcceptsThePage(t *testing.T) {
	interpreter := python(t)
	st := open(t, kvstore.NewMemory())
	crawl(st, 5000)
	for _, cfg := range []promcollect.Config{{}, {Hosts: 5, CreatedGauges: true}} {
		page := fetch(t, serve(t, st, cfg).URL+"/metrics", openMetrics)
		var families map[string][][3]any
		if err := json.Unmarshal([]byte(run(t, page, interpreter, "-c", strict)), &families); err != nil {
			t.Fatal(err)
		}
		live := st.Live()
		for name, want := range map[string]float64{
			"crawler_requests_finished_total":    float64(live.Finished),
			"crawler_requests_finished_created":  float64(live.Since.UnixNano()) / 1e9,
			"crawler_requests_in_flight":         1,
			"http_request_exceptions_total":      0,
			"go_gc_cycles_total_gc_cycles_total": -1,
			"process_open_fds":                   -1,
			"mutate_requests_created":            float64(live.Since.UnixNano()) / 1e9,
			"http_request_created":               -1,
		} {
			found := false
			for _, samples := range families {
				for _, s := range samples {
					if s[0] == name {
						found = true
						if got := s[2].(float64); want >= 0 && (got-want > 1e-3 || want-got > 1e-3) {
							t.Errorf("%s is %v, want %v", name, got, want)
						}
					}
				}
			}
			if !found {
				t.Errorf("the parser did not see %s", name)
			}
		}
		if len(families) < 50 {
			t.Errorf("the parser saw %d families", len(families))
		}
	}
}

// The real server scrapes all three formats; what it answers is what the
// snapshot holds, and goes on without a jump when the crawl is resumed.
func TestPrometheus(t *testing.T) {
	store := kvstore.NewMemory()
	first := open(t, store)
	crawl(first, 20_000)

	var page atomic.Pointer[http.Handler]
	show := func(st *stats.Statistics) {
		h := promcollect.Handler(st, promcollect.Config{Hosts: 4})
		page.Store(&h)
	}
	show(first)
	mux := http.NewServeMux()
	for job, accept := range map[string]string{
		"classic": "text/plain;version=0.0.4", "openmetrics": openMetrics,
		"protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		mux.HandleFunc("/"+job, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Accept", accept)
			(*page.Load()).ServeHTTP(w, r)
		})
	}
	srv := httptest.NewServer(mux)
	defer srv.Close()
	prom := start(t, strings.TrimPrefix(srv.URL, "http://"), map[string]string{
		"classic": "/classic", "openmetrics": "/openmetrics", "protobuf": "/protobuf",
	})
	prom.await(t, "up == 1", func(s []sample) bool { return len(s) == 3 })
	prom.await(t, "crawler_requests_started_total", func(s []sample) bool { return len(s) == 3 })

	live, whole := first.Live(), first.Snapshot()
	for _, job := range []string{"classic", "openmetrics", "protobuf"} {
		check := func(want float64, family, labels string) {
			t.Helper()
			query := fmt.Sprintf(`%s{job=%q,crawler="shop",member="a"%s}`, family, job, labels)
			if got := prom.one(t, query); got != want {
				t.Errorf("%s is %v, want %v", query, got, want)
			}
		}
		check(float64(live.Started), "crawler_requests_started_total", "")
		check(float64(live.Finished), "crawler_requests_finished_total", "")
		check(float64(live.FailedKinds["timeout"]), "crawler_requests_failed_total", `,kind="timeout"`)
		check(float64(live.Discards["robots"]), "crawler_requests_discarded_total", `,reason="robots"`)
		check(float64(live.Attempts), "crawler_attempts_total", "")
		check(1, "crawler_requests_in_flight", "")
		for code, n := range live.StatusCodes {
			check(float64(n), "crawler_responses_total", fmt.Sprintf(`,code="%d"`, code))
		}
		for _, h := range live.Hosts[:4] {
			check(float64(h.Finished), "crawler_host_requests_total", fmt.Sprintf(`,outcome="ok",host=%q`, h.Host))
		}
		check(float64(whole.Finished), "crawler_job_requests", `,state="finished"`)
		check(5, "mutate_requests_total", `,allowed="True",status_code="202"`)
		check(-17.5, "queue_length", "")

		count, sum, below := "histogram_count(%s{%s})", "histogram_sum(%s{%s})", "%s{%s}"
		if job != "protobuf" { // there the histograms are native
			count, sum, below = "%s_count{%s}", "%s_sum{%s}", "%s_bucket{%s}"
		}
		for name, d := range map[string]stats.Durations{
			`crawler_request_duration_seconds outcome="ok"`:    live.FinishedDuration,
			`crawler_request_duration_seconds outcome="error"`: live.FailedDuration,
			`crawler_request_queue_seconds `:                   live.QueueWait,
		} {
			family, label, _ := strings.Cut(name, " ")
			labels := strings.TrimSuffix(fmt.Sprintf("job=%q,%s", job, label), ",")
			if got := prom.one(t, fmt.Sprintf(count, family, labels)); got != float64(d.Count) {
				t.Errorf("%s: %s counts %v, want %d", job, name, got, d.Count)
			}
			if got, want := prom.one(t, fmt.Sprintf(sum, family, labels)), d.Sum.Seconds(); got < want*.999999 || got > want*1.000001 {
				t.Errorf("%s: %s sums up to %v, want %v", job, name, got, want)
			}
			for _, q := range []float64{.5, .95, .99} {
				want := d.Quantile(q).Seconds()
				low, high := want/1.1, want*1.1
				if job != "protobuf" {
					low, high = bucketAround(want)
				}
				query := fmt.Sprintf("histogram_quantile(%v, "+below+")", q, family, labels)
				if got := prom.one(t, query); got < low || got > high {
					t.Errorf("%s is %v, want %v within %v and %v", query, got, want, low, high)
				}
			}
		}
		if n := prom.one(t, fmt.Sprintf(`crawler_request_retries_bucket{job=%q,le=~"0|0.0"}`, job)); n != float64(live.RetryHistogram[0]) {
			t.Errorf("%s: %v requests without a retry, want %d", job, n, live.RetryHistogram[0])
		}
	}

	// Resumed by another process, which the first does not hand over to: the
	// counters are seen to begin anew, once, and the lifetime to go on.
	if err := first.Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := open(t, store)
	for range 5 {
		second.Observe(stats.Outcome{})
	}
	show(second)
	prom.await(t, "crawler_requests_finished_total == 5", func(s []sample) bool { return len(s) == 3 })
	prom.await(t, fmt.Sprintf(`crawler_job_requests{state="finished"} == %d`, whole.Finished+5), func(s []sample) bool { return len(s) == 3 })
	for _, job := range []string{"classic", "openmetrics", "protobuf"} {
		if got := prom.one(t, fmt.Sprintf(`resets(crawler_requests_finished_total{job=%q}[5m])`, job)); got != 1 {
			t.Errorf("%s: %v resets of a counter, want 1", job, got)
		}
		// A restored total in the counter would show here.
		if got := prom.one(t, fmt.Sprintf(`max_over_time(crawler_requests_finished_total{job=%q}[5m])`, job)); got != float64(live.Finished) {
			t.Errorf("%s: the counter rose to %v, want %d", job, got, live.Finished)
		}
		if got := prom.one(t, fmt.Sprintf(`resets(crawler_job_requests{job=%q,state="finished"}[5m])`, job)); got != 0 {
			t.Errorf("%s: the lifetime fell %v times", job, got)
		}
		if got := prom.one(t, fmt.Sprintf(`crawler_job_requests{job=%q,state="interrupted"}`, job)); got != 1 {
			t.Errorf("%s: %v interrupted, want 1", job, got)
		}
	}
}

// bucketAround returns the classic bucket that seconds fall into.
func bucketAround(seconds float64) (low, high float64) {
	for _, bound := range []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120} {
		if seconds <= bound {
			return low, bound
		}
		low = bound
	}
	return low, low
}
