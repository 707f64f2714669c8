package grafana

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/view"
)

// The paths of etsy statsd with legacyNamespace: false.
const (
	counters = "stats.counters.$prefix.$crawl."
	gauges   = "stats.gauges.$prefix.$crawl."
)

// series is a path of Graphite, or a function of paths.
type series string

// perSecond is a counter by second.
func perSecond(id catalogue.ID, values ...string) series {
	return series(counters + listed(id, catalogue.Counter, values...) + ".rate")
}

// perFlush is a counter by interval of the server.
func perFlush(id catalogue.ID, values ...string) series {
	return series(counters + listed(id, catalogue.Counter, values...) + ".count")
}

func gauge(id catalogue.ID, values ...string) series {
	return series(gauges + listed(id, catalogue.Gauge, values...))
}

// timing is a gauge of a timing: p50, p95, p99 or max, in milliseconds.
func timing(id catalogue.ID, suffix string, values ...string) series {
	if !slices.ContainsFunc(catalogue.Timings(), func(t catalogue.TimingPart) bool {
		return t.Suffix == suffix && t.Type == catalogue.Gauge
	}) {
		panic("grafana: a timing has no gauge " + suffix)
	}
	return series(gauges + listed(id, catalogue.Timing, values...) + "." + suffix)
}

// listed is the name of a row behind the prefix. Values are of its closed set, or
// globs.
func listed(id catalogue.ID, want catalogue.Type, values ...string) string {
	m := id.Metric()
	if m.Statsd.Type != want {
		panic(fmt.Sprintf("grafana: %q is a %s of statsd, not a %s", m.Statsd.Name, m.Statsd.Type, want))
	}
	name := id.StatsdName(values...)
	for i, v := range values {
		if i >= len(m.Parts) || !strings.ContainsAny(v, "*{") && m.Parts[i].Values != nil && !slices.Contains(m.Parts[i].Values, v) {
			panic(fmt.Sprintf("grafana: %s is never %s", m.Statsd.Name, name))
		}
	}
	return name
}

func (s series) in(function string, more ...string) series {
	return series(function + "(" + strings.Join(append([]string{string(s)}, more...), ",") + ")")
}

// sum is over the crawls that are chosen.
func (s series) sum() series { return s.in("sumSeries") }

// worst is the highest of the crawls that are chosen: percentiles do not add up.
func (s series) worst() series { return s.in("maxSeries") }

// called is what the legend says.
func (s series) called(name string) target {
	return target{Target: string(s.in("alias", "'"+name+"'"))}
}

// byNode is one line for each name that a node of the path has.
func (s series) byNode(callback string, node int) target {
	return target{Target: string(s.in("groupByNode", fmt.Sprint(node), "'"+callback+"'"))}
}

// percentOf is the part that s is of all others.
func (s series) percentOf(all ...series) series {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	return s.sum().in("asPercent", "sumSeries("+strings.Join(names, ",")+")")
}

func graphiteDashboard() dashboard {
	d := newDashboard("crawlstats-graphite", "Crawl (Graphite)",
		"A crawler, as crawlstats pushes it to etsy statsd (legacyNamespace: false) and on to Graphite. Written from the catalogue of names.")
	from := source("graphite")
	d.Templating.List = []variable{
		chosenSource("graphite"),
		{
			Name: "prefix", Label: "Prefix", Description: "statsdpush.Config.Prefix, with its dots", Type: "textbox", Query: "crawler",
			Current: choice{Text: "crawler", Value: "crawler"}, Options: []choice{{Selected: true, Text: "crawler", Value: "crawler"}},
		},
		{
			Name: "crawl", Label: "Crawl", Description: "The segment behind the prefix: the ID of the Statistics", Type: "query",
			Datasource: &from, Query: "stats.gauges.$prefix.*", Definition: "stats.gauges.$prefix.*",
			Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: "*",
			Current: choice{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}}, Options: []choice{},
		},
	}
	d.Annotations.List = []annotation{{
		Name: "resumed", Datasource: from, Enable: true, IconColor: "blue",
		Target: map[string]any{"refId": "Anno", "target": string(perFlush(catalogue.Resumed).in("removeBelowValue", "1"))},
	}}
	l := &layout{kind: "graphite"}
	l.graphiteAtAGlance()
	l.graphiteOverTime()
	l.graphiteFailures()
	l.graphiteMachinery()
	d.Panels = l.panels
	return d
}

