package catalogue

// The closed sets of what varies.
var (
	errorKinds = []string{
		"dns", "connect", "tls", "timeout", "reset", "canceled", "protocol", "decode", "parse", "handler", "http", "other",
	}
	discardReasons = []string{
		"duplicate", "robots", "out_of_scope", "depth", "limit", "filtered", "aborted", "malformed", "queue_full", "too_large", "other",
	}
	outcomes      = []string{"ok", "error"}
	statusClasses = []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}
	states        = []string{"started", "finished", "failed", "discarded", "interrupted"}
	results       = []string{"ok", "error"}
	phases        = []string{"dns", "connect", "tls", "ttfb", "body", "queue", "politeness"}

	selfCounts = []string{
		"unmatched", "late", "overflow", "keys_dropped", "names_refused",
		"superseded", // 1 when another owner has taken the record over
		"statsd_lines", "statsd_packets", "statsd_bytes", "statsd_errors", "statsd_dropped",
	}

	// httpEvents of servers, whose 15 names and meanings are those of bjoern, and
	// of clients.
	httpEvents = []string{
		"conn.accept.error", "conn.accept.success",
		"req.error.client_disconnected", "req.error.read", "req.error.parse", "req.success.read", "req.error.internal",
		"req.active", "req.done", "req.aborted",
		"resp.active", "resp.done", "resp.done.keepalive", "resp.conn.close", "resp.aborted",

		"conn.dial.error", "conn.dial.success", "conn.reused",
		"req.error.server_disconnected", "req.error.write", "req.success.write",
		"resp.error.parse",
	}

	timings = []TimingPart{
		{"count", Counter, "number of durations, exact"},
		{"sum_ms", Counter, "their sum in whole milliseconds, exact over the life of the process"},
		{"p50", Gauge, "median in milliseconds, of this process"},
		{"p95", Gauge, "95 % were shorter, in milliseconds"},
		{"p99", Gauge, "99 % were shorter, in milliseconds"},
		{"max", Gauge, "longest, in milliseconds"},
	}
)

// Upper bounds of the classic histograms.
var (
	durationBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}
	handlerBuckets  = []float64{.1, .25, .5, .75, 1, 2.5}
	retryBuckets    = []float64{0, 1, 2, 3, 5, 8, 13}
)
