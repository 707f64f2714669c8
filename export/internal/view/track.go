package view

import (
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Track remembers from look to look what no record keeps: how the errors and
// the queue have moved. Its zero value is ready, and a nil Track knows nothing.
type Track struct {
	generation uint64
	errors     map[group]int64 // counts at the last look
	failed     map[string]int64
	newest     time.Time
	steps      [trackSteps]trackStep // the newest at index at
	at         int
	taken      int // how many steps are in use
}

const (
	// TrackEvery is how often a Track takes a step; more looks do no harm.
	TrackEvery = 10 * time.Second
	trackSteps = 90 // 15 minutes
	trendBars  = 30
)

// group names an error group.
type group struct{ kind, message string }

// trackStep is what happened up to a moment, since the step before.
type trackStep struct {
	at      time.Time
	errors  map[group]int64  // failed attempts
	failed  map[string]int64 // requests by host
	pending int64
	known   bool // pending is
}

// Look takes the snapshot into account, at most once in [TrackEvery].
func (t *Track) Look(a stats.Snapshot, now time.Time) {
	since := now.Sub(t.newest)
	if t.taken > 0 && since >= 0 && since < TrackEvery-time.Second/2 {
		return
	}
	if a.Generation != t.generation || since < 0 { // counts from zero again, or another clock
		*t = Track{}
	}
	// Steps in which nobody looked are empty.
	for ; t.taken > 0 && since > TrackEvery*3/2 && since < TrackEvery*trackSteps; since -= TrackEvery {
		t.advance(trackStep{at: t.newest})
	}
	step := trackStep{at: now, errors: map[group]int64{}, failed: map[string]int64{}}
	step.pending, step.known = pendingOf(a)
	errors, failed := attemptsOf(a), failuresOf(a)
	if t.taken > 0 {
		growth(step.errors, errors, t.errors)
		growth(step.failed, failed, t.failed)
	}
	t.generation, t.errors, t.failed, t.newest = a.Generation, errors, failed, now
	t.advance(step)
}

func (t *Track) advance(s trackStep) {
	t.at = (t.at + 1) % trackSteps
	t.steps[t.at] = s
	t.taken = min(t.taken+1, trackSteps)
}

// growth adds to step what the counts in now have more than those before.
func growth[K comparable](step, now, before map[K]int64) {
	for key, n := range now {
		if more := n - before[key]; more > 0 {
			step[key] += more
		}
	}
}

func attemptsOf(a stats.Snapshot) map[group]int64 {
	counts := make(map[group]int64, len(a.Errors)+len(a.RetryErrors))
	for _, list := range [][]stats.ErrorGroup{a.Errors, a.RetryErrors} {
		for _, g := range list {
			counts[group{g.Kind, g.Message}] += g.Count
		}
	}
	return counts
}

func failuresOf(a stats.Snapshot) map[string]int64 {
	counts := make(map[string]int64)
	for _, h := range a.Hosts {
		if h.Failed > 0 {
			counts[h.Host] = h.Failed
		}
	}
	return counts
}

// back returns the step that many steps before the newest one.
func (t *Track) back(steps int) trackStep {
	return t.steps[(t.at-steps+trackSteps)%trackSteps]
}

// trend returns the failed attempts of a group in the last 15 minutes, 30 s to a
// bar, oldest first; nil: nobody looked.
func (t *Track) trend(g group) []int64 {
	if t == nil || t.taken < 2 {
		return nil
	}
	bars := make([]int64, trendBars)
	for i := range t.taken {
		bars[trendBars-1-i*trendBars/trackSteps] += t.back(i).errors[g]
	}
	return bars
}

// recent returns the failures of the last minute by group and by host; ok is
// false when nobody looked for that long.
func (t *Track) recent() (errors map[group]int64, failed map[string]int64, ok bool) {
	const steps = int(minute / TrackEvery)
	if t == nil || t.taken <= steps {
		return nil, nil, false
	}
	errors, failed = map[group]int64{}, map[string]int64{}
	for i := range steps {
		growth(errors, t.back(i).errors, nil)
		growth(failed, t.back(i).failed, nil)
	}
	return errors, failed, true
}

// falling returns by how many requests a second the queue has become shorter,
// over the last five minutes or the time it was watched.
func (t *Track) falling() (perSecond float64, watched time.Duration) {
	if t == nil || t.taken < 2 || !t.back(0).known {
		return 0, 0
	}
	now := t.back(0)
	for i := 1; i < min(t.taken, trendBars+1) && t.back(i).known; i++ {
		then := t.back(i)
		watched = now.at.Sub(then.at)
		perSecond = float64(then.pending-now.pending) / watched.Seconds()
	}
	return finite(perSecond), watched
}
