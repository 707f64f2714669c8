package stats

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// c51 is the summary of Crawlee's own test.
func c51() Summary {
	return Summary{
		RequestsFinished: 4, RequestsFailed: 33, RequestsTotal: 37,
		RetryHistogram:             []int64{1, 4, 8},
		RequestAvgFailedDuration:   new(99 * time.Second),
		RequestAvgFinishedDuration: new(483 * time.Millisecond),
		RequestsFinishedPerMinute:  0.33,
		RequestsFailedPerMinute:    0.1,
		RequestTotalDuration:       12 * time.Minute,
		CrawlerRuntime:             5 * time.Minute,
	}
}

// full has something in every field.
func full() Summary {
	s := c51()
	s.RequestsRetried, s.Discarded, s.Interrupted, s.InFlight = 12, 3, 2, 7
	s.P50, s.P95, s.P99, s.Max = new(400*time.Millisecond), new(time.Second), new(2*time.Second), new(90*time.Second)
	s.StatusCodes = map[int]int64{503: 4, 200: 4, 0: 1}
	seen := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	s.TopErrors = []ErrorGroup{
		{Kind: "timeout", Message: "Navigation timed out after <n> seconds.", Count: 30, FirstSeen: seen, LastSeen: seen},
		{Kind: "http", Message: "status <n> of <url>, tried again as often as the crawler allows and then given up", Count: 3},
	}
	return s
}

func TestTable(t *testing.T) {
	const want = `
┌───────────────────────────────┬────────────┐
│ requests_finished             │ 4          │
│ requests_failed               │ 33         │
│ retry_histogram               │ [1, 4, 8]  │
│ request_avg_failed_duration   │ 1min 39.0s │
│ request_avg_finished_duration │ 483.0ms    │
│ requests_finished_per_minute  │ 0.33       │
│ requests_failed_per_minute    │ 0.1        │
│ request_total_duration        │ 12min      │
│ requests_total                │ 37         │
│ crawler_runtime               │ 5min       │
└───────────────────────────────┴────────────┘`
	if diff := cmp.Diff(want, "\n"+c51().String()); diff != "" {
		t.Error(diff)
	}
}

