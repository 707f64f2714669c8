package stats

import (
	"slices"
	"time"
)

// History is the recent past in four rings of growing step, oldest point first.
// It is saved with the state, so a page or a report is full at once after a
// restart; time without a process has no points.
type History struct {
	Seconds    []Point // 1 s apart, the newest 300
	TenSeconds []Point // 10 s apart, the newest 90
	Minutes    []Point // 1 min apart, the newest 180
	Hours      []Point // 1 h apart, the newest 168
}

// A Point is what happened in one step of a ring. Steps are aligned to whole
// multiples of their length, so that the points of many workers line up.
type Point struct {
	At time.Time // end of the step

	Finished, Failed, Discarded int64
	Retries                     int64    // attempts that were tried again
	InFlight                    int64    // at the end of the step
	Status                      [6]int64 // responses by class: index 1 is 1xx, 0 any other code
	// P50, P95 and P99 of the working time of requests finished in the step. Of
	// a fleet: those of its slowest worker.
	P50, P95, P99 time.Duration
}

// LastSuccess returns the end of the newest step in which a request finished,
// zero when there is none.
func (h History) LastSuccess() (last time.Time) {
	for _, r := range rings {
		for _, p := range *r.points(&h) {
			if p.Finished > 0 && p.At.After(last) {
				last = p.At
			}
		}
	}
	return last
}

// ring is the shape of one ring of the History.
type ring struct {
	name   string // in the record
	step   time.Duration
	length int
	points func(*History) *[]Point
}

var rings = [4]ring{
	{"1s", time.Second, 300, func(h *History) *[]Point { return &h.Seconds }},
	{"10s", 10 * time.Second, 90, func(h *History) *[]Point { return &h.TenSeconds }},
	{"1m", time.Minute, 180, func(h *History) *[]Point { return &h.Minutes }},
	{"1h", time.Hour, 168, func(h *History) *[]Point { return &h.Hours }},
}

// merge adds up the points of the same moment and keeps the newest of each ring.
func (h History) merge(b History) History {
	var m History
	for _, r := range rings {
		*r.points(&m) = mergePoints(*r.points(&h), *r.points(&b), r.length)
	}
	return m
}

func mergePoints(a, b []Point, length int) []Point {
	if len(a)+len(b) == 0 {
		return nil
	}
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y Point) int { return x.At.Compare(y.At) })
	merged := all[:0]
	for _, p := range all {
		if n := len(merged); n > 0 && merged[n-1].At.Equal(p.At) {
			merged[n-1] = merged[n-1].merge(p)
		} else {
			merged = append(merged, p)
		}
	}
	return slices.Clone(merged[max(0, len(merged)-length):])
}

func (p Point) merge(b Point) Point {
	p.Finished = add(p.Finished, b.Finished)
	p.Failed = add(p.Failed, b.Failed)
	p.Discarded = add(p.Discarded, b.Discarded)
	p.Retries = add(p.Retries, b.Retries)
	p.InFlight = add(p.InFlight, b.InFlight)
	for i, n := range b.Status {
		p.Status[i] = add(p.Status[i], n)
	}
	p.P50, p.P95, p.P99 = max(p.P50, b.P50), max(p.P95, b.P95), max(p.P99, b.P99)
	return p
}

// A recording fills the rings from running totals. It belongs to one goroutine.
type recording struct {
	history History
	before  [len(rings)]totals // at the last point of each ring
	next    [len(rings)]time.Time
}

// totals are the cumulative facts of this process that points are differences of.
type totals struct {
	finished, failed, discarded, retries, inFlight int64
	status                                         [6]int64
	durations                                      Durations
}

// begin starts new steps at the time now, after the restored points.
func (r *recording) begin(now time.Time, restored History) {
	r.history = restored
	for i, ring := range rings {
		r.before[i] = totals{}
		r.next[i] = now.Truncate(ring.step).Add(ring.step)
	}
}

// due reports whether a step has ended.
func (r *recording) due(now time.Time) bool { return !now.Before(r.next[0]) }

// close closes every step that ended at or before now with what was counted.
func (r *recording) close(now time.Time, t totals) {
	for i, ring := range rings {
		if now.Before(r.next[i]) {
			continue
		}
		at := now.Truncate(ring.step)
		// After the clock was set back nothing is added until it has caught up:
		// points stay in order, and the next one tells of all the time between.
		points := ring.points(&r.history)
		if n := len(*points); n == 0 || (*points)[n-1].At.Before(at) {
			*points = append(*points, t.since(r.before[i], at))
			*points = (*points)[max(0, len(*points)-ring.length):]
			r.before[i] = t
		}
		r.next[i] = at.Add(ring.step)
	}
}

func (t totals) since(b totals, at time.Time) Point {
	p := Point{
		At:        at,
		Finished:  sub(t.finished, b.finished),
		Failed:    sub(t.failed, b.failed),
		Discarded: sub(t.discarded, b.discarded),
		Retries:   sub(t.retries, b.retries),
		InFlight:  t.inFlight,
	}
	for i, n := range t.status {
		p.Status[i] = sub(n, b.status[i])
	}
	if w := t.durations.sub(b.durations); w.Count > 0 {
		p.P50, p.P95, p.P99 = w.Quantile(.5), w.Quantile(.95), w.Quantile(.99)
	}
	return p
}
