package grafana

import (
	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/view"
)

// prometheusDashboard shows everything that promcollect exports, in the order in
// which an operator asks.
func prometheusDashboard() dashboard {
	d := newDashboard("crawlstats-prometheus", "Crawl", "A crawler, as crawlstats exports it to Prometheus. Written from the catalogue of names.")
	from := source("prometheus")
	d.Templating.List = []variable{
		chosenSource("prometheus"),
		labelValues("job", "Job", "job", family(catalogue.Started)),
		labelValues("crawl", "Crawl", "crawler", family(catalogue.Started).with(`job=~"$job"`)),
		labelValues("member", "Member", "member", family(catalogue.Started).with(`job=~"$job"`, `crawler=~"$crawl"`)),
		labelValues("host", "Host", "host", crawl(catalogue.Hosts)),
	}
	d.Annotations.List = []annotation{{
		Name: "resumed", Datasource: from, Enable: true, IconColor: "blue", ValueAsTime: true, Step: "10s",
		Expr:        process(catalogue.ProcessStart).String() + " * 1000 and on (job, instance) " + crawl(catalogue.Segments).String() + " > 1",
		TitleFormat: "resumed", TextFormat: "{{job}} {{instance}} went on with an earlier record",
	}}
	l := &layout{kind: "prometheus"}
	l.atAGlance()
	l.overTime()
	l.whatFails()
	l.hosts()
	l.whereTimeGoes()
	l.network()
	l.state()
	l.program()
	d.Panels = l.panels
	return d
}

// labelValues is a variable of the values of a label.
func labelValues(name, label, key string, s selector) variable {
	from := source("prometheus")
	query := "label_values(" + s.String() + ", " + key + ")"
	return variable{
		Name: name, Label: label, Type: "query", Datasource: &from, Definition: query,
		Query:   map[string]any{"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*", // what has no such label too
		Current: choice{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}}, Options: []choice{},
	}
}

// Sums over all series of the chosen crawls, by second.
var (
	finished  = sum(rate(crawl(catalogue.Finished)))
	failed    = sum(rate(crawl(catalogue.Failed)))
	responses = sum(rate(crawl(catalogue.ResponsesByCode)))
	blocked   = sum(rate(crawl(catalogue.ResponsesByCode).where("code", "403", "429")))
)

// pending is the queue, where the crawler reports it.
func pending() selector {
	return selector{id: catalogue.CustomGauge, name: catalogue.PromName(view.PendingGauge)}.
		with(`job=~"$job"`, `crawler=~"$crawl"`, `member=~"$member"`)
}

func (l *layout) atAGlance() {
	l.row("At a glance")
	l.number(shows{
		"Finished, all runs", "Requests that finished since the first run. It survives restarts.", "short",
		[]target{query(sum(crawl(catalogue.LifetimeRequests).where("state", "finished").String()), "finished")},
	})
	l.number(shows{
		"Failure ratio", "Part of the finished and failed requests that failed.", "percentunit",
		[]target{query(share(failed, "("+failed+" + "+finished+")"), "failed")},
	}, from(.05, "orange"), from(.1, "red"))
	l.number(shows{"Finished per second", "Requests that finish, now.", "reqps", []target{query(finished, "finished")}})
	l.number(shows{
		"Latency p95", "95 % of the requests that finish took less, by the buckets of the histogram.", "s",
		[]target{query(quantile(.95, crawl(catalogue.Working).where("outcome", "ok")), "p95")},
	})
	l.number(shows{
		"In flight", "Requests that have started and not ended.", "short",
		[]target{query(sum(crawl(catalogue.InFlight).String()), "in flight")},
	})
	l.number(shows{
		"State saved", "Time since the record was last saved, of the member that has waited longest. This is what a crash would lose.", "s",
		[]target{query("time() - min("+crawl(catalogue.LastPersist).String()+")", "age")},
	}, from(60, "orange"), from(300, "red"))
}

