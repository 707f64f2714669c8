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

	s        *Statistics
	recorder *recorder
	start    time.Duration
	queued   time.Duration // queue wait; negative: unknown
	took     time.Duration // working time, when timed
	timed    bool          // Took was called
	retries  int32
	code     int32 // of a response that is booked with the end of the attempt
	host     string
	url      string
}

// noCopy makes vet report copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Begin counts a request as started and starts its clock. End the Job with
// Finish, Fail, Discard or End.
func (s *Statistics) Begin() Job {
	r := s.recorder.Load()
	if !r.begin() {
		if r = s.beginLate(); r == nil {
			return Job{}
		}
	}
	return Job{s: s, recorder: r, start: s.now(), queued: -1}
}

// BeginWith is Begin with what is known of the request.
func (s *Statistics) BeginWith(q Request) Job {
	r := s.recorder.Load()
	if !r.begin() {
		if r = s.beginLate(); r == nil {
			return Job{}
		}
	}
	return Job{
		s: s, recorder: r, start: s.now(), queued: q.wait(),
		retries: clampRetries(q.Retries), host: q.Host, url: q.URL,
	}
}

// beginLate is where a start comes that met a sealed recorder: it counts in the
// recorder that a Reset put in its place, and after Close nowhere.
func (s *Statistics) beginLate() *recorder {
	for !s.closed.Load() {
		if r := s.recorder.Load(); r.begin() {
			return r
		}
	}
	s.late.Add(1)
	return nil
}

// wait returns how long the request was queued, negative if unknown.
func (q *Request) wait() time.Duration {
	if q.QueuedAt.IsZero() {
		return -1
	}
	return clampDuration(time.Since(q.QueuedAt))
}

func clampRetries(n int) int32 { return int32(min(max(n, 0), 1<<20)) }

// StatusCode counts a response of this request. It appears in snapshots with
// the end of the attempt, or with the next StatusCode.
func (j *Job) StatusCode(code int) {
	if j.s == nil {
		return
	}
	if j.code != 0 && !j.recorder.status(int(j.code)) {
		j.s.stray()
	}
	j.code = heldCode(code)
}

// heldCode returns a code as it is held for later: 0 would mean none.
func heldCode(code int) int32 {
	if statusCell(code) == 0 {
		return -1
	}
	return int32(code)
}

// Took sets the working time of this attempt, for those who have measured it
// without the waits that are no work. A negative d counts as 0.
func (j *Job) Took(d time.Duration) { j.took, j.timed = clampDuration(d), true }

// Retry ends an attempt that failed with err; the next one starts now.
func (j *Job) Retry(err error) {
	if j.s == nil {
		return
	}
	j.start, j.timed = j.s.now(), false
	j.retries++
	if !j.s.retryJob(j, err) {
		*j = Job{}
		return
	}
	j.code = 0
}

func (s *Statistics) retryJob(j *Job, err error) bool {
	kind := KindOf(err)
	if !j.recorder.retry(uint8(kind.index()), j.code, j.host) {
		s.stray()
		return false
	}
	s.bookError(j.recorder, ofAttempts, err, j.url)
	return true
}

// Finish ends the request as done.
func (j *Job) Finish() { j.settle(finished, 0, 0) }

// Fail ends the request as given up because of err. A nil err counts as kind
// "other".
func (j *Job) Fail(err error) {
	s, r, url := j.s, j.recorder, j.url
	if j.settle(failed, uint8(KindOf(err).index()), 0) {
		s.bookError(r, ofRequests, err, url)
	}
}

// Discard ends the request as given up on purpose. It has no duration.
func (j *Job) Discard(reason DiscardReason) { j.settle(discarded, 0, uint8(reason.index())) }

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

func (j *Job) settle(end ending, kind, reason uint8) bool {
	s := j.s
	if s == nil {
		return false
	}
	o := outcome{
		ending: end, kind: kind, reason: reason, code: j.code, retries: j.retries,
		duration: j.took, queued: j.queued, host: j.host,
	}
	if !j.timed {
		o.duration = s.now() - j.start
	}
	j.s = nil
	if !j.recorder.settle(&o) {
		s.stray()
		return false
	}
	s.taps.settled(&o)
	return true
}

// Observe counts a request that is over. Unless QueuedAt is given it does not
// read the clock.
func (s *Statistics) Observe(q Outcome) {
	o := outcome{
		retries: clampRetries(q.Retries), duration: clampDuration(q.Duration),
		queued: -1, host: q.Host,
	}
	if q.StatusCode != 0 {
		o.code = heldCode(q.StatusCode)
	}
	switch {
	case q.QueueWait > 0:
		o.queued = clampDuration(q.QueueWait)
	case !q.QueuedAt.IsZero():
		o.queued = clampDuration(q.wait() - o.duration)
	}
	attempted := true
	switch {
	case q.Discard != "":
		o.ending, o.reason = discarded, uint8(q.Discard.index())
		attempted = q.Duration > 0 || q.StatusCode != 0
	case q.Err != nil:
		o.ending, o.kind = failed, uint8(KindOf(q.Err).index())
	}
	r := s.recorder.Load()
	for !r.observe(&o, attempted) {
		if r = s.recorder.Load(); s.closed.Load() {
			s.late.Add(1)
			return
		}
	}
	s.taps.settled(&o)
	if o.ending == failed {
		s.bookError(r, ofRequests, q.Err, q.URL)
	}
}

// bookError groups an error, and tells the bus of the first of its group.
func (s *Statistics) bookError(r *recorder, list int, err error, url string) {
	opened := r.errs.add(list, err, url, wall(time.Now()))
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
