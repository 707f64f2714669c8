package stats

import (
	"maps"
	"math"
	"slices"
	"time"
)

const topErrors = 5 // in a summary

// Summary returns the figures of Crawlee's FinalStatistics and ours beside
// them. Rates are rounded as there: finished half to even, failed down.
func (a Snapshot) Summary() Summary {
	return Summary{
		RequestsFinished: a.Finished, RequestsFailed: a.Failed, RequestsTotal: a.Total(),
		RetryHistogram:             slices.Clone(a.RetryHistogram),
		RequestAvgFinishedDuration: average(a.FinishedDuration),
		RequestAvgFailedDuration:   average(a.FailedDuration),
		RequestTotalDuration:       add(a.FinishedDuration.Sum, a.FailedDuration.Sum),
		CrawlerRuntime:             a.Runtime,
		RequestsFinishedPerMinute:  math.RoundToEven(a.FinishedPerMinute()),
		RequestsFailedPerMinute:    math.Floor(a.FailedPerMinute()),

		RequestsRetried: a.Retries, Discarded: a.Discarded, Interrupted: a.Interrupted, InFlight: a.InFlight,
		P50: quantile(a.FinishedDuration, .5), P95: quantile(a.FinishedDuration, .95), P99: quantile(a.FinishedDuration, .99),
		Max:         longest(a.FinishedDuration),
		StatusCodes: maps.Clone(a.StatusCodes),
		TopErrors:   slices.Clone(a.Errors[:min(len(a.Errors), topErrors)]),
	}
}

// quantile returns nil where nothing is in buckets.
func quantile(d Durations, q float64) *time.Duration {
	if d.Count == d.Unbucketed {
		return nil
	}
	v := d.Quantile(q)
	return &v
}

func longest(d Durations) *time.Duration {
	if d.Count == 0 {
		return nil
	}
	return &d.Max
}

// average returns nil where there is nothing to average.
func average(d Durations) *time.Duration {
	if d.Count == 0 {
		return nil
	}
	v := d.Average()
	return &v
}
