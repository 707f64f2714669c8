package stats

import (
	"math"
	"time"
)

// Start counts the request id as started. A known id starts its next attempt:
// the clock restarts, and one more retry is counted unless Retry did so.
func (s *Statistics) Start(id string) { s.startID(id, nil) }

// StartWith is Start with what is known of the request. Request.Retries, when
// given, wins over what was counted here.
func (s *Statistics) StartWith(id string, q Request) { s.startID(id, &q) }

func (s *Statistics) startID(id string, q *Request) {
	for {
		r := s.recorder.Load()
		switch r.startID(id, q, s.now()) {
		case startedNew, startedKnown:
			return
		case startedAgain:
			r.restart()
			return
		case refused:
			s.overflows.Add(1)
			return
		}
		if s.closed.Load() {
			s.late.Add(1)
			return
		}
	}
}

func (r *recorder) startID(id string, q *Request, now time.Duration) startResult {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	if !r.ids.used.Load() {
		r.ids.used.Store(true)
	}
	guard := r.ids.guard
	for {
		t.mu.Lock()
		result := t.start(key, q, now, guard)
		t.mu.Unlock()
		if result != nearFull {
			return result
		}
		if r.ids.len() >= r.ids.limit {
			return refused
		}
		guard = math.MaxInt
	}
}

// Retry ends an attempt of id that failed with err. The id stays in flight and
// its clock restarts; a Start that follows only restarts the clock.
func (s *Statistics) Retry(id string, err error) {
	r, now := s.recorder.Load(), s.now()
	kind := KindOf(err)
	j := Job{detail: uint8(kind.index())}
	if !r.retryID(id, now, &j) || !r.retry(&j) {
		s.stray()
		return
	}
	s.bookError(r, ofAttempts, kind, err, j.url)
}

func (r *recorder) retryID(id string, now time.Duration, j *Job) bool {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.retry(key, now, j)
}

// Finish ends the request id as done. An id that is not in flight is Unmatched.
func (s *Statistics) Finish(id string) { s.settleID(id, finished, nil, 0) }

// Fail ends the request id as given up because of err.
func (s *Statistics) Fail(id string, err error) { s.settleID(id, failed, err, 0) }

// Discard ends the request id as given up on purpose. It has no duration.
func (s *Statistics) Discard(id string, reason DiscardReason) {
	s.settleID(id, discarded, nil, uint8(reason.index()))
}

func (s *Statistics) settleID(id string, end ending, err error, detail uint8) {
	var j Job
	r, now := s.recorder.Load(), s.now()
	if !r.takeID(id, now, &j) {
		s.stray()
		return
	}
	if end != failed {
		j.settle(end, detail)
		return
	}
	j.Fail(err)
}

// takeID makes the Job of a request that ends now.
func (r *recorder) takeID(id string, now time.Duration, j *Job) bool {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	t.mu.Lock()
	ok := t.take(key, now, j)
	t.mu.Unlock()
	j.recorder = r
	return ok
}

// StatusCode counts a response, of whatever request. Codes outside 1 to 999
// count as 0.
func (s *Statistics) StatusCode(code int) {
	for !s.recorder.Load().status(code) {
		if s.closed.Load() {
			s.late.Add(1)
			return
		}
	}
}
