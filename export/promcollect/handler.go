package promcollect

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/crawlstats/crawlstats/stats"
)

// Handler returns the page that Prometheus scrapes: all of New, the process, the
// Go runtime with its garbage collector, crawler_build_info, what Config.Registry
// holds, and how often and how fast the page itself was served. It speaks the
// classic text format, OpenMetrics and protobuf, as the scraper asks. What cannot
// be gathered is left out of the page, logged, and counted in
// promhttp_metric_handler_errors_total.
func Handler(src stats.Source, cfg Config) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(
		New(src, cfg),
		buildInfo(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		// Of the memory statistics of old, go_memstats_alloc_bytes is a gauge and
		// go_memstats_alloc_bytes_total a counter: one name to OpenMetrics, whose
		// strict parsers then refuse the page. runtime/metrics has it all.
		collectors.NewGoCollector(
			collectors.WithGoCollectorMemStatsMetricsDisabled(),
			collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsMemory),
		),
	)
	all := prometheus.Gatherer(own)
	if cfg.Registry != nil {
		all = prometheus.Gatherers{own, cfg.Registry}
	} else {
		cfg.Registry = own
	}
	opts := promhttp.HandlerOpts{
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: true,
		ErrorHandling:                       promhttp.ContinueOnError,
		ErrorLog:                            gatherLog{cfg.logger()},
		Registry:                            own,
	}
	page := promhttp.HandlerFor(all, opts)
	if cfg.CreatedGauges {
		page = byFormat(promhttp.HandlerFor(createdGauges{all}, opts), page)
	}
	return Instrument(page, cfg)
}

// byFormat serves classic to those who will get the classic text format.
func byFormat(classic, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
		if format.FormatType() == expfmt.TypeTextPlain {
			classic.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// gatherLog is where promhttp tells of errors.
type gatherLog struct{ log *slog.Logger }

func (l gatherLog) Println(v ...any) {
	l.log.Warn("a scrape left metrics out", "error", strings.TrimSpace(fmt.Sprintln(v...)))
}
