package statsdpush

import (
	"maps"
	"slices"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// listed is a metric of the catalogue.
func (p *Pusher) listed(id catalogue.ID, values ...string) metric {
	name := p.names.listed(id, values...)
	return metric{name, p.cfg.Tags, name}
}

// job is a metric of the catalogue that counts requests as jobs.
func (p *Pusher) job(id catalogue.ID) metric {
	name := p.names.job(id)
	return metric{name, p.cfg.Tags, name}
}

// instruments sends those of the adapters under their own names, and the
// crawler's own. They are walked in order, so that names that meet are told
// apart the same way in each run.
func (r *round) instruments(live *stats.Snapshot) {
	for _, key := range slices.Sorted(maps.Keys(live.Counters)) {
		r.counter(r.p.count(key), live.Counters[key])
	}
	for _, key := range slices.Sorted(maps.Keys(live.Gauges)) {
		r.gauge(r.p.custom("g", key, alone("")...), live.Gauges[key])
	}
	for _, key := range slices.Sorted(maps.Keys(live.Timers)) {
		r.timing(r.p.timer(key), live.Timers[key])
	}
	for _, key := range slices.Sorted(maps.Keys(live.Uniques)) {
		r.gauge(r.p.unique(key).with(".unique"), float64(live.Uniques[key]))
	}
}

// count is the metric of a counter.
func (p *Pusher) count(key string) metric {
	if id, part, ok := catalogue.Adapter(key); ok {
		return p.listed(id, part)
	}
	return p.custom("c", key, "")
}

// timer is the metric of a timer.
func (p *Pusher) timer(key string) metric {
	if id, part, ok := catalogue.Adapter(key); ok {
		return p.listed(id, part)
	}
	if p.cfg.Timings == TimingEvents {
		return p.custom("ms", key, alone("")...)
	}
	var suffixes []string
	for _, t := range catalogue.Timings() {
		if t.Type == catalogue.Counter {
			suffixes = append(suffixes, "."+t.Suffix)
		} else {
			suffixes = append(suffixes, alone("."+t.Suffix)...)
		}
	}
	return p.custom("ms", key, suffixes...)
}

// unique is the metric of a Unique: its set, and behind it its gauge.
func (p *Pusher) unique(key string) metric {
	suffixes := alone(".unique")
	if p.cfg.Sets {
		suffixes = append(suffixes, "")
	}
	return p.custom("s", key, suffixes...)
}

// alone returns suffix and what statsd_exporter lets nobody else have beside a
// name that is no counter.
func alone(suffix string) []string {
	return []string{suffix, suffix + ".count", suffix + ".sum", suffix + ".bucket"}
}

// custom is the metric of an instrument of the crawler's own. Its labels become
// tags, or segments of the name where tags are not used.
func (p *Pusher) custom(kind, key string, suffixes ...string) metric {
	i := catalogue.ParseInstrument(key)
	series := kind + " " + key
	if p.cfg.TagFormat != 0 {
		return metric{
			name:   p.names.custom(kind+" "+i.Name, i.Name, suffixes...),
			tags:   labelTags(p.cfg.Tags, i.Labels, p.cfg.TagFormat),
			series: series,
		}
	}
	name := i.Name
	for _, l := range i.Labels {
		name += "." + catalogue.Segment(l.Key) + "." + catalogue.Segment(l.Value)
	}
	return metric{p.names.custom(series, name, suffixes...), nil, series}
}
