package stats

import (
	"fmt"
	"math"
	"time"
)

// crawleeFields lists the 23 keys of Crawlee's record in its order. Those of
// them that hold a whole fact are read again from our own records; where the
// fact is finer, Crawlee's key is derived and ours follows later.
func (a *Snapshot) crawleeFields(errors, retryErrors any) []field {
	both := func(key string, v any) field { return field{key, corePart, v, v, true} }
	derived := func(key string, v any) field { return field{key, corePart, v, nil, true} }
	finished, failed := a.FinishedDuration, a.FailedDuration
	return []field{
		both("requestsFinished", &a.Finished),
		both("requestsFailed", &a.Failed),
		both("requestsRetries", &a.Retries),
		derived("requestsFailedPerMinute", math.Floor(a.FailedPerMinute())),
		derived("requestsFinishedPerMinute", math.Floor(a.FinishedPerMinute()+.5)),
		derived("requestMinDurationMillis", orNull(finished.Count, millis(finished.Min))),
		derived("requestMaxDurationMillis", millis(finished.Max)),
		derived("requestTotalFailedDurationMillis", millis(failed.Sum)),
		derived("requestTotalFinishedDurationMillis", millis(finished.Sum)),
		both("crawlerStartedAt", (*instant)(&a.StartedAt)),
		both("crawlerFinishedAt", (*instant)(&a.FinishedAt)),
		both("statsPersistedAt", (*instant)(&a.PersistedAt)),
		derived("crawlerRuntimeMillis", a.Runtime.Milliseconds()),
		derived("crawlerLastStartTimestamp", a.rebasedStart()),
		{"requestRetryHistogram", corePart, append([]int64{}, a.RetryHistogram...), &a.RetryHistogram, true},
		derived("statsId", "0"), // JavaScript writes text, Python a number; neither goes by it
		derived("requestAvgFailedDurationMillis", orNull(failed.Count, math.Round(millis(failed.Average())))),
		derived("requestAvgFinishedDurationMillis", orNull(finished.Count, math.Round(millis(finished.Average())))),
		derived("requestTotalDurationMillis", millis(add(finished.Sum, failed.Sum))),
		derived("requestsTotal", a.Total()),
		{"requestsWithStatusCode", corePart, orEmpty(a.StatusCodes), &a.StatusCodes, true},
		derived("errors", errors),
		derived("retryErrors", retryErrors),
	}
}

// rebasedStart returns, in milliseconds since 1970, when the crawl would have
// started had it run without a break until the save: Crawlee takes the
// difference of the two for the runtime.
func (a *Snapshot) rebasedStart() any {
	if a.PersistedAt.IsZero() {
		return nil
	}
	return a.PersistedAt.UnixMilli() - a.Runtime.Milliseconds()
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// orNull returns v, or null where nothing was counted.
func orNull(count int64, v float64) any {
	if count == 0 {
		return nil
	}
	return v
}

func orEmpty(m map[int]int64) map[int]int64 {
	if m == nil {
		return map[int]int64{}
	}
	return m
}

// EncodeCrawlee returns a record as Crawlee 3 for JavaScript writes and loads it:
// 23 keys, durations in milliseconds. What Crawlee does not know, such as
// percentiles and hosts, is not in it.
func (a Snapshot) EncodeCrawlee() ([]byte, error) {
	if a.PersistedAt.IsZero() {
		a.PersistedAt = later(a.StartedAt, time.Unix(0, 0)).Add(a.Runtime) // a record has a time
	}
	var w bodyWriter
	if err := w.fields(a.crawleeFields(crawleeTree(a.Errors), crawleeTree(a.RetryErrors))); err != nil {
		return nil, fmt.Errorf("stats: encode record of Crawlee: %w", err)
	}
	return w.end(), nil
}
