package view

import (
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Track remembers from look to look what no record keeps: how the errors and
// the queue have moved. Its zero value is ready, and a nil Track knows nothing.
type Track struct {
	generation uint64
	errors     tally[group] // at the last look
	failed     tally[string]
	newest     time.Time
	steps      [trackSteps]trackStep // the newest at index at
	at         int
	taken      int // how many steps are in use
}

const (
	// TrackEvery is how often a Track takes a step; more looks do no harm.
	TrackEvery = 10 * time.Second
	trackSteps = 96 // 15 minutes, also when looks come a little early
	trendBar   = 30 * time.Second
	trendBars  = int(past / trendBar)
	pace       = 5 * time.Minute // over which the queue is judged
)

// group names an error group.
type group struct{ kind, message string }

// trackStep is what happened up to a moment, since the step before.
type trackStep struct {
	at      time.Time
	errors  tally[group]  // failed attempts
	failed  tally[string] // requests by host
	pending int64
	known   bool // pending is
}

// Due reports that the next Look takes a step.
func (t *Track) Due(now time.Time) bool {
	since := now.Sub(t.newest)
	return t.taken == 0 || since < 0 || since >= TrackEvery-time.Second/2
}

// Look takes the snapshot into account, at most once in [TrackEvery].
func (t *Track) Look(a stats.Snapshot, now time.Time) {
	if !t.Due(now) {
		return
	}
	// It counts from zero again, another clock, or nobody has looked for too long.
	if since := now.Sub(t.newest); a.Generation != t.generation || since < 0 || since >= past {
		*t = Track{}
	}
	step := trackStep{at: now}
	step.pending, step.known = pendingOf(a)
	errors, failed := attemptsOf(a), failuresOf(a)
	if t.taken > 0 {
		step.errors.grow(errors, t.errors)
		step.failed.grow(failed, t.failed)
	}
	t.generation, t.errors, t.failed, t.newest = a.Generation, errors, failed, now
	t.at = (t.at + 1) % trackSteps
	t.steps[t.at] = step
	t.taken = min(t.taken+1, trackSteps)
}

// back returns the step that many steps before the newest one, and its age then.
func (t *Track) back(steps int) (trackStep, time.Duration) {
	s := t.steps[(t.at-steps+trackSteps)%trackSteps]
	return s, t.newest.Sub(s.at)
}

// trend returns the failed attempts of a group in the last 15 minutes, 30 s to a
// bar, oldest first; nil: nobody looked.
func (t *Track) trend(g group) []int64 {
	if t == nil || t.taken < 2 {
		return nil
	}
	bars := make([]int64, trendBars)
	for i := range t.taken {
		if s, age := t.back(i); age < past {
			bars[trendBars-1-int(age/trendBar)] += s.errors.by[g]
		}
	}
	return bars
}

// recent returns the failures of the last minute by group and by host; ok is
// false when nobody looked when it began.
func (t *Track) recent() (errors tally[group], failed tally[string], ok bool) {
	if t == nil {
		return errors, failed, false
	}
	for i := range t.taken {
		s, age := t.back(i)
		if age >= minute-TrackEvery/2 {
			return errors, failed, age <= minute+TrackEvery
		}
		errors.grow(s.errors, tally[group]{})
		failed.grow(s.failed, tally[string]{})
	}
	return errors, failed, false
}

// falling returns by how many requests a second the queue has become shorter,
// over the last five minutes or the time it was watched.
func (t *Track) falling() (perSecond float64, watched time.Duration) {
	if t == nil || t.taken == 0 {
		return 0, 0
	}
	now, _ := t.back(0)
	for i := 1; i < t.taken && now.known; i++ {
		then, age := t.back(i)
		if watched > 0 && age > pace {
			break
		}
		if then.known {
			watched = age
			perSecond = float64(then.pending-now.pending) / age.Seconds()
		}
	}
	return finite(perSecond), watched
}
