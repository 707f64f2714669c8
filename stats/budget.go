package stats

import (
	"cmp"
	"maps"
	"slices"
	"sort"
)

// part is a part of the body with a budget of its own.
type part int

const (
	corePart part = iota // counts, codes, times
	histogramPart
	timerPart
	uniquePart
	errorPart
	hostPart
	historyPart
	segmentPart
	instrumentPart
	carriedPart // extensions and unknown keys
	parts
)

// partSizes are bytes of JSON.
type partSizes [parts]int

// budget is what each part of a record may take: 199 KB in all, however many
// keys the sites of strangers bring.
var budget = partSizes{
	corePart:       8 << 10,
	histogramPart:  32 << 10,
	timerPart:      32 << 10,
	uniquePart:     8 << 10,
	errorPart:      48 << 10,
	hostPart:       20 << 10,
	historyPart:    20 << 10,
	segmentPart:    5 << 10,
	instrumentPart: 10 << 10,
	carriedPart:    16 << 10,
}

const (
	framing  = 256 // bytes of a part beside its lists
	kindRoom = 1 << 10
)

// fit reports whether every part is within its budget.
func (s partSizes) fit() bool {
	for p, n := range s {
		if n > budget[p] {
			return false
		}
	}
	return true
}

// size returns what a part of a takes.
func (a *Snapshot) size(p part) int {
	all := a.fields()
	var w bodyWriter
	_ = w.fields(slices.DeleteFunc(all, func(f field) bool { return f.part != p })) // it was written before
	return w.sizes[p]
}

func (a *Snapshot) over(p part) bool { return a.size(p) > budget[p] }

// fit returns a with every part in its budget that takes too much by sizes, and
// the names of the extensions and unknown keys that are left out. What counts
// most stays; what is cut is added to the other entry of its kind, so that totals
// stay exact, and histograms become coarser. It shares memory with a.
func (a Snapshot) fit(sizes partSizes) (Snapshot, []string) {
	var leftOut []string
	for p, fit := range [parts]func(){
		corePart:       a.fitCore,
		histogramPart:  a.fitHistograms,
		timerPart:      a.fitTimers,
		uniquePart:     a.fitUniques,
		errorPart:      a.fitErrors,
		hostPart:       a.fitHosts,
		historyPart:    a.fitHistory,
		segmentPart:    a.fitSegments,
		instrumentPart: a.fitInstruments,
		carriedPart:    func() { leftOut = a.fitCarried() },
	} {
		if sizes[p] > budget[p] {
			fit()
		}
	}
	return a, leftOut
}

func (a *Snapshot) fitCore() {
	a.ErrorKinds = cutMap(a.ErrorKinds, string(KindOther), kindRoom, itself, add)
	a.FailedKinds = cutMap(a.FailedKinds, string(KindOther), kindRoom, itself, add)
	a.Discards = cutMap(a.Discards, DiscardOther, kindRoom, itself, add)
	codes := a.StatusCodes
	a.StatusCodes = nil
	room := budget[corePart] - a.size(corePart)
	a.StatusCodes = cutMap(codes, 0, room, itself, add)
}

func (a *Snapshot) fitHistograms() {
	all := []*Durations{&a.FinishedDuration, &a.FailedDuration, &a.TotalDuration, &a.QueueWait}
	for a.over(histogramPart) {
		d := slices.MaxFunc(all, func(x, y *Durations) int { return cmp.Compare(jsonSize(x), jsonSize(y)) })
		d.buckets = d.buckets.coarsen(d.buckets.resolution - 1)
	}
}

func (a *Snapshot) fitTimers() {
	for resolution := fine - 1; resolution >= coarse && a.over(timerPart); resolution-- {
		a.Timers = maps.Clone(a.Timers)
		for key, d := range a.Timers {
			d.buckets = d.buckets.coarsen(resolution)
			a.Timers[key] = d
		}
	}
	if a.over(timerPart) {
		a.Timers = cutMap(a.Timers, otherName, budget[timerPart]-framing, func(d Durations) int64 { return d.Count }, Durations.merge)
	}
}

