// Package grafana checks docs/grafana against what it is for: every expression is
// read by Prometheus's own parser and selects something that a run exports,
// promtool fires each alert rule, every target of Graphite finds a name that a
// run sent through etsy statsd, and the real statsd_exporter maps what statsdpush
// sends. Grafana itself is not asked.
//
//	apt-get install -y --no-install-recommends prometheus
//	../install.sh
//
// Where a tool is missing its tests are skipped, but with CI=true they fail.
package grafana
