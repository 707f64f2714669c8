// Package prometheus shows the pages of promcollect to the real tools: the
// Prometheus server and promtool of Debian, and the strict OpenMetrics parser of
// the Python client.
//
//	apt-get install -y --no-install-recommends prometheus python3-prometheus-client
//
// Where a tool is missing its tests are skipped, but with CI=true they fail.
package prometheus
