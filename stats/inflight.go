package stats

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// inFlight is the table of requests that were started by id. It holds no
// pointer, so millions of entries cost the garbage collector nothing: an id is
// known by 64 bits of a hash seeded anew in each process, and never stored. Two
// ids of n in flight share a hash with a chance of n²/2^65; one of them is then
// taken for the other's next attempt.
type inFlight struct {
	shards [inFlightShards]idShard // first: each on a cache line of its own
	seed   maphash.Seed
	limit  int
	guard  int         // a shard below this many entries proves that the table is not full
	used   atomic.Bool // something was started by id: before that nobody has to look
}

const inFlightShards = 256

// idShard is what is in flight under one lock. The low bits of a hash choose the
// shard.
type idShard struct {
	mu      sync.Mutex
	begun   int64 // requests started here
	sealed  bool
	idParts                 // all but what is large stands in the first cache line
	notes   map[uint64]note // only of requests that came with one
	_       [32]byte
}

// note is what a Request said beyond its id.
type note struct {
	host, url string
	queued    time.Duration // queue wait; negative: unknown
}

func newInFlight(limit int) *inFlight {
	// Hashes spread n entries over the shards with a deviation of √(n/256): a
	// shard eight of those below its share is not the shard of a full table.
	share := float64(limit) / inFlightShards
	t := &inFlight{seed: maphash.MakeSeed(), limit: limit, guard: int(share - 8*math.Sqrt(share))}
	parts := min(1<<bits.Len(uint(share/partEntries)), maxParts)
	for i := range t.shards {
		t.shards[i].most = uint16(parts)
	}
	return t
}

func (t *inFlight) key(id string) uint64 { return max(maphash.String(t.seed, id), 1) }

func (t *inFlight) shard(key uint64) *idShard { return &t.shards[key%inFlightShards] }

// each calls fn for every shard under its lock.
func (t *inFlight) each(fn func(*idShard)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		fn(s)
		s.mu.Unlock()
	}
}

func (t *inFlight) len() (n int) {
	t.each(func(s *idShard) { n += int(s.n) })
	return n
}

// started returns how many requests were started by id.
func (t *inFlight) started() (n int64) {
	if t.used.Load() {
		t.each(func(s *idShard) { n += s.begun })
	}
	return n
}

// oldest returns the age of the oldest entry.
func (t *inFlight) oldest(now time.Duration) (age time.Duration) {
	if t.used.Load() {
		t.each(func(s *idShard) { age = max(age, s.oldest(now)) })
	}
	return age
}

// seal makes every later call on the table fail.
func (t *inFlight) seal() { t.each(func(s *idShard) { s.sealed = true }) }

type startResult int

const (
	startedNew   startResult = iota
	startedAgain             // an attempt more
	startedKnown             // Retry has counted this attempt
	refused                  // at MaxInFlight
	nearFull                 // has guard entries: look at the whole table, unlocked
	sealed
)

// start counts and enters a request, or its next attempt.
func (s *idShard) start(key uint64, q *Request, now time.Duration, guard int) startResult {
	if s.sealed {
		return sealed
	}
	known := s.get(key)
	if known == nil {
		if int(s.n) >= guard {
			return nearFull
		}
		s.begun++
		s.put(key, newEntry(now, given(q), s.note(key, q, 0)))
		return startedNew
	}
	result, retries := startedKnown, known.entry.retries()
	if known.entry&entryEnded == 0 {
		result, retries = startedAgain, retries+1
	}
	if n := given(q); n > 0 {
		retries = n
	}
	known.entry = newEntry(now, retries, s.note(key, q, known.entry&entryNoted))
	return result
}

// given returns the retries that a request came with.
func given(q *Request) int {
	if q == nil {
		return 0
	}
	return q.Retries
}

// note keeps what q says beyond the retries, and returns the flag for the entry.
func (s *idShard) note(key uint64, q *Request, flag entry) entry {
	if q == nil || q.Host == "" && q.URL == "" && q.QueuedAt.IsZero() {
		return flag
	}
	setKey(&s.notes, key, note{host: q.Host, url: q.URL, queued: queueWait(q.QueuedAt)})
	return entryNoted
}

// retry ends the attempt of a request that stays in flight, and writes what is
// known of it into j.
func (s *idShard) retry(key uint64, now time.Duration, j *Job) bool {
	known := s.get(key)
	if known == nil || s.sealed {
		return false
	}
	if known.entry&entryNoted != 0 {
		s.notes[key].into(j)
	}
	known.entry = newEntry(now, known.entry.retries()+1, known.entry&entryNoted|entryEnded)
	return true
}

// take removes a request and writes what is known of it into j.
func (s *idShard) take(key uint64, now time.Duration, j *Job) bool {
	if s.sealed {
		return false
	}
	e, ok := s.remove(key)
	if !ok {
		return false
	}
	j.duration, j.timed, j.retries, j.queued = e.age(now), true, e.retries(), -1
	if e&entryNoted != 0 {
		s.notes[key].into(j)
		delete(s.notes, key)
	}
	return true
}

func (n note) into(j *Job) { j.host, j.url, j.queued = n.host, n.url, n.queued }

// oldest returns the age of the oldest entry.
func (s *idShard) oldest(now time.Duration) (age time.Duration) {
	if s.n == 0 {
		return 0
	}
	s.each(func(s slot) { age = max(age, s.entry.age(now)) })
	return age
}