func TestSummary_tableOfNothing(t *testing.T) {
	got := Summary{}.String()
	for _, want := range []string{
		"│ retry_histogram               │ [0]  │\n",
		"│ request_avg_failed_duration   │ None │\n",
		"│ requests_finished_per_minute  │ 0    │\n",
		"│ crawler_runtime               │ 0s   │\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestSummary_tableOfEverything(t *testing.T) {
	s := full()
	for range 60 {
		s.RetryHistogram = append(s.RetryHistogram, 1000)
	}
	s.TopErrors = append(s.TopErrors, ErrorGroup{Kind: "other", Message: strings.Repeat("é", 150) + "\x1b[31m\n", Count: 1})
	got := s.String()
	lines := strings.Split(got, "\n")
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n != tableWidth {
			t.Errorf("%d columns: %s", n, l)
		}
		assertSafe(t, l)
	}
	// Folded, nothing is lost.
	var values strings.Builder
	for _, l := range lines[1 : len(lines)-1] {
		values.WriteString(strings.TrimSpace(strings.Split(l, "│")[2]) + " ")
	}
	text := values.String()
	if n := strings.Count(text, "1000"); n != 60 {
		t.Errorf("%d of 60 buckets in\n%s", n, got)
	}
	if n := strings.Count(text, "é"); n != 150 {
		t.Errorf("%d of 150 runes of a long word in\n%s", n, got)
	}
	for _, want := range []string{
		"other: 1, 200: 4, 503: 4", "30× timeout: Navigation timed out after <n> seconds.",
		"3× http: status <n> of <url>, tried again as often as the crawler allows and then given up", `\x1b[31m\x0a`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestInline(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key != "s" {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("Statistics", "s", c51())
	want := `{"s":{"requests_finished":4,"requests_failed":33,"retry_histogram":[1,4,8],` +
		`"request_avg_failed_duration":99,"request_avg_finished_duration":0.483,` +
		`"requests_finished_per_minute":0.33,"requests_failed_per_minute":0.1,` +
		`"request_total_duration":720,"requests_total":37,"crawler_runtime":300}}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}

	out.Reset()
	log.Info("Statistics", "s", full())
	for _, want := range []string{
		`"requests_in_flight":7`, `"request_p95_duration":1,`, `"status_codes":{"other":1,"200":4,"503":4}`,
		`"top_errors":["30× timeout: Navigation timed out after <n> seconds.",`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
}

func TestSummary_MarshalJSON(t *testing.T) {
	for name, test := range map[string]struct {
		s    Summary
		want string
	}{
		"nothing": {
			Summary{RequestsFinishedPerMinute: math.NaN(), RequestsFailedPerMinute: math.Inf(1)},
			`{"requests_finished":0,"requests_failed":0,"retry_histogram":[0],` +
				`"request_avg_failed_duration":null,"request_avg_finished_duration":null,` +
				`"requests_finished_per_minute":0,"requests_failed_per_minute":0,` +
				`"request_total_duration":0,"requests_total":0,"crawler_runtime":0,` +
				`"requests_retried":0,"requests_discarded":0,"requests_interrupted":0,"requests_in_flight":0,` +
				`"request_p50_duration":null,"request_p95_duration":null,"request_p99_duration":null,"request_max_duration":null,` +
				`"status_codes":{},"top_errors":[]}`,
		},
		"everything": {
			full(),
			`{"requests_finished":4,"requests_failed":33,"retry_histogram":[1,4,8],` +
				`"request_avg_failed_duration":99,"request_avg_finished_duration":0.483,` +
				`"requests_finished_per_minute":0.33,"requests_failed_per_minute":0.1,` +
				`"request_total_duration":720,"requests_total":37,"crawler_runtime":300,` +
				`"requests_retried":12,"requests_discarded":3,"requests_interrupted":2,"requests_in_flight":7,` +
				`"request_p50_duration":0.4,"request_p95_duration":1,"request_p99_duration":2,"request_max_duration":90,` +
				`"status_codes":{"0":1,"200":4,"503":4},"top_errors":[`,
		},
	} {
		got, err := json.Marshal(test.s)
		if err != nil || !strings.HasPrefix(string(got), test.want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, test.want)
		}
	}
}

func TestNoInfinity(t *testing.T) {
	s := Summary{RequestsFinishedPerMinute: math.Inf(1), RequestsFailedPerMinute: math.NaN()}
	if text := s.String() + s.LogValue().String(); strings.Contains(text, "Inf") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
}

func TestDurationText(t *testing.T) {
	if got := durationText(nil); got != "None" {
		t.Errorf("nil is %s", got)
	}
	for d, want := range map[time.Duration]string{
		0:                                      "0s",
		40 * time.Nanosecond:                   "0.0μs",
		500 * time.Microsecond:                 "500.0μs",
		999_940 * time.Nanosecond:              "999.9μs",
		999_960 * time.Nanosecond:              "1.0ms",
		time.Millisecond:                       "1.0ms",
		483 * time.Millisecond:                 "483.0ms",
		999_960 * time.Microsecond:             "1.00s",
		time.Second:                            "1.00s",
		59_990 * time.Millisecond:              "59.99s",
		59_996 * time.Millisecond:              "1min",
		time.Minute:                            "1min",
		60_040 * time.Millisecond:              "1min",
		99 * time.Second:                       "1min 39.0s",
		119_960 * time.Millisecond:             "2min",
		12 * time.Minute:                       "12min",
		time.Hour - 10*time.Millisecond:        "1h",
		time.Hour:                              "1h",
		65 * time.Minute:                       "1h 5min",
		3605 * time.Second:                     "1h 0min 5.0s",
		2*time.Hour + 184_600*time.Millisecond: "2h 3min 4.6s",
		48 * time.Hour:                         "48h",
		-90 * time.Second:                      "-1min 30.0s",
		math.MaxInt64:                          "2562047h 47min 16.9s",
		math.MinInt64:                          "-2562047h 47min 16.9s",
	} {
		if got := durationText(&d); got != want {
			t.Errorf("durationText(%d) = %q, want %q", d, got, want)
		}
	}
	for d := time.Duration(0); d < 3*time.Hour; d += 83_719 * time.Microsecond {
		if got := durationText(&d); strings.Contains(got, "60.0") && !strings.HasSuffix(got, "ms") && !strings.HasSuffix(got, "μs") {
			t.Fatalf("durationText(%d) = %q", d, got)
		}
	}
}
