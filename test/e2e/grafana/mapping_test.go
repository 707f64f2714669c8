package grafana

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// exporter is statsd_exporter with our mapping.
type exporter struct{ statsd, page string }

func startExporter(t *testing.T) exporter {
	t.Helper()
	binary, web := tool.Installed(t, "bin/statsd_exporter"), fmt.Sprintf("127.0.0.1:%d", port.Free(t))
	e := exporter{fmt.Sprintf("127.0.0.1:%d", port.Free(t)), "http://" + web + "/metrics"}
	tool.Serve(t, binary, "--web.listen-address="+web, "--log.level=warn", "--statsd.listen-udp=", "--statsd.listen-tcp="+e.statsd,
		"--statsd.mapping-config="+shipped(t, "statsd-exporter-mapping.yml"))
	wait.For(t, 20*time.Second, "statsd_exporter starts", func() bool { _, err := e.samples(); return err == nil })
	return e
}

// samples returns the page: values by name and labels.
func (e exporter) samples() (map[string]float64, error) {
	resp, err := http.Get(e.page)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %.500s, %w", resp.Status, body, err)
	}
	values := map[string]float64{}
	for line := range strings.SplitSeq(string(body), "\n") {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			if values[line[:i]], err = strconv.ParseFloat(line[i+1:], 64); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
		}
	}
	return values, nil
}

// show waits until the exporter shows want, and returns all that it shows.
func (e exporter) show(t *testing.T, want map[string]float64) map[string]float64 {
	t.Helper()
	var samples map[string]float64
	defer func() {
		if t.Failed() {
			for name, v := range want {
				if got, there := samples[name]; !there || !near(got, v) {
					t.Logf("%s is %v (shown: %v), want %v", name, got, there, v)
				}
			}
		}
	}()
	wait.For(t, 20*time.Second, "the exporter shows what was sent", func() bool {
		var err error
		if samples, err = e.samples(); err != nil {
			return false
		}
		for name, v := range want {
			got, there := samples[name]
			if !there || !near(got, v) {
				return false
			}
		}
		return true
	})
	for name, n := range samples {
		for _, complaint := range []string{"sample_errors_total", "tag_errors_total", "events_error_total", "events_conflict_total"} {
			if strings.HasPrefix(name, "statsd_exporter_"+complaint) && n != 0 {
				t.Errorf("the exporter complains: %s is %v", name, n)
			}
		}
	}
	return samples
}

// near is equality of sums that were added up in another order.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }

// wanted is a snapshot in the names of promcollect, as far as both forms of
// timings agree.
func wanted(live, all stats.Snapshot) map[string]float64 {
	want := map[string]float64{
		`crawler_requests_started_total{crawler="shop"}`:        float64(live.Started),
		`crawler_requests_finished_total{crawler="shop"}`:       float64(live.Finished),
		`crawler_requests_failed_total{crawler="shop"}`:         float64(live.Failed),
		`crawler_requests_retried_total{crawler="shop"}`:        float64(live.Retries),
		`crawler_attempts_total{crawler="shop"}`:                float64(live.Attempts),
		`crawler_requests_in_flight{crawler="shop"}`:            float64(live.InFlight),
		`crawler_job_requests{crawler="shop",state="finished"}`: float64(all.Finished),
		`crawler_resumed_total{crawler="shop"}`:                 1,
		`crawler_self_total{crawler="shop",what="superseded"}`:  0,
		`crawler_redirects_total{crawler="shop"}`:               float64(live.Counters["wire.redirects"]),
		`crawler_response_wire_bytes_total{crawler="shop"}`:     float64(live.Counters["wire.bytes.wire"]),
		`queue_pending{crawler="shop"}`:                         40,
		`crawler_shop_custom_items`:                             float64(live.Counters["items"]),
	}
	for code, n := range live.StatusCodes {
		want[fmt.Sprintf(`crawler_responses_total{code="%d",crawler="shop"}`, code)] = float64(n)
	}
	for reason, n := range live.Discards {
		want[fmt.Sprintf(`crawler_requests_discarded_total{crawler="shop",reason=%q}`, reason)] = float64(n)
	}
	for kind, n := range live.ErrorKinds {
		want[fmt.Sprintf(`crawler_errors_total{crawler="shop",kind=%q}`, kind)] = float64(n)
	}
	for name, n := range live.Counters {
		if event, ok := strings.CutPrefix(name, "http."); ok {
			want[fmt.Sprintf(`crawler_http_events_total{crawler="shop",event=%q}`, event)] = float64(n)
		}
	}
	return want
}

