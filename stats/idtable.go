package stats

import (
	"math/bits"
	"time"
)

// idTable is an open-addressing table with linear probing. The high bits of a
// hash choose the slot.
type idTable struct {
	slots []slot
	n     int32 // entries
	shift uint8
}

const minSlots = 8

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

// find returns the slot of key, or the free slot where it would stand.
func (t *idTable) find(key uint64) (at int, found bool) {
	mask := len(t.slots) - 1
	for i := int(key >> t.shift); ; i++ {
		switch t.slots[i&mask].key {
		case key:
			return i & mask, true
		case 0:
			return i & mask, false
		}
	}
}

func (t *idTable) get(key uint64) *slot {
	if len(t.slots) == 0 {
		return nil
	}
	if i, ok := t.find(key); ok {
		return &t.slots[i]
	}
	return nil
}

// put adds an entry for a key that is not there. At 13 slots of 16 the table
// doubles, so an entry never costs more than 40 bytes.
func (t *idTable) put(key uint64, e entry) {
	if int(t.n)*16 >= len(t.slots)*13 {
		t.resize(max(minSlots, len(t.slots)*2))
	}
	i, _ := t.find(key)
	t.slots[i] = slot{key, e}
	t.n++
}

// remove removes the entry of key.
func (t *idTable) remove(key uint64) (e entry, ok bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	i, ok := t.find(key)
	if !ok {
		return 0, false
	}
	e = t.slots[i].entry
	t.close(i)
	if t.n--; int(t.n)*8 < len(t.slots) && len(t.slots) > minSlots {
		t.resize(len(t.slots) / 2)
	}
	return e, true
}

// close empties slot i and moves up the entries behind it that it had pushed
// away from their home.
func (t *idTable) close(i int) {
	mask := len(t.slots) - 1
	for j := (i + 1) & mask; t.slots[j].key != 0; j = (j + 1) & mask {
		home := int(t.slots[j].key>>t.shift) & mask
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = slot{}
}

func (t *idTable) resize(n int) {
	old := *t
	t.slots = make([]slot, n)
	t.shift = uint8(64 - bits.Len(uint(n-1)))
	old.each(func(s slot) {
		i, _ := t.find(s.key)
		t.slots[i] = s
	})
}

// each calls fn for every entry.
func (t *idTable) each(fn func(slot)) {
	for _, s := range t.slots {
		if s.key != 0 {
			fn(s)
		}
	}
}
