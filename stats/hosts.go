package stats

import (
	"cmp"
	"slices"
	"strings"
)

const maxHostRunes = 253 // the longest name DNS allows

// hostTable counts the requests of the busiest hosts, in one shard. When it is
// full, the quieter half is folded into other and leaves, so a host that is new
// and busy always finds a place, and the total stays exact. Its zero value
// counts everything in other until limit is set.
type hostTable struct {
	limit int
	hosts map[string]*hostCells
	other hostCells
}

type hostCells struct {
	spread
	ended           [3]int64 // by ending
	retries, errors int64
	cells           [(38 - coarse) << coarse]int64
}

func (t *hostTable) settle(o *outcome) {
	c := t.cells(o.host)
	c.ended[o.ending]++
	switch o.ending {
	case discarded:
		return
	case failed:
		c.errors++
	}
	if o.retries > 0 {
		c.retries++
	}
	c.cells[bucketOf(o.duration, coarse)]++
	c.add(o.duration)
}

func (t *hostTable) retry(host string) { t.cells(host).errors++ }

func (t *hostTable) cells(host string) *hostCells {
	if c, ok := t.hosts[host]; ok {
		return c
	}
	return t.admit(host)
}

func (t *hostTable) admit(host string) *hostCells {
	name := cleanText(host, maxHostRunes)
	if c, ok := t.hosts[name]; ok {
		return c
	}
	if t.limit <= 0 {
		return &t.other
	}
	if len(t.hosts) >= t.limit {
		t.evict()
	}
	if t.hosts == nil {
		t.hosts = make(map[string]*hostCells)
	}
	c := new(hostCells)
	t.hosts[strings.Clone(name)] = c // host may be a part of a large buffer
	return c
}

// evict folds the quieter half into other.
func (t *hostTable) evict() {
	type entry struct {
		name  string
		cells *hostCells
	}
	entries := make([]entry, 0, len(t.hosts))
	for name, c := range t.hosts {
		entries = append(entries, entry{name, c})
	}
	slices.SortFunc(entries, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.cells.requests(), y.cells.requests()), strings.Compare(x.name, y.name))
	})
	for _, e := range entries[:(len(entries)+1)/2] {
		t.other.fold(e.cells)
		delete(t.hosts, e.name)
	}
}

// all returns a copy of the hosts and of the rest.
func (t *hostTable) all() (hosts []HostStats, other HostStats) {
	for name, c := range t.hosts {
		hosts = append(hosts, c.stats(name))
	}
	return hosts, t.other.stats("")
}

func (c *hostCells) requests() int64 { return c.ended[finished] + c.ended[failed] + c.ended[discarded] }

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
		Duration: c.durations(coarse, c.cells[:]),
	}
}