// Whatever the form of timings: names are those of promcollect, and nothing but
// the crawler's own stays unmapped.
func TestMapping(t *testing.T) {
	t.Run("summaries", func(t *testing.T) {
		e, st := startExporter(t), run(t)
		push(t, st, e.statsd, statsdpush.Config{})
		live := st.Live()
		want := wanted(live, st.Snapshot())
		for outcome, d := range map[string]stats.Durations{"ok": live.FinishedDuration, "error": live.FailedDuration} {
			const family = "crawler_request_duration"
			want[fmt.Sprintf(`%s_summary_seconds_count{crawler="shop",outcome=%q}`, family, outcome)] = float64(d.Count)
			want[fmt.Sprintf(`%s_summary_seconds_sum{crawler="shop",outcome=%q}`, family, outcome)] = float64(d.Sum.Milliseconds()) / 1000
			want[fmt.Sprintf(`%s_quantile_seconds{crawler="shop",outcome=%q,quantile="0.95"}`, family, outcome)] = d.Quantile(.95).Seconds()
			want[fmt.Sprintf(`%s_quantile_seconds{crawler="shop",outcome=%q,quantile="1"}`, family, outcome)] = d.Max.Seconds()
		}
		want[`crawler_request_queue_quantile_seconds{crawler="shop",quantile="0.5"}`] = live.QueueWait.Quantile(.5).Seconds()
		want[`crawler_request_phase_summary_seconds_count{crawler="shop",phase="ttfb"}`] = float64(live.Timers["wire.phase.ttfb"].Count)
		checkMapped(t, e.show(t, want))
	})
	t.Run("events", func(t *testing.T) {
		e, st := startExporter(t), run(t)
		before := st.Live()
		push(t, st, e.statsd, statsdpush.Config{Timings: statsdpush.TimingEvents})
		live := st.Live()
		want := wanted(live, st.Snapshot())
		for outcome, d := range map[string]stats.Durations{
			"ok": live.Sub(before).FinishedDuration, "error": live.Sub(before).FailedDuration,
		} {
			labels := fmt.Sprintf(`{crawler="shop",outcome=%q`, outcome)
			want["crawler_request_duration_seconds_count"+labels+"}"] = float64(d.Count)
			want["crawler_request_duration_seconds_sum"+labels+"}"] = d.Sum.Seconds()
			want["crawler_request_duration_seconds_bucket"+labels+`,le="120"}`] = float64(d.Count)
		}
		want[`crawler_request_queue_seconds_count{crawler="shop"}`] = float64(live.QueueWait.Count - before.QueueWait.Count)
		checkMapped(t, e.show(t, want))
	})
}

// checkMapped finds names that the mapping has missed.
func checkMapped(t *testing.T, samples map[string]float64) {
	t.Helper()
	for sample := range samples {
		name, _, _ := strings.Cut(sample, "{")
		if strings.HasPrefix(name, "crawler_shop_") && !strings.HasPrefix(name, "crawler_shop_custom_") {
			t.Errorf("%s is not mapped", name)
		}
		if name == "dropped" {
			t.Error("what is dropped is shown")
		}
		if !strings.HasPrefix(name, "crawler_") || strings.HasPrefix(name, "crawler_shop_custom_") || name == "crawler_resumed_total" {
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		name = strings.NewReplacer("_summary_seconds", "_seconds", "_quantile_seconds", "_seconds").Replace(name)
		if _, ok := catalogue.FindProm(name); !ok {
			t.Errorf("%s is not in the catalogue", name)
		}
	}
}
