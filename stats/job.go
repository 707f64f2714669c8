package stats

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crawlstats/crawlstats/events"
)

// Request is what is known of a request when it begins. Every field is optional.
type Request struct {
	// Host to count the request under, among the busiest Config.MaxHosts.
	Host string
	// URL is only kept as an example of an error group, without user info and
	// known secrets.
	URL string
	// Retries is the number of attempts before this one, when the crawler's queue
	// knows it.
	Retries int
	// QueuedAt is when the request entered the queue. Total time is the wait from
	// there and the working time.
	QueuedAt time.Time
}

// Outcome is a request that is over, with its times known. With Discard set it
// was discarded, else with Err set it failed, else it finished.
type Outcome struct {
	Request
	Duration   time.Duration // working time of the last attempt; negative counts as 0
	QueueWait  time.Duration // when QueuedAt is not given; 0 is unknown
	StatusCode int           // 0: no response
	Err        error
	// Discard with neither Duration nor StatusCode is a request that was rejected
	// before an attempt was made.
	Discard DiscardReason
}

// Job is one request on its way, the handle that Begin returns. It costs no
// memory and no look-up. Keep it in a variable, pass *Job and never copy it: vet
// reports a copy. It belongs to one goroutine at a time. The zero Job and a
// settled one ignore every call.
type Job struct {
	_ noCopy

	ticket
	host     string
	url      string
	retries  int
	duration time.Duration // working time of the last attempt
	code     int
	ending   ending
	detail   uint8 // index of the error kind when failed or tried again, of the reason when discarded
	timed    bool  // duration is known: Took was called
	answered bool  // code is of a response that is not booked yet
}

// ticket is what a request gets when it begins.
type ticket struct {
	recorder *recorder     // nil: of the zero Job, or settled
	start    time.Duration // of this attempt
	queued   time.Duration // queue wait before the first one; negative: unknown
}

// noCopy makes vet report copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Begin counts a request as started and starts its clock. End the Job with
// Finish, Fail, Discard or End.
//
// It is inlined and stores no more than the ticket, so that the compiler makes the
// Job where it stays: to copy what was just written stalls the processor for half
// as long as the counting takes.
func (s *Statistics) Begin() Job { return Job{ticket: s.begin()} }

// BeginWith is Begin with what is known of the request. Everything is stored
// before the start is counted: by then it is in memory, and to copy the Job stalls
// nothing.
func (s *Statistics) BeginWith(q Request) (j Job) {
	j.host, j.url, j.retries = q.Host, q.URL, q.Retries
	s.beginQueued(&j.ticket, q.QueuedAt)
	return
}

func (s *Statistics) begin() ticket {
	return ticket{recorder: s.started(), start: s.now(), queued: -1}
}

// started counts a start, and returns where. One that meets a sealed recorder
// counts in the one that a Reset put in its place, and after Close nowhere.
func (s *Statistics) started() *recorder {
	for {
		r := s.recorder.Load()
		p := r.shards.homes.pin()
		begun := r.shards.at(p.n()).v.started.Add(1) > 0
		r.shards.homes.unpin(p)
		if begun {
			return r
		}
		if s.closed.Load() {
			s.late.Add(1)
			return nil
		}
	}
}

func (s *Statistics) beginQueued(t *ticket, at time.Time) {
	t.start, t.queued = s.now(), queueWait(at)
	t.recorder = s.started()
}

// queueWait returns how long a request was queued, negative if unknown.
func queueWait(since time.Time) time.Duration {
	if since.IsZero() {
		return -1
	}
	return clampDuration(time.Since(since))
}

// StatusCode counts a response of this request. It appears in snapshots with
// the end of the attempt, or with the next StatusCode.
func (j *Job) StatusCode(code int) {
	if j.answered {
		j.bookCode()
	}
	j.code, j.answered = code, true
}

// bookCode counts a response that another one follows.
func (j *Job) bookCode() {
	if r := j.recorder; r != nil && !r.status(j.code) {
		r.owner.stray()
	}
}

// Took sets the working time of this attempt, for those who have measured it
// without the waits that are no work. A negative d counts as 0.
func (j *Job) Took(d time.Duration) { j.duration, j.timed = clampDuration(d), true }

// Retry ends an attempt that failed with err; the next one starts now.
func (j *Job) Retry(err error) {
	r := j.recorder
	if r == nil {
		return
	}
	j.start, j.timed = r.owner.now(), false
	j.retries = retryCell(j.retries) + 1
	kind := KindOf(err)
	j.detail = uint8(kind.index())
	if !r.retry(j) {
		r.owner.stray()
		j.recorder = nil
		return
	}
	j.answered = false
	r.owner.bookError(r, ofAttempts, kind, err, j.url)
}

