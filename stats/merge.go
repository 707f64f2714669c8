package stats

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

const (
	maxSegments = 32
	maxExamples = 3
)

// Merge returns the sum of two snapshots: of shards, of a restored record and
// this run, of the workers of a fleet. It is associative and commutative, the
// zero Snapshot is its identity, it unions keyed facts without cutting them, and
// it shares no memory with its inputs. Runtime is the longer one, StartedAt the
// earlier, every other time the later, and the newest 32 segments stay.
func (a Snapshot) Merge(b Snapshot) Snapshot {
	m := a.combine(b, add, Durations.merge, mergeHost)
	m.InFlight = add(a.InFlight, b.InFlight)
	m.Errors = mergeGroups(a.Errors, b.Errors)
	m.RetryErrors = mergeGroups(a.RetryErrors, b.RetryErrors)
	m.Gauges = union(a.Gauges, b.Gauges, func(x, y float64) float64 { return finite(x + y) })
	m.sketches = union(a.sketches, b.sketches, sketch.merge)
	m.Uniques = estimates(m.sketches)
	m.Extensions = mergeExtensions(a.Extensions, b.Extensions)
	m.unknown = union(a.unknown, b.unknown, func(x, y json.RawMessage) json.RawMessage {
		if bytes.Compare(x, y) < 0 {
			return y
		}
		return x
	}) // shared: nobody outside of this package sees them

	m.StartedAt = earlier(a.StartedAt, b.StartedAt)
	m.LastStartedAt = later(a.LastStartedAt, b.LastStartedAt)
	m.FinishedAt = later(a.FinishedAt, b.FinishedAt)
	m.PersistedAt = later(a.PersistedAt, b.PersistedAt)
	m.Since = later(a.Since, b.Since)
	m.Generation = max(a.Generation, b.Generation)
	m.Runtime = max(a.Runtime, b.Runtime)
	m.OldestInFlight = max(a.OldestInFlight, b.OldestInFlight)
	m.Segments = mergeSegments(a.Segments, b.Segments)
	m.History = a.History.merge(b.History)
	m.window = a.window || b.window
	return m
}

// Sub returns what a counted after b: counters, buckets and sums are
// subtracted, key by key, and errors, hosts and timers without a difference are
// left out. Gauges, uniques, InFlight, times, segments, history and extensions
// are those of a. Min and Max become edges of buckets. Sub undoes Merge on
// counters.
func (a Snapshot) Sub(b Snapshot) Snapshot {
	w := a.combine(b, sub, Durations.sub, subHost)
	w.InFlight = a.InFlight
	w.Errors = subGroups(a.Errors, b.Errors)
	w.RetryErrors = subGroups(a.RetryErrors, b.RetryErrors)
	w.Gauges = maps.Clone(a.Gauges)
	w.sketches = maps.Clone(a.sketches)
	w.Uniques = maps.Clone(a.Uniques)
	w.Extensions = mergeExtensions(a.Extensions, nil)
	w.unknown = maps.Clone(a.unknown)

	w.StartedAt, w.LastStartedAt, w.FinishedAt = a.StartedAt, a.LastStartedAt, a.FinishedAt
	w.PersistedAt, w.Since, w.Generation = a.PersistedAt, a.Since, a.Generation
	w.Runtime = sub(a.Runtime, b.Runtime)
	w.OldestInFlight = a.OldestInFlight
	w.Segments = slices.Clone(a.Segments)
	w.History = a.History.merge(History{})
	w.window = true
	return w
}

// combine folds everything that adds and subtracts alike.
func (a Snapshot) combine(b Snapshot, fold func(x, y int64) int64,
	durations func(x, y Durations) Durations, host func(x, y HostStats) HostStats,
) Snapshot {
	return Snapshot{
		Started:     fold(a.Started, b.Started),
		Finished:    fold(a.Finished, b.Finished),
		Failed:      fold(a.Failed, b.Failed),
		Discarded:   fold(a.Discarded, b.Discarded),
		Interrupted: fold(a.Interrupted, b.Interrupted),
		Retries:     fold(a.Retries, b.Retries),
		Attempts:    fold(a.Attempts, b.Attempts),
		Unmatched:   fold(a.Unmatched, b.Unmatched),
		Late:        fold(a.Late, b.Late),
		Overflow:    fold(a.Overflow, b.Overflow),
		Dropped:     fold(a.Dropped, b.Dropped),

		RetryHistogram: foldSlice(a.RetryHistogram, b.RetryHistogram, fold),
		StatusCodes:    foldMap(a.StatusCodes, b.StatusCodes, fold),
		Discards:       foldMap(a.Discards, b.Discards, fold),

		FinishedDuration: durations(a.FinishedDuration, b.FinishedDuration),
		FailedDuration:   durations(a.FailedDuration, b.FailedDuration),
		TotalDuration:    durations(a.TotalDuration, b.TotalDuration),
		QueueWait:        durations(a.QueueWait, b.QueueWait),

		ErrorsOther:      fold(a.ErrorsOther, b.ErrorsOther),
		RetryErrorsOther: fold(a.RetryErrorsOther, b.RetryErrorsOther),
		ErrorKinds:       foldMap(a.ErrorKinds, b.ErrorKinds, fold),
		FailedKinds:      foldMap(a.FailedKinds, b.FailedKinds, fold),

		Hosts:      foldHosts(a.Hosts, b.Hosts, host),
		HostsOther: host(a.HostsOther, b.HostsOther),

		Counters: foldMap(a.Counters, b.Counters, fold),
		Timers:   foldTimers(a.Timers, b.Timers, durations),
	}
}

func foldSlice(a, b []int64, fold func(x, y int64) int64) []int64 {
	s := make([]int64, max(len(a), len(b)))
	copy(s, a)
	for i, n := range b {
		s[i] = fold(s[i], n)
	}
	return trimZeros(s)
}

// trimZeros cuts the zeros off the end: one canonical form for equal counts.
func trimZeros(s []int64) []int64 {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	if len(s) == 0 {
		return nil
	}
	return s
}

func foldMap[K comparable](a, b map[K]int64, fold func(x, y int64) int64) map[K]int64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	m := make(map[K]int64, max(len(a), len(b)))
	maps.Copy(m, a)
	for k, n := range b {
		m[k] = fold(m[k], n)
	}
	return m
}

func foldTimers(a, b map[string]Durations, fold func(x, y Durations) Durations) map[string]Durations {
	if len(a)+len(b) == 0 {
		return nil
	}
	m := make(map[string]Durations, max(len(a), len(b)))
	for k, d := range a {
		m[k] = fold(d, b[k])
	}
	for k, d := range b {
		if _, both := a[k]; !both {
			m[k] = fold(Durations{}, d)
		}
	}
	return m
}

// union merges two maps key by key.
func union[K comparable, V any](a, b map[K]V, both func(x, y V) V) map[K]V {
	if len(a)+len(b) == 0 {
		return nil
	}
	m := make(map[K]V, max(len(a), len(b)))
	maps.Copy(m, a)
	for k, v := range b {
		if x, ok := m[k]; ok {
			v = both(x, v)
		}
		m[k] = v
	}
	return m
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
