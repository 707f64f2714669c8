package stats

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Summary is what a log line and a final report show. It prints as a table,
// logs as attributes and marshals to JSON; in each, Crawlee's FinalStatistics
// come first under their own names, and then ours.
type Summary struct {
	RequestsFinished, RequestsFailed, RequestsTotal int64

	RetryHistogram []int64 // index = retries, the last one "this many or more"

	// Averages are nil while there is nothing to average.
	RequestAvgFinishedDuration, RequestAvgFailedDuration *time.Duration

	RequestTotalDuration time.Duration // working time of finished and failed requests
	CrawlerRuntime       time.Duration // over all runs

	RequestsFinishedPerMinute, RequestsFailedPerMinute float64

	RequestsRetried int64 // requests that needed a retry
	Discarded       int64
	Interrupted     int64
	InFlight        int64

	// Quantiles and maximum of the duration of finished requests, nil when
	// there were none.
	P50, P95, P99, Max *time.Duration

	StatusCodes map[int]int64 // 0: codes outside 1 to 999
	TopErrors   []ErrorGroup  // most frequent first
}

// A fact is one line of the table and one attribute of the log.
type fact struct {
	key   string
	text  string
	value slog.Value
}

// facts are Crawlee's ten, and of ours those that say something.
func (s Summary) facts() []fact {
	facts := []fact{
		countFact("requests_finished", s.RequestsFinished),
		countFact("requests_failed", s.RequestsFailed),
		{"retry_histogram", strings.ReplaceAll(fmt.Sprint(s.histogram()), " ", ", "), slog.AnyValue(s.histogram())},
		durationFact("request_avg_failed_duration", s.RequestAvgFailedDuration),
		durationFact("request_avg_finished_duration", s.RequestAvgFinishedDuration),
		rateFact("requests_finished_per_minute", s.RequestsFinishedPerMinute),
		rateFact("requests_failed_per_minute", s.RequestsFailedPerMinute),
		durationFact("request_total_duration", &s.RequestTotalDuration),
		countFact("requests_total", s.RequestsTotal),
		durationFact("crawler_runtime", &s.CrawlerRuntime),
	}
	for _, f := range []fact{
		countFact("requests_retried", s.RequestsRetried),
		countFact("requests_discarded", s.Discarded),
		countFact("requests_interrupted", s.Interrupted),
		countFact("requests_in_flight", s.InFlight),
	} {
		if f.value.Int64() != 0 {
			facts = append(facts, f)
		}
	}
	for _, f := range []fact{
		durationFact("request_p50_duration", s.P50),
		durationFact("request_p95_duration", s.P95),
		durationFact("request_p99_duration", s.P99),
		durationFact("request_max_duration", s.Max),
	} {
		if f.value.Any() != nil {
			facts = append(facts, f)
		}
	}
	if len(s.StatusCodes) > 0 {
		facts = append(facts, codesFact("status_codes", s.StatusCodes))
	}
	if len(s.TopErrors) > 0 {
		facts = append(facts, errorsFact("top_errors", s.TopErrors))
	}
	return facts
}

func countFact(key string, n int64) fact {
	return fact{key, strconv.FormatInt(n, 10), slog.Int64Value(n)}
}

func rateFact(key string, perMinute float64) fact {
	v := rate(perMinute)
	return fact{key, strconv.FormatFloat(v, 'f', -1, 64), slog.Float64Value(v)}
}

func durationFact(key string, d *time.Duration) fact {
	f := fact{key: key, text: durationText(d)}
	if d != nil {
		f.value = slog.Float64Value(d.Seconds())
	}
	return f
}

func codesFact(key string, codes map[int]int64) fact {
	var texts []string
	var attrs []slog.Attr
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		name := strconv.Itoa(code)
		if code == 0 {
			name = "other"
		}
		texts = append(texts, fmt.Sprintf("%s: %d", name, codes[code]))
		attrs = append(attrs, slog.Int64(name, codes[code]))
	}
	return fact{key, strings.Join(texts, ", "), slog.GroupValue(attrs...)}
}

func errorsFact(key string, groups []ErrorGroup) fact {
	texts := make([]string, len(groups))
	for i, g := range groups {
		texts[i] = cleanText(fmt.Sprintf("%d× %s: %s", g.Count, g.Kind, g.Message), math.MaxInt)
	}
	return fact{key, strings.Join(texts, "\n"), slog.AnyValue(texts)}
}

// histogram is never empty, as Crawlee's.
func (s Summary) histogram() []int64 {
	if len(s.RetryHistogram) == 0 {
		return []int64{0}
	}
	return s.RetryHistogram
}

// String draws the table of Crawlee, at most 100 columns wide, with a line more
// for each of our facts that says something. Long values are folded.
func (s Summary) String() string {
	var rows []tableRow
	for _, f := range s.facts() {
		key := f.key
		for line := range strings.SplitSeq(f.text, "\n") {
			rows = append(rows, tableRow{key, line})
			key = ""
		}
	}
	return table(rows)
}

// LogValue is a group of one attribute a fact, under the names of the table,
// durations in seconds.
func (s Summary) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, f := range s.facts() {
		attrs = append(attrs, slog.Attr{Key: f.key, Value: f.value})
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON writes all facts under the names of the table, in its order,
// durations as seconds, and null where there is none. There is no way back: a
// Snapshot is what can be read again.
func (s Summary) MarshalJSON() ([]byte, error) {
	codes, groups := s.StatusCodes, s.TopErrors
	if codes == nil {
		codes = map[int]int64{}
	}
	if groups == nil {
		groups = []ErrorGroup{}
	}
	return json.Marshal(struct {
		Finished          int64         `json:"requests_finished"`
		Failed            int64         `json:"requests_failed"`
		RetryHistogram    []int64       `json:"retry_histogram"`
		AvgFailed         *float64      `json:"request_avg_failed_duration"`
		AvgFinished       *float64      `json:"request_avg_finished_duration"`
		FinishedPerMinute float64       `json:"requests_finished_per_minute"`
		FailedPerMinute   float64       `json:"requests_failed_per_minute"`
		TotalDuration     *float64      `json:"request_total_duration"`
		Total             int64         `json:"requests_total"`
		Runtime           *float64      `json:"crawler_runtime"`
		Retried           int64         `json:"requests_retried"`
		Discarded         int64         `json:"requests_discarded"`
		Interrupted       int64         `json:"requests_interrupted"`
		InFlight          int64         `json:"requests_in_flight"`
		P50               *float64      `json:"request_p50_duration"`
		P95               *float64      `json:"request_p95_duration"`
		P99               *float64      `json:"request_p99_duration"`
		Max               *float64      `json:"request_max_duration"`
		StatusCodes       map[int]int64 `json:"status_codes"`
		TopErrors         []ErrorGroup  `json:"top_errors"`
	}{
		s.RequestsFinished, s.RequestsFailed, s.histogram(),
		seconds(s.RequestAvgFailedDuration), seconds(s.RequestAvgFinishedDuration),
		rate(s.RequestsFinishedPerMinute), rate(s.RequestsFailedPerMinute),
		seconds(&s.RequestTotalDuration), s.RequestsTotal, seconds(&s.CrawlerRuntime),
		s.RequestsRetried, s.Discarded, s.Interrupted, s.InFlight,
		seconds(s.P50), seconds(s.P95), seconds(s.P99), seconds(s.Max),
		codes, groups,
	})
}

func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	v := d.Seconds()
	return &v
}

// rate is v, or 0 for what is no number of requests.
func rate(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
