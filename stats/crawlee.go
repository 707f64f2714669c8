package stats

import (
	"encoding/json"
	"errors"
	"time"
)

// Crawlee has written its record in five dialects: three of the Python library
// and two of the JavaScript one. They differ in the forms of numbers, durations
// and times, and one tolerant reader takes them all.

// crawleeKeys returns the keys under which Crawlee keeps the record of a crawl,
// by its prefixes of today and of before.
func crawleeKeys(id string) []string {
	id = escapeKey(id)
	return []string{
		"SDK_CRAWLER_STATISTICS_" + id,     // JavaScript 3, Python up to 1.0.3
		"__CRAWLER_STATISTICS_" + id,       // Python from 1.0.4
		"CRAWLEE_CRAWLER_STATISTICS_" + id, // JavaScript 4
	}
}

var errStrange = errors.New("none of its keys is of a record of crawlstats or of Crawlee")

// readCrawlee takes the members of a record of Crawlee. What it does not say is
// filled in so that the snapshot balances: durations came without a
// distribution, and requests whose retries are unknown needed none.
func (a *Snapshot) readCrawlee(members map[string]json.RawMessage) error {
	r, all := crawleeReader{members: members}, len(members)
	a.Finished = r.count("requestsFinished")
	a.Failed = r.count("requestsFailed")
	a.Retries = r.count("requestsRetries")
	a.Started = a.Total()
	a.StatusCodes = r.codes("requestsWithStatusCode")
	retries, retried := r.retries("requestRetryHistogram", a.Total())
	a.RetryHistogram = retries
	a.Attempts = add(a.Total(), retried)

	shortest, longest := r.millis("requestMinDurationMillis"), r.millis("requestMaxDurationMillis")
	a.FinishedDuration = unbucketed(a.Finished, r.millis("requestTotalFinishedDurationMillis"), shortest, longest)
	a.FailedDuration = unbucketed(a.Failed, r.millis("requestTotalFailedDurationMillis"), unknown, unknown)

	a.StartedAt = r.time("crawlerStartedAt")
	a.FinishedAt = r.time("crawlerFinishedAt")
	a.PersistedAt = r.time("statsPersistedAt")
	a.LastStartedAt = r.time("crawlerLastStartTimestamp")
	a.Since = a.StartedAt
	a.Runtime = max(0, r.millis("crawlerRuntimeMillis"))
	if !a.LastStartedAt.IsZero() && !a.PersistedAt.IsZero() {
		a.Runtime = max(a.Runtime, a.PersistedAt.Sub(a.LastStartedAt))
	}

	a.Errors, a.ErrorsOther = place(r.groups("errors"), a.Failed)
	a.RetryErrors, a.RetryErrorsOther = place(r.groups("retryErrors"), retried)
	if a.Failed > 0 {
		a.FailedKinds = map[string]int64{string(KindOther): a.Failed}
	}
	if n := add(a.Failed, retried); n > 0 {
		a.ErrorKinds = map[string]int64{string(KindOther): n}
	}
	// The rest of ours would be hidden behind our own keys in the next record.
	for _, f := range a.fields() {
		delete(members, f.key)
	}
	if len(members) > 0 {
		a.unknown = members
	}
	if len(members) == all && all > 0 {
		return errStrange
	}
	return r.err
}

// unknown is a duration that a record does not tell. Clocks that were set back
// have left negative ones, which tell as little.
const unknown time.Duration = -1

// unbucketed returns durations without a distribution. A bound that is unknown,
// or wrong as in some versions of Crawlee, becomes the average: it lies between.
func unbucketed(count int64, sum, shortest, longest time.Duration) Durations {
	if count == 0 {
		return Durations{}
	}
	d := Durations{Count: count, Sum: max(0, sum), Min: shortest, Max: longest, Unbucketed: count}
	if d.Min < 0 {
		d.Min = d.Average()
	}
	if d.Max < d.Min {
		d.Max = max(d.Average(), d.Min)
	}
	return d
}

// place keeps at most limit errors in groups; what the groups do not account for
// is other.
func place(groups []ErrorGroup, limit int64) (placed []ErrorGroup, other int64) {
	for _, g := range groups {
		if g.Count = min(g.Count, limit); g.Count > 0 {
			placed = append(placed, g)
			limit -= g.Count
		}
	}
	return placed, limit
}