// Finish ends the request as done.
func (j *Job) Finish() { j.settle(finished, 0) }

// Fail ends the request as given up because of err. A nil err counts as kind
// "other".
func (j *Job) Fail(err error) {
	r, kind := j.recorder, KindOf(err)
	if j.settle(failed, uint8(kind.index())) {
		r.owner.bookError(r, ofRequests, kind, err, j.url)
	}
}

// Discard ends the request as given up on purpose. It has no duration.
func (j *Job) Discard(reason DiscardReason) { j.settle(discarded, uint8(reason.index())) }

// End is for defer j.End(&err): a nil *err finishes, an error fails, and a panic
// fails the request and goes on.
func (j *Job) End(err *error) {
	if p := recover(); p != nil {
		cause, ok := p.(error)
		if !ok {
			cause = fmt.Errorf("panic: %v", p)
		}
		j.Fail(WithKind(KindHandler, cause))
		panic(p)
	}
	if err == nil || *err == nil {
		j.Finish()
		return
	}
	j.Fail(*err)
}

// settle books the end of the request, and reports false when it had one already
// or comes too late.
func (j *Job) settle(end ending, detail uint8) bool {
	r := j.recorder
	if r == nil {
		return false
	}
	if !j.timed {
		j.duration = r.owner.now() - j.start
	}
	j.recorder, j.ending, j.detail = nil, end, detail
	c := r.shards.lock()
	late := c.v.sealed
	if !late {
		c.v.settle(j)
	}
	c.mu.Unlock()
	if late {
		r.owner.stray()
		return false
	}
	r.owner.taps.settled(j)
	return true
}

// Observe counts a request that is over. Unless QueuedAt is given it does not
// read the clock.
func (s *Statistics) Observe(q Outcome) { s.observe(&q) }

func (s *Statistics) observe(q *Outcome) {
	var j Job // set field by field: a literal is made elsewhere and copied
	j.host, j.retries, j.queued = q.Host, q.Retries, -1
	j.duration = clampDuration(q.Duration)
	j.code, j.answered = q.StatusCode, q.StatusCode != 0
	switch {
	case q.QueueWait > 0:
		j.queued = clampDuration(q.QueueWait)
	case !q.QueuedAt.IsZero():
		j.queued = clampDuration(queueWait(q.QueuedAt) - j.duration)
	}
	attempted, kind := true, KindOther
	switch {
	case q.Discard != "":
		j.ending, j.detail = discarded, uint8(q.Discard.index())
		attempted = q.Duration > 0 || q.StatusCode != 0
	case q.Err != nil:
		kind = KindOf(q.Err)
		j.ending, j.detail = failed, uint8(kind.index())
	}
	r := s.recorder.Load()
	for !r.observe(&j, attempted) {
		if r = s.recorder.Load(); s.closed.Load() {
			s.late.Add(1)
			return
		}
	}
	s.taps.settled(&j)
	if j.ending == failed {
		s.bookError(r, ofRequests, kind, q.Err, q.URL)
	}
}

// bookError groups an error, and tells the bus of the first of its group.
func (s *Statistics) bookError(r *recorder, list int, kind ErrorKind, err error, url string) {
	opened := r.errs.add(list, kind, err, url, wall(time.Now()))
	if opened == nil || s.cfg.Events == nil || s.knew(list, opened) {
		return
	}
	event := events.ErrorGroupOpened{Crawler: s.cfg.ID, Kind: opened.Kind, Message: opened.Message}
	if len(opened.Examples) > 0 {
		event.URL = opened.Examples[0]
	}
	s.report(events.Publish(context.Background(), s.cfg.Events, event))
}

// knew reports whether an earlier run has seen the group.
func (s *Statistics) knew(list int, g *ErrorGroup) bool {
	e := s.currentEra()
	groups := e.base.Errors
	if list == ofAttempts {
		groups = e.base.RetryErrors
	}
	return slices.ContainsFunc(groups, func(old ErrorGroup) bool { return old.Kind == g.Kind && old.Message == g.Message })
}

// stray counts a call on a request that is not, or no longer, in flight.
func (s *Statistics) stray() {
	if s.closed.Load() {
		s.late.Add(1)
	} else {
		s.unmatched.Add(1)
	}
}
