package stats

import (
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// member is what a Fleet knows of one worker. Snapshots in it are never changed.
type member struct {
	name     string
	rev      kvstore.Revision
	seen     bool
	vanished bool
	err      error

	now   Snapshot // the record
	first Snapshot // what growth is counted from
	most  Snapshot // the record that had counted most, since the last Reset
	kept  Snapshot // growth before the last Reset
}

// update takes over a new record, or the reason why there is none.
func (m *member) update(rev kvstore.Revision, a Snapshot, err error) {
	if m.err = err; err != nil {
		return
	}
	switch {
	case !m.seen:
		m.first, m.most = a, a
	case a.Generation != m.now.Generation: // counts from zero again
		m.kept, m.first, m.most = m.growth().settled(), Snapshot{}, a
	case a.Started >= m.most.Started: // else the store was rolled back
		m.most = a
	}
	m.rev, m.now, m.seen, m.vanished = rev, a, true, false
}

// growth returns what was counted since the worker was first seen. What it has
// under way is not part of it once its record is gone.
func (m *member) growth() Snapshot {
	g := m.kept.Merge(m.most.Sub(m.first))
	g.InFlight = m.now.InFlight
	if m.vanished {
		g.InFlight = 0
	}
	return g
}

// settled returns the counts of a window that is over, without what is only true
// of its end.
func (a Snapshot) settled() Snapshot {
	a.InFlight, a.OldestInFlight, a.Gauges = 0, 0, nil
	a.Extensions, a.unknown, a.Segments, a.History = nil, nil, nil, History{}
	return a
}

func (m *member) describe() Member {
	d := Member{Name: m.name, Err: m.err, State: MemberRunning}
	if !m.now.PersistedAt.IsZero() {
		d.Age = max(time.Since(m.now.PersistedAt), 0)
	}
	switch {
	case m.vanished:
		d.State = MemberVanished
	case !m.now.FinishedAt.IsZero():
		d.State = MemberFinished
	case d.Age > silentAfter:
		d.State = MemberSilent
	}
	return d
}
