package statsdpush

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// metric is a name with its tags.
type metric struct {
	name   string
	tags   []statsd.Tag
	series string // tells metrics apart, whatever became of their names
}

// with returns the metric whose name goes on with suffix.
func (m metric) with(suffix string) metric { return metric{m.name + suffix, m.tags, m.series + suffix} }

// round collects the lines of one flush: counters that have grown, or are new,
// and every gauge.
type round struct {
	p     *Pusher
	lines []line
}

func (r *round) counter(m metric, total int64) {
	sent, known := r.p.sent[m.series]
	// A total below the watermark is a Reset that is under way: it is sent once
	// the Generation tells so.
	if total < sent || known && total == sent {
		return
	}
	r.lines = append(r.lines, line{name: m.name, tags: m.tags, kind: counterLine, delta: total - sent, series: m.series, total: total})
}

func (r *round) gauge(m metric, v float64) {
	r.lines = append(r.lines, line{name: m.name, tags: m.tags, kind: gaugeLine, value: v})
}

// timing sends a distribution as a summary, of which none is sent while events
// are.
func (r *round) timing(m metric, d stats.Durations) {
	if r.p.cfg.Timings != TimingSummary {
		return
	}
	r.counter(m.with(".count"), d.Count)
	r.counter(m.with(".sum_ms"), d.Sum.Milliseconds())
	if d.Count == 0 {
		return
	}
	r.gauge(m.with(".p50"), milliseconds(d.Quantile(0.50)))
	r.gauge(m.with(".p95"), milliseconds(d.Quantile(0.95)))
	r.gauge(m.with(".p99"), milliseconds(d.Quantile(0.99)))
	r.gauge(m.with(".max"), milliseconds(d.Max))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// queued is timing for durations that are only known where QueuedAt is.
func (r *round) queued(m metric, d stats.Durations) {
	if d.Count > 0 {
		r.timing(m, d)
	}
}

// closed counts each value of the closed set of a Part, and what is not in it as
// other.
func closed[K ~string](r *round, id catalogue.ID, part string, counts map[K]int64) {
	values := id.Values(part)
	known := make(map[string]int64, len(values))
	for k, n := range counts {
		if v := string(k); slices.Contains(values, v) {
			known[v] += n
		} else {
			known["other"] += n
		}
	}
	for _, v := range values {
		r.counter(r.p.listed(id, v), known[v])
	}
}

// collect returns what is to be sent now.
func (p *Pusher) collect() []line {
	live, all := p.src.Live(), p.src.Snapshot()
	if live.Generation != p.generation {
		clear(p.sent)
		p.generation = live.Generation
	}
	r := &round{p: p}
	r.requests(&live)
	r.instruments(&live)
	r.lifetime(&live, &all)
	r.self(&live)
	return r.lines
}

func (r *round) requests(live *stats.Snapshot) {
	r.counter(r.p.listed(catalogue.Started), live.Started)
	r.counter(r.p.listed(catalogue.Finished), live.Finished)
	r.counter(r.p.listed(catalogue.Failed), live.Failed)
	r.counter(r.p.listed(catalogue.Retried), live.Retries)
	r.counter(r.p.listed(catalogue.Attempts), live.Attempts)
	r.counter(r.p.job(catalogue.JobsOK), live.Finished)
	r.counter(r.p.job(catalogue.JobsError), live.Failed)
	r.gauge(r.p.listed(catalogue.InFlight), float64(live.InFlight))
	closed(r, catalogue.Discarded, "reason", live.Discards)
	closed(r, catalogue.Errors, "kind", live.ErrorKinds)
	r.responses(live.StatusCodes)

	r.timing(r.p.listed(catalogue.Working, "ok"), live.FinishedDuration)
	r.timing(r.p.listed(catalogue.Working, "error"), live.FailedDuration)
	r.timing(r.p.job(catalogue.JobsWorking), both(live.FinishedDuration, live.FailedDuration))
	r.queued(r.p.listed(catalogue.QueueWait), live.QueueWait)
	r.queued(r.p.listed(catalogue.Total), live.TotalDuration)
	r.queued(r.p.job(catalogue.JobsTotal), live.TotalDuration)
}

// both adds up two distributions.
func both(a, b stats.Durations) stats.Durations {
	return stats.Snapshot{FinishedDuration: a}.Merge(stats.Snapshot{FinishedDuration: b}).FinishedDuration
}

func (r *round) responses(codes map[int]int64) {
	byCode, byClass := map[string]int64{}, map[string]int64{}
	for code, n := range codes {
		if code < 1 || code > 999 {
			code = 0
		}
		byCode[strconv.Itoa(code)] += n
		byClass[strconv.Itoa(code/100)+"xx"] += n
	}
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		r.counter(r.p.listed(catalogue.ResponsesByCode, code), byCode[code])
	}
	closed(r, catalogue.ResponsesByClass, "class", byClass)
}

func (r *round) lifetime(live, all *stats.Snapshot) {
	state := func(name string, n int64) { r.gauge(r.p.listed(catalogue.LifetimeRequests, name), float64(n)) }
	state("started", all.Started)
	state("finished", all.Finished)
	state("failed", all.Failed)
	state("discarded", all.Discarded)
	state("interrupted", all.Interrupted)
	r.gauge(r.p.listed(catalogue.Runtime), float64(all.Runtime.Milliseconds()))
	r.counter(r.p.listed(catalogue.Resumed), one(len(all.Segments) > len(live.Segments)))
	if at := all.History.LastSuccess(); !at.IsZero() {
		r.gauge(r.p.listed(catalogue.LastSuccess), float64(at.Unix()))
	}
}

// one counts something that happens once or not at all.
func one(happened bool) int64 {
	if happened {
		return 1
	}
	return 0
}

// healthy is a Source that saves itself, as *stats.Statistics does.
type healthy interface{ Health() stats.Health }

func (r *round) self(live *stats.Snapshot) {
	if s, ok := r.p.src.(healthy); ok {
		if h := s.Health(); h.Persisting {
			r.counter(r.p.listed(catalogue.Persists, "ok"), h.Saves)
			r.counter(r.p.listed(catalogue.Persists, "error"), h.Failures)
			r.counter(r.p.listed(catalogue.Self, "superseded"), one(h.Superseded))
		}
	}
	count := func(what string, n int64) { r.counter(r.p.listed(catalogue.Self, what), n) }
	count("unmatched", live.Unmatched)
	count("late", live.Late)
	count("overflow", live.Overflow)
	count("keys_dropped", live.Dropped)
	h := r.p.health.get()
	count("statsd_lines", h.Lines)
	count("statsd_packets", h.Packets)
	count("statsd_bytes", h.Bytes)
	count("statsd_errors", h.Errors)
	count("statsd_dropped", h.Dropped)
}
