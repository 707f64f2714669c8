package reading

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// book is a Reading that is being written.
type book struct {
	Reading
	since time.Time
}

func (b *book) add(id catalogue.ID, samples ...Sample) {
	if len(samples) > 0 {
		b.Families = append(b.Families, Family{ID: id, Name: id.Metric().Prom.Name, Since: b.since, Samples: samples})
	}
}

func (b *book) count(id catalogue.ID, n int64)   { b.add(id, Sample{Count: n}) }
func (b *book) gauge(id catalogue.ID, v float64) { b.add(id, Sample{Value: v}) }

// moment adds a time, unless there is none.
func (b *book) moment(id catalogue.ID, t time.Time) {
	if !t.IsZero() {
		b.gauge(id, float64(t.UnixMilli())/1000)
	}
}

// closed returns a sample for every value of the only label of id, whose set is
// closed, zeros included: rates then begin with the first event.
func closed(id catalogue.ID, of func(value string) Sample) []Sample {
	label := id.Metric().Prom.Labels[0]
	var samples []Sample
	for _, v := range id.Values(label) {
		samples = append(samples, labelled(label, v, of(v)))
	}
	return samples
}

func labelled(key, value string, s Sample) Sample {
	s.Labels = append(slices.Clip(s.Labels), catalogue.Label{Key: key, Value: value})
	return s
}

// distribution returns a sample of a histogram that has the buckets of id.
func distribution(id catalogue.ID, d stats.Durations) Sample {
	return Sample{Histogram: ofDurations(d, id.Metric().Prom.Buckets)}
}

func (b *book) requests(live stats.Snapshot) {
	b.count(catalogue.Started, live.Started)
	b.count(catalogue.Finished, live.Finished)
	b.add(catalogue.Failed, closed(catalogue.Failed, func(kind string) Sample {
		return Sample{Count: live.FailedKinds[kind]}
	})...)
	b.add(catalogue.Discarded, closed(catalogue.Discarded, func(reason string) Sample {
		return Sample{Count: live.Discards[stats.DiscardReason(reason)]}
	})...)
	b.count(catalogue.Retried, live.Retries)
	b.count(catalogue.Attempts, live.Attempts)
	b.gauge(catalogue.InFlight, float64(live.InFlight))
	b.add(catalogue.Errors, closed(catalogue.Errors, func(kind string) Sample {
		return Sample{Count: live.ErrorKinds[kind]}
	})...)
	var codes []Sample
	for _, code := range slices.Sorted(maps.Keys(live.StatusCodes)) {
		codes = append(codes, labelled("code", strconv.Itoa(code), Sample{Count: live.StatusCodes[code]}))
	}
	b.add(catalogue.ResponsesByCode, codes...)
}

func (b *book) durations(live stats.Snapshot) {
	b.add(catalogue.Working,
		labelled("outcome", "ok", distribution(catalogue.Working, live.FinishedDuration)),
		labelled("outcome", "error", distribution(catalogue.Working, live.FailedDuration)))
	b.add(catalogue.QueueWait, distribution(catalogue.QueueWait, live.QueueWait))
	b.add(catalogue.Total, distribution(catalogue.Total, live.TotalDuration))
	b.add(catalogue.RetryHistogram, Sample{
		Histogram: ofNumbers(live.RetryHistogram, catalogue.RetryHistogram.Metric().Prom.Buckets),
	})
}

// instruments adds what the crawler and its adapters measure besides.
func (b *book) instruments(live stats.Snapshot, names *names) {
	g := groups{names: names, since: b.since, at: make(map[string]int)}
	for _, key := range slices.Sorted(maps.Keys(live.Counters)) {
		g.add(catalogue.CustomCounter, key, Sample{Count: live.Counters[key]})
	}
	for _, key := range slices.Sorted(maps.Keys(live.Gauges)) {
		g.add(catalogue.CustomGauge, key, Sample{Value: live.Gauges[key]})
	}
	for _, key := range slices.Sorted(maps.Keys(live.Timers)) {
		g.add(catalogue.CustomTimer, key, distribution(catalogue.CustomTimer, live.Timers[key]))
	}
	for _, key := range slices.Sorted(maps.Keys(live.Uniques)) {
		g.add(catalogue.CustomUnique, key, Sample{Value: float64(live.Uniques[key])})
	}
	b.Families = append(b.Families, g.families...)
}

// groups gathers instruments into families.
type groups struct {
	names    *names
	since    time.Time
	families []Family
	at       map[string]int // index of a family by its name
}

func (g *groups) add(kind catalogue.ID, key string, s Sample) {
	id, family, labels, ok := g.names.place(kind, key)
	if !ok {
		return
	}
	i, known := g.at[family]
	if !known {
		i = len(g.families)
		g.at[family] = i
		g.families = append(g.families, Family{ID: id, Name: family, Since: g.since})
	}
	s.Labels = labels
	g.families[i].Samples = append(g.families[i].Samples, s)
}

// job adds what all runs have come to.
func (b *book) job(whole stats.Snapshot) {
	b.add(catalogue.LifetimeRequests, closed(catalogue.LifetimeRequests, func(state string) Sample {
		return Sample{Value: float64(inState(whole, state))}
	})...)
	b.gauge(catalogue.Runtime, whole.Runtime.Seconds())
	b.gauge(catalogue.Segments, float64(len(whole.Segments)))
	b.moment(catalogue.LastSuccess, whole.History.LastSuccess())
	b.moment(catalogue.LastPersist, whole.PersistedAt)
}

func inState(a stats.Snapshot, state string) int64 {
	return map[string]int64{
		"started": a.Started, "finished": a.Finished, "failed": a.Failed,
		"discarded": a.Discarded, "interrupted": a.Interrupted,
	}[state]
}

// saves adds how saving goes. Saves are counted from Open on, whatever was reset
// since, so nobody knows here when they began.
func (b *book) saves(h stats.Health) {
	if !h.Persisting {
		return
	}
	b.add(catalogue.Persists, labelled("result", "ok", Sample{Count: h.Saves}), labelled("result", "error", Sample{Count: h.Failures}))
	b.Families[len(b.Families)-1].Since = time.Time{}
	b.gauge(catalogue.PersistDuration, h.Duration.Seconds())
}

func (b *book) hosts(t *topHosts) {
	var samples []Sample
	host := func(name string, c hostCounts) {
		s := labelled("host", name, Sample{})
		ok, failed := labelled("outcome", "ok", s), labelled("outcome", "error", s)
		ok.Count, failed.Count = c.ok, c.failed
		samples = append(samples, ok, failed)
	}
	for _, name := range slices.Sorted(maps.Keys(t.shown)) {
		host(name, t.shown[name].shown)
	}
	host(otherHost, t.other)
	b.add(catalogue.Hosts, samples...)
}

// self adds what the statistics and the exporters beside them could not count,
// show or send.
func (b *book) self(live stats.Snapshot, h stats.Health, refused int, others map[string]int64) {
	ours := map[string]int64{
		"unmatched": live.Unmatched, "late": live.Late, "overflow": live.Overflow,
		"keys_dropped": live.Dropped, "names_refused": int64(refused),
	}
	if h.Persisting {
		ours["superseded"] = 0
		if h.Superseded {
			ours["superseded"] = 1
		}
	}
	var samples []Sample
	for _, what := range catalogue.Self.Values("what") {
		n, told := ours[what]
		if !told {
			n, told = others[what]
		}
		if told {
			samples = append(samples, labelled("what", what, Sample{Count: n}))
		}
	}
	b.add(catalogue.Self, samples...)
}
