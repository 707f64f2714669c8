// Command crawlstats looks into what crawls have saved: it lists, shows, exports,
// compares, checks, merges, moves, resets and serves them.
//
//	crawlstats show ./crawl-state
//	crawlstats check ./crawl-state --max-fail-rate 5% --max-p95 2s
//	crawlstats import ./crawl-state redis://redis:6379/0 --id shop
//
// `crawlstats help` tells what there is, and docs/COMMAND.md shows it.
//
// # Concurrency
//
// One command runs at a time. Reading never takes a record over from the crawler
// that owns it.
package main
