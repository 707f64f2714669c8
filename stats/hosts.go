package stats

import "strings"

const maxHostRunes = 253 // the longest name DNS allows

// hostTable counts the requests of the busiest hosts, in one shard. When it is
// full, a host that is not in it counts in other, and is voted for; with more
// votes than the quietest host in the table it takes the place of that one, whose
// counts are folded into other. So a host that is new and busy always finds a
// place, a flood of hosts that are not costs no memory, and the total stays exact.
// Its zero value counts everything in other until limit is set.
type hostTable struct {
	limit    int
	hosts    map[string]*hostCells
	other    hostCells
	votes    []ballot // nil until the table is full
	quietest int64    // a rank that no host of a full table is below
}

// ballot is the majority vote of the hosts that share it by their hash: the one
// that has more requests than all others together is known at the end.
type ballot struct {
	host  uint64 // hash
	votes int64
}

const ballots = 1 << 10

type hostCells struct {
	spread
	votes           int64    // requests that were counted in other before it had a place
	ended           [3]int64 // by ending
	retries, errors int64
	cells           [(38 - coarse) << coarse]int64
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

func (t *hostTable) cells(host string) *hostCells {
	if c, ok := t.hosts[host]; ok {
		return c
	}
	return t.admit(host)
}

func (t *hostTable) admit(host string) *hostCells {
	name := cleanHost(host)
	if name != host {
		if c, ok := t.hosts[name]; ok {
			return c
		}
	}
	if t.limit <= 0 {
		return &t.other
	}
	var c *hostCells
	if len(t.hosts) < t.limit {
		c = new(hostCells)
	} else if c = t.challenge(name); c == nil {
		return &t.other
	}
	setKey(&t.hosts, strings.Clone(name), c) // host may be a part of a large buffer
	return c
}

// challenge votes for a host without a place. When it has had more requests than
// the quietest host, that one leaves, and its cells are returned, empty.
func (t *hostTable) challenge(name string) *hostCells {
	votes := t.vote(hash64(name))
	if votes <= t.quietest {
		return nil
	}
	out, c := t.last()
	if t.quietest = c.rank(); votes <= t.quietest {
		return nil
	}
	t.other.fold(c)
	delete(t.hosts, out)
	*c = hostCells{votes: votes - 1} // this one will count in c
	return c
}

// vote counts a request of a host without a place, and returns how many more it
// has had than the others of its ballot.
func (t *hostTable) vote(host uint64) int64 {
	if t.votes == nil {
		t.votes = make([]ballot, ballots)
	}
	b := &t.votes[host%ballots]
	switch {
	case b.host == host:
		b.votes++
	case b.votes > 0:
		b.votes--
		return 0
	default:
		*b = ballot{host, 1}
	}
	return b.votes
}

// last returns the quietest host, of equals the first by name.
func (t *hostTable) last() (host string, cells *hostCells) {
	for name, c := range t.hosts {
		if cells == nil || c.rank() < cells.rank() || c.rank() == cells.rank() && name < host {
			host, cells = name, c
		}
	}
	return host, cells
}

// all returns a copy of the hosts and of the rest.
func (t *hostTable) all() (hosts []HostStats, other HostStats) {
	for name, c := range t.hosts {
		hosts = append(hosts, c.stats(name))
	}
	return hosts, t.other.stats("")
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

func (c *hostCells) stats(name string) HostStats {
	return HostStats{
		Host:     name,
		Finished: c.ended[finished], Failed: c.ended[failed], Discarded: c.ended[discarded],
		Retries: c.retries, Errors: c.errors,
		Duration: c.durations(coarse, 0, c.cells[:]),
	}
}
