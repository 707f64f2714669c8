package dashboard

import (
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

// source is a stats.Source and what else is known of it.
type source struct {
	stats.Source
	id      string
	health  func() stats.Health   // nil: not a Statistics
	members func() []stats.Member // nil: not a Fleet
}

func newSource(src stats.Source, id string) source {
	s := source{Source: src, id: id}
	if named, ok := src.(interface{ ID() string }); ok && id == "" {
		s.id = named.ID()
	}
	if one, ok := src.(interface{ Health() stats.Health }); ok {
		s.health = one.Health
	}
	if fleet, ok := src.(interface{ Members() []stats.Member }); ok {
		s.members = fleet.Members
	}
	return s
}

// look reads the source once.
func (s source) look(track *view.Track) (stats.Snapshot, view.View) {
	now := time.Now()
	in := view.Input{Snapshot: s.Snapshot(), ID: s.id, Now: now, Live: s.health != nil, Track: track}
	if s.health != nil {
		h := s.health()
		in.Health = &h
	}
	if s.members != nil {
		in.Members = append([]stats.Member{}, s.members()...) // not nil: a fleet may be empty
	}
	if track.Due(now) {
		track.Look(s.counted(in.Snapshot), now)
	}
	return in.Snapshot, view.Of(in)
}

// counted returns what a Track compares. A worker of a fleet that has been away,
// or comes with a past, has not failed again: Live never falls.
func (s source) counted(a stats.Snapshot) stats.Snapshot {
	if s.members == nil {
		return a
	}
	live := s.Live()
	live.Gauges = a.Gauges // those of workers that are there
	return live
}
