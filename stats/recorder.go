package stats

import "time"

// A recorder is where one generation of a Statistics is counted: from Open, New
// or Reset on. Reset puts a new one in its place and seals the old one, so that
// what began before can never count after.
type recorder struct {
	owner  *Statistics
	shards *stripes[shard]
	ids    *inFlight
	errs   errorBook
	hosts  int // bound of the hosts in a snapshot
	sum    fold
}

func newRecorder(s *Statistics) *recorder {
	cfg := &s.cfg
	r := &recorder{
		owner:  s,
		shards: newStripes[shard](),
		ids:    newInFlight(cfg.MaxInFlight),
		errs:   errorBook{limit: cfg.MaxErrorGroups},
		hosts:  cfg.MaxHosts,
	}
	r.shards.each(func(s *shard) { s.hosts = newHostTable(cfg.MaxHosts) })
	return r
}

// seal ends all counting here. A call that lost the race books nothing and
// learns of it.
func (r *recorder) seal() {
	r.ids.seal()
	r.shards.each(func(s *shard) {
		if !s.sealed {
			s.sealed = true
			s.frozen = s.started.Swap(-1 << 62)
		}
	})
}

// observe books a request that starts and ends at once.
func (r *recorder) observe(j *Job, attempted bool) bool {
	c := r.shards.lock()
	ok := !c.v.sealed
	if ok {
		c.v.observed++
		if !attempted {
			c.v.rejected++
		}
		c.v.settle(j)
	}
	c.mu.Unlock()
	return ok
}

// retry books a failed attempt of a request that stays in flight.
func (r *recorder) retry(j *Job) bool {
	c := r.shards.lock()
	ok := !c.v.sealed
	if ok {
		c.v.retry(j)
	}
	c.mu.Unlock()
	return ok
}

// restart books an attempt more of a request that was started again by its id.
func (r *recorder) restart() {
	c := r.shards.lock()
	if !c.v.sealed {
		c.v.changes++
		c.v.restarts++
	}
	c.mu.Unlock()
}

// status books a response, and reports false when the recorder is sealed.
func (r *recorder) status(code int) bool {
	c := r.shards.lock()
	ok := !c.v.sealed
	if ok {
		c.v.changes++
		c.v.status[statusCell(code)]++
	}
	c.mu.Unlock()
	return ok
}

// changes grows with everything that is counted.
func (r *recorder) changes() (n uint64) {
	r.shards.each(func(s *shard) { n += s.changes })
	return n + uint64(r.started())
}

// started returns the begun requests. Called after the shards were folded, it
// is never less than what they hold.
func (r *recorder) started() int64 {
	n := r.ids.started()
	r.shards.each(func(s *shard) {
		if s.sealed {
			n += s.frozen
		} else {
			n += s.started.Load()
		}
	})
	return n
}

// snapshot folds the shards into the requests of a snapshot.
func (r *recorder) snapshot(now time.Duration) Snapshot {
	// Errors are booked after their request: read first, they are never more.
	var a Snapshot
	a.Errors, a.ErrorsOther = r.errs.all(ofRequests)
	a.RetryErrors, a.RetryErrorsOther = r.errs.all(ofAttempts)

	f := r.sum.use()
	defer f.release()
	r.shards.each(f.shard)
	f.into(&a)
	begun := r.started()
	a.Started = begun + f.observed
	a.Attempts = begun + f.observed - f.rejected + f.restarts
	a.InFlight = a.Started - a.Finished - a.Failed - a.Discarded
	a.Hosts, a.HostsOther = topHosts(foldHosts(f.hosts, nil, mergeHost), f.hostsOther, r.hosts)
	a.OldestInFlight = r.ids.oldest(now)
	return a
}

// totals folds what the history needs.
func (r *recorder) totals() totals {
	f := r.sum.use()
	defer f.release()
	r.shards.each(f.requests)
	t := totals{
		finished: f.outcomes[finished].count, failed: f.outcomes[failed].count,
		retries: f.restarts, durations: f.outcomes[finished].durations(),
	}
	for _, n := range f.discards {
		t.discarded += n
	}
	for code, n := range f.status {
		class := code / 100
		if class > 5 {
			class = 0
		}
		t.status[class] += n
	}
	t.inFlight = r.started() + f.observed - t.finished - t.failed - t.discarded
	return t
}