func (l *layout) graphiteAtAGlance() {
	l.row("At a glance")
	one := func(title, description, unit string, s series, steps ...step) {
		l.number(shows{title, description, unit, []target{s.called(strings.ToLower(title))}}, steps...)
	}
	one("Finished, all runs", "Requests that finished since the first run. It survives restarts.", "short",
		gauge(catalogue.LifetimeRequests, "finished").sum())
	one("Failure ratio", "Part of the finished and failed requests that failed.", "percent",
		perSecond(catalogue.Failed).percentOf(perSecond(catalogue.Failed), perSecond(catalogue.Finished)), from(5, "orange"), from(10, "red"))
	one("Finished per second", "Requests that finish, now.", "reqps", perSecond(catalogue.Finished).sum())
	one("Latency p95", "95 % of the requests that this process has finished took less. Of several crawls, the slowest.", "ms",
		timing(catalogue.Working, "p95", "ok").worst())
	one("In flight", "Requests that have started and not ended.", "short", gauge(catalogue.InFlight).sum())
	one("Last success", "When a request last finished.", "dateTimeFromNow", gauge(catalogue.LastSuccess).worst().in("scale", "1000"))
}

func (l *layout) graphiteOverTime() {
	l.row("Over time")
	l.lines(shows{
		"Throughput", "Requests that start, finish, fail or needed a retry, and attempts.", "reqps",
		[]target{
			perSecond(catalogue.Finished).sum().called("finished"), perSecond(catalogue.Failed).sum().called("failed"),
			perSecond(catalogue.Retried).sum().called("retried"), perSecond(catalogue.Started).sum().called("started"),
			perSecond(catalogue.Attempts).sum().called("attempts"),
		},
	}, 14, look{colors: map[string]string{"finished": "green", "failed": "red", "retried": "orange"}})
	l.lines(shows{
		"Latency", "Working time of the requests that this process has finished, since it began. Of several crawls, the slowest.", "ms",
		[]target{
			timing(catalogue.Working, "p50", "ok").worst().called("p50"), timing(catalogue.Working, "p95", "ok").worst().called("p95"),
			timing(catalogue.Working, "p99", "ok").worst().called("p99"), timing(catalogue.Working, "max", "ok").worst().called("max"),
		},
	}, 10, look{logarithmic: true, colors: map[string]string{"p50": "super-light-blue", "p95": "blue", "p99": "dark-blue"}})
	l.lines(shows{
		"Responses by class", "Responses by class of their status code. Requests without a response are not among them.", "reqps",
		[]target{perSecond(catalogue.ResponsesByClass, "*").byNode("sumSeries", -2)},
	}, 14, look{stacked: true, colors: map[string]string{"2xx": "green", "3xx": "blue", "4xx": "orange", "5xx": "red", "other": "text"}})
	l.bars(shows{
		"Requests of all runs", "Requests by state since the first run. Interrupted ones were in flight when a process died.", "short",
		[]target{gauge(catalogue.LifetimeRequests, "*").byNode("sumSeries", -1)},
	}, 10)
	l.lines(shows{
		"In flight and queued", "Requests that have started and not ended; and the length of the queue, where the crawler reports it in the gauge " + view.PendingGauge + ".", "short",
		[]target{
			gauge(catalogue.InFlight).sum().called("in flight"),
			gauge(catalogue.CustomGauge, view.PendingGauge).sum().called("queued"),
		},
	}, 24, look{})
}

