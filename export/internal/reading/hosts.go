package reading

import "github.com/crawlstats/crawlstats/stats"

// otherHost stands for all hosts without a place.
const otherHost = "other"

// MaxHosts is the most hosts that are shown one by one.
const MaxHosts = 50

// hostCounts are the finished and the failed requests of a host.
type hostCounts struct{ ok, failed int64 }

func countsOf(h stats.HostStats) hostCounts { return hostCounts{h.Finished, h.Failed} }

func (c hostCounts) add(o hostCounts) hostCounts { return hostCounts{c.ok + o.ok, c.failed + o.failed} }

func (c hostCounts) sub(o hostCounts) hostCounts { return hostCounts{c.ok - o.ok, c.failed - o.failed} }

func (c hostCounts) max(o hostCounts) hostCounts {
	return hostCounts{max(c.ok, o.ok), max(c.failed, o.failed)}
}

// topHosts shows the hosts that were the busiest when its places ran out, and
// all others as one. A place is never given to another host and no count ever
// falls: either would look like a restart of the process. The sum is exact.
type topHosts struct {
	places int
	shown  map[string]*shownHost
	other  hostCounts
}

// shownHost has a place of its own.
type shownHost struct {
	shown   hostCounts
	seen    hostCounts // in the snapshot before
	present bool       // there; a busy Statistics forgets quiet hosts and counts them anew
}

// update takes in the hosts of a snapshot.
func (t *topHosts) update(a stats.Snapshot) {
	if t.shown == nil {
		t.shown = make(map[string]*shownHost)
	}
	rest := countsOf(a.HostsOther)
	now := make(map[string]hostCounts, len(a.Hosts))
	for _, h := range a.Hosts {
		name := labelValue(h.Host)
		now[name] = now[name].add(countsOf(h))
		rest = rest.add(countsOf(h))
	}
	// As long as nothing was counted as other, whoever is new has been there for
	// nothing that was shown: it gets a place with all it has.
	if t.other == (hostCounts{}) {
		for _, h := range a.Hosts {
			name := labelValue(h.Host)
			if _, known := t.shown[name]; !known && name != otherHost && len(t.shown) < t.places {
				t.shown[name] = &shownHost{present: true}
			}
		}
	}
	for name, h := range t.shown {
		counts, present := now[name]
		if present && h.present {
			h.shown = h.shown.add(counts.sub(h.seen).max(hostCounts{}))
		}
		h.seen, h.present = counts, present
		rest = rest.sub(h.shown)
	}
	t.other = t.other.max(rest)
}
