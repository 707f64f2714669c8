package stats

import "time"

// Start counts the request id as started. A known id starts its next attempt:
// the clock restarts, and one more retry is counted unless Retry did so.
func (s *Statistics) Start(id string) { s.startID(id, Request{}, false) }

// StartWith is Start with what is known of the request. Request.Retries, when
// given, wins over what was counted here.
func (s *Statistics) StartWith(id string, q Request) { s.startID(id, q, true) }

func (s *Statistics) startID(id string, q Request, noted bool) {
	for {
		r := s.recorder.Load()
		switch r.startID(id, q, noted, s.now()) {
		case startedNew:
			return
		case startedAgain:
			r.restart()
			return
		case startedKnown:
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

type startResult int

const (
	startedNew   startResult = iota
	startedAgain             // an attempt more
	startedKnown             // Retry has counted this attempt
	refused                  // at MaxInFlight
	sealed
)

func (r *recorder) startID(id string, q Request, noted bool, now time.Duration) startResult {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return sealed
	}
	known := t.get(key)
	if known == nil {
		if r.ids.full(t) {
			return refused
		}
		// Counted before it can be found and ended.
		if !r.begin() {
			return sealed
		}
		t.put(key, newEntry(now, q.Retries, t.note(key, q, noted, 0)))
		return startedNew
	}
	result, retries := startedKnown, known.entry.retries()
	if known.entry&entryEnded == 0 {
		result, retries = startedAgain, retries+1
	}
	if q.Retries > 0 {
		retries = q.Retries
	}
	known.entry = newEntry(now, retries, t.note(key, q, noted, known.entry&entryNoted))
	return result
}

// note keeps what q says beyond the retries, and returns the flag for the entry.
func (s *idShard) note(key uint64, q Request, noted bool, flag entry) entry {
	if !noted || q.Host == "" && q.URL == "" && q.QueuedAt.IsZero() {
		return flag
	}
	setKey(&s.notes, key, note{host: q.Host, url: q.URL, queued: q.wait()})
	return entryNoted
}

// Retry ends an attempt of id that failed with err. The id stays in flight and
// its clock restarts; a Start that follows only restarts the clock.
func (s *Statistics) Retry(id string, err error) {
	r := s.recorder.Load()
	n, ok := r.retryID(id, s.now())
	if !ok || !r.retry(uint8(KindOf(err).index()), 0, n.host) {
		s.stray()
		return
	}
	s.bookError(r, ofAttempts, err, n.url)
}

func (r *recorder) retryID(id string, now time.Duration) (note, bool) {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.get(key)
	if known == nil || t.sealed {
		return note{}, false
	}
	known.entry = newEntry(now, known.entry.retries()+1, known.entry&entryNoted|entryEnded)
	if known.entry&entryNoted == 0 {
		return noNote, true
	}
	return t.notes[key], true
}

// Finish ends the request id as done. An id that is not in flight is Unmatched.
func (s *Statistics) Finish(id string) { s.settleID(id, finished, nil, 0) }

// Fail ends the request id as given up because of err.
func (s *Statistics) Fail(id string, err error) { s.settleID(id, failed, err, 0) }

// Discard ends the request id as given up on purpose. It has no duration.
func (s *Statistics) Discard(id string, reason DiscardReason) {
	s.settleID(id, discarded, nil, uint8(reason.index()))
}

func (s *Statistics) settleID(id string, end ending, err error, reason uint8) {
	r, now := s.recorder.Load(), s.now()
	e, n, ok := r.takeID(id)
	if !ok {
		s.stray()
		return
	}
	o := outcome{
		ending: end, reason: reason, retries: int32(e.retries()),
		duration: e.age(now), queued: n.queued, host: n.host,
	}
	if end == failed {
		o.kind = uint8(KindOf(err).index())
	}
	if !r.settle(&o) {
		s.stray()
		return
	}
	s.taps.settled(&o)
	if end == failed {
		s.bookError(r, ofRequests, err, n.url)
	}
}

func (r *recorder) takeID(id string) (entry, note, bool) {
	key := r.ids.key(id)
	t := r.ids.shard(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return 0, note{}, false
	}
	e, ok := t.take(key)
	if !ok {
		return 0, note{}, false
	}
	return e, t.takeNote(key, e), true
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
