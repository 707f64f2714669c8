package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Snapshot is what was counted, at one moment: facts are fields, derived
// numbers are methods. It is a plain value that shares no memory with the
// Statistics it came from. Empty slices and maps are nil.
//
// Its JSON form carries everything and reads back to an equal Snapshot.
type Snapshot struct {
	// Started requests ended in one of four ways or are still in flight:
	// Started = Finished + Failed + Discarded + Interrupted + InFlight.
	Started, Finished, Failed int64
	Discarded                 int64 // given up on purpose, for one of the reasons in Discards
	Interrupted               int64 // in flight when an earlier run died or was closed; the next Open books them
	InFlight                  int64 // never negative

	Retries  int64 // finished or failed requests that needed at least one retry
	Attempts int64 // tries, live: a request that is tried three times counts three

	Unmatched int64 // ends of requests that were not in flight
	Late      int64 // calls after Close
	Overflow  int64 // starts by id refused at Config.MaxInFlight
	Dropped   int64 // instruments refused at their bound or for their name; they count as "custom.other"

	// RetryHistogram[r] is the number of finished or failed requests that needed
	// r retries. It ends with the last count that is not zero; index 64 means
	// "64 or more".
	RetryHistogram []int64
	StatusCodes    map[int]int64 // responses by code; 0 is every code outside 1 to 999, and what a record had no room for
	Discards       map[DiscardReason]int64

	FinishedDuration, FailedDuration Durations // working time of the last attempt
	TotalDuration                    Durations // queue wait and working time, where Request.QueuedAt was given
	QueueWait                        Durations

	// Errors groups the errors of failed requests, RetryErrors those of attempts
	// that were tried again: most frequent first. What fits no group is in the
	// count beside them.
	Errors, RetryErrors           []ErrorGroup
	ErrorsOther, RetryErrorsOther int64
	ErrorKinds                    map[string]int64 // errors of requests and attempts by kind, exact
	FailedKinds                   map[string]int64 // errors of failed requests alone by kind, exact

	Hosts      []HostStats // busiest first, only where Request.Host was given
	HostsOther HostStats   // all hosts that found no place in Hosts; its Host is ""

	// Instruments by key: name or name{k="v",…} with sorted label keys.
	Counters map[string]int64
	Gauges   map[string]float64
	Timers   map[string]Durations
	Uniques  map[string]int64 // estimated numbers of distinct values

	// Extensions holds the JSON of each Extension; more than one after a Merge.
	// ExtensionOf makes a value of them.
	Extensions map[string][]json.RawMessage

	StartedAt     time.Time // of the first run
	LastStartedAt time.Time // of the newest run
	FinishedAt    time.Time // when Close was called; zero while running
	PersistedAt   time.Time // newest acknowledged save; in a record, that save itself
	Since         time.Time // when counting began: first Open, or the last Reset
	Generation    uint64    // number of Resets
	// Runtime adds up over runs; the time between runs does not count.
	Runtime time.Duration
	// OldestInFlight is the age of the oldest request that was started by id.
	OldestInFlight time.Duration

	Segments []Segment // the newest 32 runs, oldest first
	History  History

	sketches map[string]sketch          // behind Uniques
	unknown  map[string]json.RawMessage // keys of a newer minor version of the record, carried through
	window   bool                       // made by Sub
}

// An ErrorGroup is the errors of one kind whose messages are equal once
// numbers, addresses, URLs, quoted and random-looking parts are masked.
type ErrorGroup struct {
	Kind                string
	Message             string // masked, one line, at most 300 runes
	Count               int64
	FirstSeen, LastSeen time.Time
	Examples            []string // up to three URLs, without user info and known secrets, sorted
}

// HostStats are the requests of one host.
type HostStats struct {
	Host      string    `json:"host,omitempty"`
	Finished  int64     `json:"finished,omitempty"`
	Failed    int64     `json:"failed,omitempty"`
	Discarded int64     `json:"discarded,omitempty"`
	Retries   int64     `json:"retries,omitempty"` // finished or failed requests that needed a retry
	Errors    int64     `json:"errors,omitempty"`  // failed attempts, the last ones of failed requests included
	Duration  Durations `json:"duration,omitzero"` // working time of finished and failed requests, to 12.5 %
}

// requests is the weight by which hosts are ranked.
func (h HostStats) requests() int64 { return h.Finished + h.Failed + h.Discarded }

// A Segment is one run of one process. The newest is open while its process
// runs: End is then the time of the snapshot and Clean is false.
type Segment struct {
	Owner    string    `json:"owner"`   // random name of the run
	Host     string    `json:"host"`    // host name of the machine
	Version  string    `json:"version"` // of this library
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	Clean    bool      `json:"clean"` // ended by Close; false after a crash
	Finished int64     `json:"finished"`
	Failed   int64     `json:"failed"`
}

// Source is what exporters read: a Statistics or a Fleet.
type Source interface {
	Snapshot() Snapshot // lifetime: survives restarts
	Live() Snapshot     // this process only, since Open or the last Reset
}

// Total returns the number of requests that finished or failed.
func (a Snapshot) Total() int64 { return add(a.Finished, a.Failed) }

// FinishedPerMinute returns finished requests per minute of Runtime, zero while
// there is no Runtime.
func (a Snapshot) FinishedPerMinute() float64 { return perMinute(a.Finished, a.Runtime) }

// FailedPerMinute returns failed requests per minute of Runtime, zero while
// there is no Runtime.
func (a Snapshot) FailedPerMinute() float64 { return perMinute(a.Failed, a.Runtime) }

func perMinute(n int64, runtime time.Duration) float64 {
	if runtime <= 0 {
		return 0
	}
	return float64(n) / runtime.Minutes()
}

// errWindow tells that the balance is not promised for a difference.
var errWindow = errors.New("stats: check balance: this is a window made by Sub, and only a whole snapshot balances; check the two it was made of")

// Balanced checks that every started request is accounted for exactly once, and
// that the histograms agree with the counts. It returns nil for every snapshot
// of a Statistics, every record and every Merge of them; an error says what
// does not add up. A window made by Sub is refused.
func (a Snapshot) Balanced() error {
	if a.window {
		return errWindow
	}
	ended := add(add(a.Finished, a.Failed), add(a.Discarded, a.Interrupted))
	if a.InFlight < 0 || a.Started != add(ended, a.InFlight) {
		return fmt.Errorf("stats: check balance: %d started, but %d finished + %d failed + %d discarded + %d interrupted + %d in flight",
			a.Started, a.Finished, a.Failed, a.Discarded, a.Interrupted, a.InFlight)
	}
	var retries int64
	for _, n := range a.RetryHistogram {
		retries = add(retries, n)
	}
	if retries != a.Total() {
		return fmt.Errorf("stats: check balance: the retry histogram holds %d requests, but %d finished or failed", retries, a.Total())
	}
	for name, c := range map[string]struct {
		d    Durations
		want int64
	}{
		"finished": {a.FinishedDuration, a.Finished},
		"failed":   {a.FailedDuration, a.Failed},
	} {
		if in := add(c.d.buckets.total(), c.d.Unbucketed); c.d.Count != c.want || in != c.want {
			return fmt.Errorf("stats: check balance: %d durations and %d in buckets of %d %s requests", c.d.Count, in, c.want, name)
		}
	}
	return nil
}
