package grafana

import "github.com/crawlstats/crawlstats/export/catalogue"

func (l *layout) whereTimeGoes() {
	l.row("Where the time goes")
	l.lines(shows{
		"p95 of queue and total time", "Time in the queue, and that and the working time together, of requests whose QueuedAt is known.", "s",
		[]target{query(quantile(.95, crawl(catalogue.QueueWait)), "queue"), query(quantile(.95, crawl(catalogue.Total)), "total")},
	}, 8, look{logarithmic: true})
	l.lines(shows{
		"p95 by outcome", "Working time of requests that finish (ok) and that fail (error).", "s",
		[]target{query(quantile(.95, crawl(catalogue.Working), "outcome"), "{{outcome}}")},
	}, 8, look{logarithmic: true})
	l.lines(shows{
		"p95 by phase", "Time that attempts spent in each phase, as the adapters measure it.", "s",
		[]target{query(quantile(.95, crawl(catalogue.Phases), "phase"), "{{phase}}")},
	}, 8, look{logarithmic: true})
}

func (l *layout) network() {
	l.row("Network")
	l.lines(shows{
		"Bytes", "Bodies of responses: as they came over the wire, and as the crawler read them.", "Bps",
		[]target{query(sum(rate(crawl(catalogue.BytesWire))), "wire"), query(sum(rate(crawl(catalogue.BytesContent))), "content")},
	}, 8, look{})
	l.lines(shows{
		"Connections, requests, responses", "Events of the crawler's own client and server.", "ops",
		[]target{query(by("event", rate(crawl(catalogue.HTTPEvents)))+" > 0", "{{event}}")},
	}, 8, look{})
	l.lines(shows{
		"Transport errors and redirects", "Attempts that failed as the transport saw them, by kind of error; and redirects that the client followed.", "ops",
		[]target{
			query(by("kind", rate(crawl(catalogue.WireErrors)))+" > 0", "{{kind}}"),
			query(sum(rate(crawl(catalogue.Redirects))), "redirects"),
		},
	}, 8, look{})
}

func (l *layout) state() {
	l.row("State and statistics")
	l.lines(shows{
		"Age of the saved state", "Time since the record was last saved, and since a request last finished.", "s",
		[]target{
			query("time() - "+crawl(catalogue.LastPersist).String(), "saved {{crawler}} {{member}}"),
			query("time() - "+crawl(catalogue.LastSuccess).String(), "finished {{crawler}} {{member}}"),
		},
	}, 8, look{})
	l.lines(shows{
		"Saves", "Saves of the record by result.", "ops",
		[]target{query(by("result", rate(crawl(catalogue.Persists))), "{{result}}")},
	}, 8, look{colors: map[string]string{"ok": "green", "error": "red"}})
	l.lines(shows{
		"Time of a save", "What the newest save took, encoding included.", "s",
		[]target{query(crawl(catalogue.PersistDuration).String(), "{{crawler}} {{member}}")},
	}, 8, look{})
	l.bars(shows{
		"What the statistics lost, refused or sent", "Counts of the statistics about themselves, since each process began.", "short",
		[]target{now(by("what", crawl(catalogue.Self).String()), "{{what}}")},
	}, 8)
	l.lines(shows{
		"Runtime", "Time that the crawl has run, all runs together.", "s",
		[]target{query(crawl(catalogue.Runtime).String(), "{{crawler}} {{member}}")},
	}, 8, look{})
	l.lines(shows{
		"Runs", "Runs of the crawl that are on record, at most 32. It grows when a crawl is resumed.", "short",
		[]target{query(crawl(catalogue.Segments).String(), "{{crawler}} {{member}}")},
	}, 8, look{})
}

func (l *layout) program() {
	l.row("Program")
	l.lines(shows{
		"Memory", "Resident and virtual memory of the process.", "bytes",
		[]target{
			query(process(catalogue.ProcessResident).String(), "resident {{instance}}"),
			query(process(catalogue.ProcessVirtual).String(), "virtual {{instance}}"),
		},
	}, 8, look{})
	l.lines(shows{
		"CPU", "Processors that the process keeps busy.", "short",
		[]target{query(rate(process(catalogue.ProcessCPU)), "{{instance}}")},
	}, 8, look{})
	l.lines(shows{
		"File descriptors", "Open file descriptors, and how many there may be. Connections are among them.", "short",
		[]target{
			query(process(catalogue.ProcessOpenFDs).String(), "open {{instance}}"),
			query(process(catalogue.ProcessMaxFDs).String(), "most {{instance}}"),
		},
	}, 8, look{logarithmic: true})
	collected := "rate(" + cycles("total") + `{job=~"$job"}[$__rate_interval])`
	l.lines(shows{
		"Garbage collection", "Cycles of the garbage collector.", "ops",
		[]target{query(collected, "cycles {{instance}}")},
	}, 8, look{})
	l.lines(shows{
		"Objects freed", "Objects that the garbage collector frees.", "ops",
		[]target{query(rate(process(catalogue.GoGCObjects)), "freed {{instance}}")},
	}, 8, look{})
	l.lines(shows{
		"Handlers", "Requests to the crawler's own instrumented handlers, the page that Prometheus scrapes among them.", "reqps",
		[]target{
			query(by("method, status", rate(process(catalogue.HandlerRequests))), "{{method}} {{status}}"),
			query(sum(rate(process(catalogue.HandlerExceptions))), "panics"),
		},
	}, 8, look{})
	l.lines(shows{
		"p95 of handlers", "Time that the instrumented handlers took, by route.", "s",
		[]target{query(quantile(.95, process(catalogue.HandlerDuration), "path"), "{{path}}")},
	}, 8, look{})
	l.table(shows{
		"Crawls", "The crawls that are chosen, and the version of this library in each.", "none",
		rows(by("crawler, member, instance, version", crawl(catalogue.Info).String())),
	}, 8)
	l.table(shows{
		"Programs", "What the programs are built from, and the Go they run on.", "none",
		rows(by("instance, version, revision, goversion", process(catalogue.BuildInfo).String())),
	}, 8)
}

// cycles is the family of the cycles of the garbage collector that have a cause.
func cycles(cause string) string { return filled(catalogue.GoGCCycles, "cause", cause) }
