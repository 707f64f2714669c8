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
	seed   maphash.Seed
	limit  int
	guard  int64 // a shard below this many entries proves that the table is not full
	shards [inFlightShards]idShard
}

const (
	inFlightShards = 256
	minSlots       = 8
)

// idShard is an open-addressing table with linear probing. The low bits of a
// hash choose the shard, the high bits the slot.
type idShard struct {
	mu     sync.Mutex
	sealed bool
	shift  uint8
	n      atomic.Int64 // entries; written under the lock
	slots  []slot
	notes  map[uint64]note // only of requests that came with one
	_      [40]byte
}

// note is what a Request said beyond its id.
type note struct {
	host, url string
	queued    time.Duration // queue wait; negative: unknown
}

var noNote = note{queued: -1}

type slot struct {
	key   uint64 // hash of the id, never zero
	entry entry
}

// entry packs the start of the attempt (54 bits of nanoseconds: ages up to 104
// days), its retries (8 bits, capped) and two flags.
type entry uint64

const (
	entryEnded entry = 1 << 0 // Retry was called: the next Start only restarts the clock
	entryNoted entry = 1 << 1 // there is a note
	entryRetry       = 2
	entryStart       = 10
	maxRuns          = 1<<8 - 1
)

func newEntry(start time.Duration, retries int, flags entry) entry {
	return entry(start)<<entryStart | entry(min(max(retries, 0), maxRuns))<<entryRetry | flags
}

func (e entry) retries() int { return int(e >> entryRetry & maxRuns) }

// age returns the time from the start to now. It is never negative: now may have
// been read just before the entry was made.
func (e entry) age(now time.Duration) time.Duration {
	since := uint64(now)<<entryStart - uint64(e>>entryStart<<entryStart)
	return time.Duration(max(int64(since)>>entryStart, 0))
}

func newInFlight(limit int) *inFlight {
	// Hashes spread n entries over the shards with a deviation of √(n/256): a
	// shard eight of those below its share is not the shard of a full table.
	share := float64(limit) / inFlightShards
	return &inFlight{seed: maphash.MakeSeed(), limit: limit, guard: int64(share - 8*math.Sqrt(share))}
}

func (t *inFlight) key(id string) uint64 { return max(maphash.String(t.seed, id), 1) }

func (t *inFlight) shard(key uint64) *idShard { return &t.shards[key%inFlightShards] }

func (t *inFlight) len() (n int64) {
	for i := range t.shards {
		n += t.shards[i].n.Load()
	}
	return n
}

// full reports whether no entry more may be put into s, which is locked.
func (t *inFlight) full(s *idShard) bool {
	return s.n.Load() >= t.guard && t.len() >= int64(t.limit)
}

// seal makes every later call on the table fail.
func (t *inFlight) seal() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.sealed = true
		s.mu.Unlock()
	}
}

// oldest returns the age of the oldest entry.
func (t *inFlight) oldest(now time.Duration) (age time.Duration) {
	for i := range t.shards {
		s := &t.shards[i]
		if s.n.Load() == 0 {
			continue
		}
		s.mu.Lock()
		for _, slot := range s.slots {
			if slot.key != 0 {
				age = max(age, slot.entry.age(now))
			}
		}
		s.mu.Unlock()
	}
	return age
}

// find returns the slot of key, or the free slot where it would stand.
func (s *idShard) find(key uint64) (at int, found bool) {
	mask := len(s.slots) - 1
	for i := int(key >> s.shift); ; i++ {
		switch s.slots[i&mask].key {
		case key:
			return i & mask, true
		case 0:
			return i & mask, false
		}
	}
}

func (s *idShard) get(key uint64) *slot {
	if len(s.slots) == 0 {
		return nil
	}
	if i, ok := s.find(key); ok {
		return &s.slots[i]
	}
	return nil
}

// put adds an entry for a key that is not there.
func (s *idShard) put(key uint64, e entry) {
	if n := int(s.n.Load()); n*4 >= len(s.slots)*3 {
		s.resize(max(minSlots, len(s.slots)*2))
	}
	i, _ := s.find(key)
	s.slots[i] = slot{key, e}
	s.n.Add(1)
}

// take removes the entry of key.
func (s *idShard) take(key uint64) (e entry, ok bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	i, ok := s.find(key)
	if !ok {
		return 0, false
	}
	e = s.slots[i].entry
	s.close(i)
	if n := int(s.n.Add(-1)); n*8 < len(s.slots) && len(s.slots) > minSlots {
		s.resize(len(s.slots) / 2)
	}
	return e, true
}

// close empties slot i and moves up the entries behind it that it had pushed
// away from their home.
func (s *idShard) close(i int) {
	mask := len(s.slots) - 1
	for j := (i + 1) & mask; s.slots[j].key != 0; j = (j + 1) & mask {
		home := int(s.slots[j].key>>s.shift) & mask
		if (j-home)&mask >= (j-i)&mask {
			s.slots[i] = s.slots[j]
			i = j
		}
	}
	s.slots[i] = slot{}
}

func (s *idShard) resize(n int) {
	old := s.slots
	s.slots = make([]slot, n)
	s.shift = uint8(64 - bits.Len(uint(n-1)))
	for _, e := range old {
		if e.key != 0 {
			i, _ := s.find(e.key)
			s.slots[i] = e
		}
	}
}

func (s *idShard) takeNote(key uint64, e entry) note {
	if e&entryNoted == 0 {
		return noNote
	}
	n := s.notes[key]
	delete(s.notes, key)
	return n
}