func (l *layout) graphiteFailures() {
	l.row("What fails")
	l.lines(shows{
		"Errors by kind", "Errors of attempts and of requests.", "reqps",
		[]target{perSecond(catalogue.Errors, "*").byNode("sumSeries", -2)},
	}, 12, look{stacked: true})
	l.lines(shows{
		"Blocked", "Part of the responses that are 403 or 429, and of the started requests that robots.txt forbids.", "percent",
		[]target{
			perSecond(catalogue.ResponsesByCode, "{403,429}").percentOf(perSecond(catalogue.ResponsesByCode, "*")).called("403 and 429"),
			perSecond(catalogue.Discarded, "robots").percentOf(perSecond(catalogue.Started)).called("robots.txt"),
		},
	}, 12, look{})
	l.lines(shows{
		"Discarded by reason", "Requests that were given up on purpose.", "reqps",
		[]target{perSecond(catalogue.Discarded, "*").byNode("sumSeries", -2)},
	}, 12, look{stacked: true})
	l.lines(shows{
		"Status codes", "The ten most frequent status codes.", "reqps",
		[]target{{Target: "highestAverage(" + perSecond(catalogue.ResponsesByCode, "*").byNode("sumSeries", -2).Target + ",10)"}},
	}, 12, look{})
}

func (l *layout) graphiteMachinery() {
	l.row("Where the time goes, network, state")
	l.lines(shows{
		"p95 of failed, queue and total time", "Working time of failed requests; time in the queue, and that and the working time together, where QueuedAt is known.", "ms",
		[]target{
			timing(catalogue.Working, "p95", "error").worst().called("failed"),
			timing(catalogue.QueueWait, "p95").worst().called("queue"), timing(catalogue.Total, "p95").worst().called("total"),
		},
	}, 8, look{logarithmic: true})
	l.lines(shows{
		"p95 by phase", "Time that attempts spent in each phase, as the adapters measure it.", "ms",
		[]target{timing(catalogue.Phases, "p95", "*").byNode("maxSeries", -2)},
	}, 8, look{logarithmic: true})
	l.lines(shows{
		"Bytes", "Bodies of responses: as they came over the wire, and as the crawler read them.", "Bps",
		[]target{perSecond(catalogue.BytesWire).sum().called("wire"), perSecond(catalogue.BytesContent).sum().called("content")},
	}, 8, look{})
	l.lines(shows{
		"Connections, requests, responses", "Events of the crawler's own client and server.", "ops", events(),
	}, 8, look{})
	l.lines(shows{
		"Transport errors and redirects", "Attempts that failed as the transport saw them, by kind of error; and redirects that the client followed.", "ops",
		[]target{perSecond(catalogue.WireErrors, "*").byNode("sumSeries", -2), perSecond(catalogue.Redirects).sum().called("redirects")},
	}, 8, look{})
	l.lines(shows{
		"Saves", "Saves of the record by result, in each interval of the server.", "short",
		[]target{perFlush(catalogue.Persists, "*").byNode("sumSeries", -2)},
	}, 8, look{colors: map[string]string{"ok": "green", "error": "red"}})
	l.lines(shows{
		"Runtime", "Time that the crawl has run, all runs together. Of several crawls, the longest.", "ms",
		[]target{gauge(catalogue.Runtime).worst().called("runtime")},
	}, 12, look{})
	l.lines(shows{
		"What the statistics lost, refused or sent", "Counts of the statistics about themselves, in each interval of the server.", "short",
		[]target{perFlush(catalogue.Self, "*").byNode("sumSeries", -2)},
	}, 12, look{})
}

// events are the events of connections, whose names have two or three segments.
func events() (targets []target) {
	first := map[int]map[string]bool{}
	for _, event := range catalogue.HTTPEvents.Values("event") {
		depth := strings.Count(event, ".")
		head, _, _ := strings.Cut(event, ".")
		if first[depth] == nil {
			first[depth] = map[string]bool{}
		}
		first[depth][head] = true
	}
	for _, depth := range slices.Sorted(maps.Keys(first)) {
		glob := "{" + strings.Join(sortedKeys(first[depth]), ",") + "}" + strings.Repeat(".*", depth)
		nodes := []string{"'sumSeries'"}
		for n := -depth - 2; n < -1; n++ {
			nodes = append(nodes, fmt.Sprint(n))
		}
		targets = append(targets, target{Target: string(perSecond(catalogue.HTTPEvents, glob).in("groupByNodes", nodes...))})
	}
	slices.SortFunc(targets, func(a, b target) int { return cmp.Compare(a.Target, b.Target) })
	return targets
}
