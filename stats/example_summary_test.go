package stats_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

func ExampleSummary() {
	st := stats.New()
	st.Observe(stats.Outcome{Duration: 120 * time.Millisecond, StatusCode: 200})

	sum := st.Calculate()
	fmt.Println(sum.RequestsFinished, sum.RequestsFailed, *sum.RequestAvgFinishedDuration)
	fmt.Println("failed requests have an average:", sum.RequestAvgFailedDuration != nil)
	// Output:
	// 1 0 120ms
	// failed requests have an average: false
}

func ExampleSummary_String() {
	average := 483 * time.Millisecond
	fmt.Println(stats.Summary{
		RequestsFinished: 13, RequestsTotal: 13,
		RetryHistogram:             []int64{10, 2, 1},
		RequestAvgFinishedDuration: &average,
		RequestsFinishedPerMinute:  3,
		RequestTotalDuration:       6279 * time.Millisecond,
		CrawlerRuntime:             4 * time.Minute,
		StatusCodes:                map[int]int64{200: 13, 503: 4},
	})
	// Output:
	// ┌───────────────────────────────┬─────────────────┐
	// │ requests_finished             │ 13              │
	// │ requests_failed               │ 0               │
	// │ retry_histogram               │ [10, 2, 1]      │
	// │ request_avg_failed_duration   │ None            │
	// │ request_avg_finished_duration │ 483.0ms         │
	// │ requests_finished_per_minute  │ 3               │
	// │ requests_failed_per_minute    │ 0               │
	// │ request_total_duration        │ 6.28s           │
	// │ requests_total                │ 13              │
	// │ crawler_runtime               │ 4min            │
	// │ status_codes                  │ 200: 13, 503: 4 │
	// └───────────────────────────────┴─────────────────┘
}

func ExampleSummary_MarshalJSON() {
	data, err := json.Marshal(stats.Summary{RequestsFinished: 4, CrawlerRuntime: 90 * time.Second})
	if err != nil {
		panic(err)
	}
	var facts map[string]any
	if err := json.Unmarshal(data, &facts); err != nil {
		panic(err)
	}
	fmt.Println(facts["requests_finished"], facts["crawler_runtime"], facts["request_avg_finished_duration"])
	// Output: 4 90 <nil>
}