func (l *layout) overTime() {
	l.row("Over time")
	l.lines(shows{
		"Throughput", "Requests that start, finish, fail, are discarded or needed a retry, and attempts.", "reqps",
		[]target{
			query(finished, "finished"), query(failed, "failed"),
			query(sum(rate(crawl(catalogue.Retried))), "retried"),
			query(sum(rate(crawl(catalogue.Discarded))), "discarded"),
			query(sum(rate(crawl(catalogue.Started))), "started"),
			query(sum(rate(crawl(catalogue.Attempts))), "attempts"),
		},
	}, 14, look{colors: map[string]string{"finished": "green", "failed": "red", "retried": "orange"}})
	working := crawl(catalogue.Working).where("outcome", "ok")
	l.lines(shows{
		"Latency", "Working time of the requests that finish, by the buckets of the histogram.", "s",
		[]target{query(quantile(.5, working), "p50"), query(quantile(.95, working), "p95"), query(quantile(.99, working), "p99")},
	}, 10, look{logarithmic: true, colors: map[string]string{"p50": "super-light-blue", "p95": "blue", "p99": "dark-blue"}})
	l.lines(shows{
		"Responses by class", "Responses by class of their status code. Requests without a response are not among them.", "reqps",
		[]target{query(by("class", classes(rate(crawl(catalogue.ResponsesByCode)))), "{{class}}")},
	}, 14, look{stacked: true, colors: map[string]string{"2xx": "green", "3xx": "blue", "4xx": "orange", "5xx": "red", "other": "text"}})
	l.bars(shows{
		"Retries needed", "Requests by the number of retries that they needed, in the time that is looked at.", "short",
		[]target{{
			Expr: by("le", increase(crawl(catalogue.RetryHistogram).buckets())), LegendFormat: "{{le}} or less",
			Instant: true, Format: "heatmap",
		}},
	}, 10)
	l.lines(shows{
		"In flight and queued", "Requests that have started and not ended; and the length of the queue, where the crawler reports it in the gauge " + view.PendingGauge + ".", "short",
		[]target{query(by("member", crawl(catalogue.InFlight).String()), "in flight {{member}}"), query(sum(pending().String()), "queued")},
	}, 14, look{})
	l.bars(shows{
		"Requests of all runs", "Requests by state since the first run. Interrupted ones were in flight when a process died.", "short",
		[]target{now(by("state", crawl(catalogue.LifetimeRequests).String()), "{{state}}")},
	}, 10)
}

// classes adds the label class to responses, as the catalogue has it in statsd.
func classes(expr string) string {
	return `label_replace(label_replace(` + expr + `, "class", "${1}xx", "code", "([1-5]).."), "class", "other", "class", "")`
}

func (l *layout) whatFails() {
	l.row("What fails")
	l.lines(shows{
		"Errors by kind", "Errors of attempts and of requests.", "reqps",
		[]target{query(by("kind", rate(crawl(catalogue.Errors)))+" > 0", "{{kind}}")},
	}, 12, look{stacked: true})
	l.lines(shows{
		"Requests given up, by kind of error", "Requests that failed for good.", "reqps",
		[]target{query(by("kind", rate(crawl(catalogue.Failed)))+" > 0", "{{kind}}")},
	}, 12, look{stacked: true})
	l.lines(shows{
		"Blocked", "Part of the responses that are 403 or 429, and of the started requests that robots.txt forbids.", "percentunit",
		[]target{
			query(share(blocked, responses), "403 and 429"),
			query(share(sum(rate(crawl(catalogue.Discarded).where("reason", "robots"))), sum(rate(crawl(catalogue.Started)))), "robots.txt"),
		},
	}, 8, look{})
	l.lines(shows{
		"Discarded by reason", "Requests that were given up on purpose.", "reqps",
		[]target{query(by("reason", rate(crawl(catalogue.Discarded)))+" > 0", "{{reason}}")},
	}, 8, look{stacked: true})
	l.bars(shows{
		"Status codes", "The ten most frequent status codes, in the time that is looked at.", "short",
		[]target{now("sort_desc("+top(10, by("code", increase(crawl(catalogue.ResponsesByCode))))+")", "{{code}}")},
	}, 8)
}

func (l *layout) hosts() {
	l.row("Hosts (only with Config.Hosts)")
	requests := crawl(catalogue.Hosts).with(`host=~"$host"`)
	l.bars(shows{
		"Busiest hosts", "Finished and failed requests by host, in the time that is looked at. All hosts without a place are other.", "short",
		[]target{now("sort_desc("+top(10, by("host", increase(requests)))+")", "{{host}}")},
	}, 12)
	l.bars(shows{
		"Most failing hosts", "Part of the requests of a host that failed, in the time that is looked at.", "percentunit",
		[]target{now("sort_desc("+top(10, by("host", increase(requests.where("outcome", "error")))+" / "+
			"("+by("host", increase(requests))+" > 0)")+")", "{{host}}")},
	}, 12)
}
