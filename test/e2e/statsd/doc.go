// Package statsd sends to the real servers: etsy statsd 0.9.0 and Prometheus'
// statsd_exporter 0.31.0.
//
//	../install.sh
//
// installs them. Where one is missing its tests are skipped, but with CI=true
// they fail.
package statsd
