package stats

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
)

const maxHostRunes = 253 // the longest name DNS allows

// hostTable counts the requests of the busiest hosts, in one shard. When it is
// full, a host that is not in it counts in other, and is voted for; with more
// votes than the quietest host in the table it takes the place of that one, whose
// counts are folded into other. So a host that is new and busy always finds a
// place, a flood of hosts that are not costs no memory, and the total stays exact.
//
// A host is known by 64 bits of a hash seeded anew for each table, as an id is in
// the table of those in flight: a look-up reads a slot and no name.
type hostTable struct {
	limit    int
	seed     maphash.Seed
	hosts    []*hostCells
	slots    []hostSlot // of hosts: open addressing, at most half full
	other    hostCells
	votes    []ballot // nil until the table is full
	quietest int64    // a rank that no host of a full table is below
}

type hostSlot struct {
	key   uint64 // hash of the name, never zero
	cells *hostCells
}

// ballot is the majority vote of the hosts that share it by their hash: the one
// that has more requests than all others together is known at the end.
type ballot struct {
	key   uint64
	votes int64
}

const ballots = 1 << 10

type hostCells struct {
	key  uint64
	name string
	spread
	votes           int64    // requests that were counted in other before it had a place
	ended           [3]int64 // by ending
	retries, errors int64
	cells           [(38 - coarse) << coarse]int64
}

func newHostTable(limit int) hostTable {
	return hostTable{limit: limit, seed: maphash.MakeSeed(), slots: make([]hostSlot, 2)}
}

func (t *hostTable) settle(j *Job) {
	c := t.cells(j.host)
	c.ended[j.ending]++
	switch j.ending {
	case discarded:
		return
	case failed:
		c.errors++
	}
	if j.retries > 0 {
		c.retries++
	}
	c.cells[bucketOf(j.duration, coarse)]++
	c.add(j.duration)
}

func (t *hostTable) retry(host string) { t.cells(host).errors++ }

func (t *hostTable) key(host string) uint64 { return max(maphash.String(t.seed, host), 1) }

// cells returns where a request of host counts.
func (t *hostTable) cells(host string) *hostCells {
	key := t.key(host)
	if c := t.find(key); c != nil {
		return c
	}
	return t.admit(key, host)
}

func (t *hostTable) find(key uint64) *hostCells {
	mask := uint64(len(t.slots) - 1)
	for i := key; ; i++ {
		switch slot := &t.slots[i&mask]; slot.key {
		case key:
			return slot.cells
		case 0:
			return nil
		}
	}
}

// admit gives a host a place, or votes for it.
func (t *hostTable) admit(key uint64, host string) *hostCells {
	if t.votes == nil || t.ballot(key).key != key { // who has votes is clean
		name := cleanHost(host)
		if name != host {
			key = t.key(name)
			if c := t.find(key); c != nil {
				return c
			}
		}
		host = name
	}
	if len(t.hosts) == t.limit {
		c := t.challenge(key)
		if c == nil {
			return &t.other
		}
		c.key, c.name = key, strings.Clone(host) // it may be a part of a large buffer
		t.index(len(t.slots))
		return c
	}
	c := &hostCells{key: key, name: strings.Clone(host)}
	t.hosts = append(t.hosts, c)
	if size := len(t.slots); len(t.hosts)*2 > size {
		t.index(2 * size)
	} else {
		t.place(c)
	}
	return c
}

func (t *hostTable) place(c *hostCells) {
	mask := uint64(len(t.slots) - 1)
	i := c.key & mask
	for t.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = hostSlot{c.key, c}
}

// index places all hosts anew.
func (t *hostTable) index(size int) {
	if size == len(t.slots) {
		clear(t.slots)
	} else {
		t.slots = make([]hostSlot, size)
	}
	for _, c := range t.hosts {
		t.place(c)
	}
}

func (t *hostTable) ballot(key uint64) *ballot { return &t.votes[key%ballots] }

// vote counts a request of a host without a place, and returns how many more it
// has had than the others of its ballot.
func (t *hostTable) vote(key uint64) int64 {
	if t.votes == nil {
		t.votes = make([]ballot, ballots)
	}
	b := t.ballot(key)
	switch {
	case b.key == key:
		b.votes++
	case b.votes > 0:
		b.votes--
		return 0
	default:
		*b = ballot{key, 1}
	}
	return b.votes
}

// challenge votes for a host without a place. When it has had more requests than
// the quietest host, that one leaves, and its cells are returned, empty.
func (t *hostTable) challenge(key uint64) *hostCells {
	votes := t.vote(key)
	if votes <= t.quietest {
		return nil
	}
	c := t.last()
	if t.quietest = c.rank(); votes <= t.quietest {
		return nil
	}
	t.other.fold(c)
	*c = hostCells{votes: votes - 1} // this one will count in c
	return c
}

// last returns the quietest host, of equals the first by name.
func (t *hostTable) last() *hostCells {
	return slices.MinFunc(t.hosts, func(a, b *hostCells) int {
		if order := cmp.Compare(a.rank(), b.rank()); order != 0 {
			return order
		}
		return cmp.Compare(a.name, b.name)
	})
}

// all returns a copy of the hosts and of the rest.
func (t *hostTable) all() (hosts []HostStats, other HostStats) {
	for _, c := range t.hosts {
		hosts = append(hosts, c.stats())
	}
	return hosts, t.other.stats()
}

// rank is how many requests the host has had, as far as is known.
func (c *hostCells) rank() int64 {
	return c.votes + c.ended[finished] + c.ended[failed] + c.ended[discarded]
}

func (c *hostCells) fold(o *hostCells) {
	c.spread.fold(o.spread)
	for i, n := range o.ended {
		c.ended[i] += n
	}
	c.retries += o.retries
	c.errors += o.errors
	addTo(c.cells[:], o.cells[:])
}

func (c *hostCells) stats() HostStats {
	return HostStats{
		Host:     c.name,
		Finished: c.ended[finished], Failed: c.ended[failed], Discarded: c.ended[discarded],
		Retries: c.retries, Errors: c.errors,
		Duration: c.durations(coarse, 0, c.cells[:]),
	}
}
