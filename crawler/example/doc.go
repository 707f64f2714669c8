// Example is a crawler that shows what statistics are for. It needs no network:
//
//	go run ./crawler/example
//
// crawls a site of more than 600 pages that it serves itself, with slow pages,
// dead ones, failing ones, hanging ones and a hostile one. Stop it with Ctrl-C,
// or kill it, and run it again: it goes on where it was, and its numbers add up.
//
//	go run ./crawler/example -url https://example.org/ -delay 2s
//
// crawls the pages of one real host, one request at a time each two seconds,
// or less often when robots.txt says so. See -help for more.
//
//	go run ./crawler/example -listen 127.0.0.1:8077 -report report.html
//
// serves the live page while it crawls, and leaves a report.
//
// # How it is made
//
//	main.go      opens store, statistics and events, and closes them in reverse
//	server.go    the live page, and /metrics
//	report.go    the report
//	crawler.go   the workers: each request begins and ends in visit
//	frontier.go  what to crawl, and what was
//	journal.go   where that is kept when it gets large
//	page.go      HTTP and HTML
//	site/        the site
//
// # What a crash costs
//
// A URL leaves the frontier after its outcome is in the statistics, never before.
// So whatever happens, no URL is lost, and some may be crawled twice.
//
// The frontier of the example site is an extension of the statistics: both are in
// one record, which is saved each second. A kill -9 costs at most the pages of
// the last second, and those in flight count as interrupted. A real
// site may have more URLs than an extension has room for, so with -url the
// frontier has keys of its own in the same store, written after the statistics.
// A kill then costs the same second; one that falls between the two
// writes repeats pages whose outcome is already counted.
//
// # Exit status
//
// 0 when the crawl is complete or has reached -max-requests, 1 when it failed,
// 2 when the flags make no sense, and 128 and the number of the signal that
// stopped it: 130 for Ctrl-C, 143 for SIGTERM. A second signal gives up what is
// in flight and ends it with 130 at once.
//
// # Concurrency
//
// Workers share the frontier and the statistics, which guard themselves. A
// worker owns its task from next to settle or release, and with it the Job. The
// first signal ends the handing out of tasks and gives the workers a few seconds
// to finish theirs; run returns when all of them have.
package main