func (a *Snapshot) fitUniques() {
	for size := maxRegisters / 2; size >= minRegisters && a.over(uniquePart); size /= 2 {
		a.sketches = maps.Clone(a.sketches)
		for key, s := range a.sketches {
			if len(s.registers) > size {
				a.sketches[key] = s.fold()
			}
		}
		a.Uniques = estimates(a.sketches)
	}
	if a.over(uniquePart) {
		a.sketches = cutMap(a.sketches, otherName, budget[uniquePart]-framing, sketch.estimate, sketch.merge)
		a.Uniques = estimates(a.sketches)
	}
}

func (a *Snapshot) fitErrors() {
	errors, retryErrors := cutTexts(a.Errors), cutTexts(a.RetryErrors)
	sizes, retrySizes := groupSizes(errors), groupSizes(retryErrors)
	room, retryRoom := share(budget[errorPart]-framing, total(sizes), total(retrySizes))
	a.Errors, a.ErrorsOther = cutGroups(errors, sizes, a.ErrorsOther, room)
	a.RetryErrors, a.RetryErrorsOther = cutGroups(retryErrors, retrySizes, a.RetryErrorsOther, retryRoom)
}

func (a *Snapshot) fitHosts() {
	hosts := slices.Clone(a.Hosts)
	for i := range hosts {
		hosts[i].Duration.buckets = hosts[i].Duration.buckets.coarsen(coarse)
	}
	a.HostsOther.Duration.buckets = a.HostsOther.Duration.buckets.coarsen(coarse)
	hosts = sortHosts(hosts)
	_, everything := topHosts(hosts, a.HostsOther, 0)
	room := budget[hostPart] - framing - jsonSize(everything)
	n := fitting(hosts, room, func(h HostStats) int { return jsonSize(h) + 1 })
	a.Hosts, a.HostsOther = topHosts(hosts, a.HostsOther, n)
	if n == 0 {
		a.Hosts = nil
	}
}

// fitHistory drops the oldest points, of the finest ring first.
func (a *Snapshot) fitHistory() {
	for _, r := range rings {
		if !a.over(historyPart) {
			return
		}
		points := r.points(&a.History)
		all := *points
		n := sort.Search(len(all), func(n int) bool {
			*points = all[n:]
			return !a.over(historyPart)
		})
		if *points = all[n:]; n == len(all) {
			*points = nil
		}
	}
}

// fitSegments drops the oldest runs.
func (a *Snapshot) fitSegments() {
	for a.over(segmentPart) {
		a.Segments = a.Segments[1:]
	}
}

func (a *Snapshot) fitInstruments() {
	counters, levels := share(budget[instrumentPart]-framing, jsonSize(a.Counters), jsonSize(gauges(a.Gauges)))
	a.Counters = cutMap(a.Counters, otherName, counters, itself, add)
	a.Gauges = cutMap(a.Gauges, otherName, levels,
		func(float64) int64 { return 0 }, func(x, y float64) float64 { return finite(x + y) })
}

// fitCarried leaves out the largest, and returns their names.
func (a *Snapshot) fitCarried() (leftOut []string) {
	type entry struct {
		name string
		size int
		drop func()
	}
	var entries []entry
	a.Extensions, a.unknown = maps.Clone(a.Extensions), maps.Clone(a.unknown)
	for name, values := range a.Extensions {
		entries = append(entries, entry{name, jsonSize(name) + jsonSize(values) + 2, func() { delete(a.Extensions, name) }})
	}
	for name, raw := range a.unknown {
		entries = append(entries, entry{name, jsonSize(name) + len(raw) + 2, func() { delete(a.unknown, name) }})
	}
	slices.SortFunc(entries, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.size, y.size), cmp.Compare(x.name, y.name))
	})
	n := fitting(entries, budget[carriedPart]-framing, func(e entry) int { return e.size })
	for _, e := range entries[n:] {
		e.drop()
		leftOut = append(leftOut, e.name)
	}
	slices.Sort(leftOut)
	return leftOut
}
