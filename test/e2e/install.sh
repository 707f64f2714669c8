#!/usr/bin/env bash
# Installs the statsd servers that the tests in statsd/ run against: etsy statsd
# (npm, Node below 23) and statsd_exporter (go install). They go into
# $CRAWLSTATS_E2E, by default ~/.cache/crawlstats-e2e.
set -euo pipefail
dir=${CRAWLSTATS_E2E:-$HOME/.cache/crawlstats-e2e}
mkdir -p "$dir"
if [ ! -f "$dir/node_modules/statsd/stats.js" ]; then
	npm install --prefix "$dir" --no-fund --no-audit --omit=optional statsd@0.9.0
fi
if [ ! -x "$dir/bin/statsd_exporter" ]; then
	GOBIN=$dir/bin go install github.com/prometheus/statsd_exporter@v0.31.0
fi
# Finds what keeps people out of a page, for the tests in browser/.
if [ ! -f "$dir/node_modules/axe-core/axe.min.js" ]; then
	npm install --prefix "$dir" --no-fund --no-audit --omit=optional axe-core@4.14.1
fi
