package promcollect

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/internal/reading"
	"github.com/crawlstats/crawlstats/logging"
)

// MaxHosts is the most that Config.Hosts can be.
const MaxHosts = reading.MaxHosts

// Config says what is shown. Its zero value shows everything but hosts.
type Config struct {
	// Crawler and Member are the constant labels of the crawler's own metrics;
	// default the ID and the Member of the Statistics. Empty ones are left out.
	// A Fleet has neither.
	Crawler, Member string

	// Hosts is how many of the busiest hosts get series of their own in
	// crawler_host_requests_total, at most MaxHosts; the others are host="other".
	// Default 0: no series by host. Once its place is given a host keeps it until
	// a Reset, and no host takes the place of another.
	Hosts int

	// Self returns further counts for crawler_self_total by their label what, such
	// as the Health of a statsdpush.Pusher: statsd_lines, statsd_packets,
	// statsd_bytes, statsd_errors, statsd_dropped. Others are not shown. Default
	// nil: none.
	Self func() map[string]int64

	// CreatedGauges makes Handler add <name>_created gauges to pages in the
	// classic text format, which has no other way to tell when a counter began.
	// OpenMetrics pages always tell, in their own way, and get none.
	CreatedGauges bool

	// Registry is what Instrument registers with and Handler shows beside its own
	// metrics. It must not hold the collectors of Handler: those of Go and the
	// process, and a New of the same Source. Default nil: Handler shows its own
	// metrics alone.
	Registry *prometheus.Registry

	// Logger gets what Handler could not show; default logging.Default().
	Logger *slog.Logger
}

func (c Config) reading() reading.Config {
	return reading.Config{Crawler: c.Crawler, Member: c.Member, Hosts: c.Hosts, Self: c.Self}
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return logging.Default()
	}
	return c.Logger
}
