package main

import (
	"math"
	"strconv"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/stats"
)

// figure is a fact by its name: a string, an int64 or a float64. Milliseconds are
// integers and times in UTC; what there is none of is left out.
type figure struct {
	name  string
	value any
}

func figuresOf(c source.Crawl) []figure {
	a := c.Snapshot
	all := []figure{
		{"id", c.ID},
		{"state", terminal.StateOf(a, summaryOf(c))},
		{"requests_started", a.Started},
		{"requests_finished", a.Finished},
		{"requests_failed", a.Failed},
		{"requests_discarded", a.Discarded},
		{"requests_interrupted", a.Interrupted},
		{"requests_in_flight", a.InFlight},
		{"requests_retried", a.Retries},
		{"attempts", a.Attempts},
		{"failed_percent", failedPercent(a)},
		{"finished_per_second", round(a.FinishedPerMinute() / 60)},
		{"runtime_ms", wholeMillis(a.Runtime)},
	}
	add := func(name string, v any) { all = append(all, figure{name, v}) }
	if c.Members != nil {
		add("members", int64(len(c.Members)))
	}
	if d := a.FinishedDuration; d.Count > 0 {
		add("duration_avg_ms", wholeMillis(d.Average()))
		if d.Count > d.Unbucketed {
			add("duration_p50_ms", wholeMillis(d.Quantile(.5)))
			add("duration_p95_ms", wholeMillis(d.Quantile(.95)))
			add("duration_p99_ms", wholeMillis(d.Quantile(.99)))
		}
		add("duration_max_ms", wholeMillis(d.Max))
	}
	var classes [6]int64
	for code, n := range a.StatusCodes {
		if class := code / 100; class >= 1 && class <= 5 {
			classes[class] += n
		} else {
			classes[0] += n
		}
	}
	for class, n := range classes[1:] {
		add("responses_"+strconv.Itoa(class+1)+"xx", n)
	}
	add("responses_other", classes[0])
	add("resets", int64(min(a.Generation, math.MaxInt64)))
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"started_at", a.StartedAt}, {"finished_at", a.FinishedAt}, {"saved_at", a.PersistedAt}} {
		if !t.at.IsZero() {
			add(t.name, t.at.UTC().Format(time.RFC3339))
		}
	}
	return all
}

// failedPercent is of finished and failed requests.
func failedPercent(a stats.Snapshot) float64 {
	if a.Total() <= 0 {
		return 0
	}
	return round(100 * float64(a.Failed) / float64(a.Total()))
}

// wholeMillis rounds, as the summary for people does.
func wholeMillis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// round keeps three decimals.
func round(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Round(v*1000) / 1000
}
