// Package collystats counts the requests of collectors of Colly v2.
//
//	c := colly.NewCollector()
//	a := collystats.Attach(c, st, collystats.Config{})
//	…
//	a.CountVisit(c.Visit(url)) // in place of c.Visit(url)
//	a.Retry(r)                 // in place of r.Retry()
//	a.Wait()                   // in place of c.Wait()
//
// Whatever Colly does, one request has one end:
//
//	finished   status below 400, whichever callback Colly calls
//	failed     status of 400 and above, or an error
//	discarded  refused before it was sent (with CountVisit), or a redirect of it;
//	           aborted, by a callback or because the crawl was cancelled;
//	           answered by Colly's cache, as a duplicate
//
// Its working time is from the sending of its last attempt to the last byte, and
// has nothing of what a LimitRule waits for. Every attempt goes through a
// Transport of package httpstats, which counts status codes, bytes and phases as
// they are on the wire, redirects included.
//
// # Instruments
//
// Beside those of httpstats:
//
//	wire.phase.politeness           timer: waiting for a LimitRule, before and after an attempt
//	colly.attempts{method="GET"}    attempts by method
//	colly.cache.hits                answers out of Colly's cache
//	colly.parse.errors              pages that were fetched and that OnHTML or OnXML cannot read
//	colly.robots                    fetches of robots.txt, which count nowhere else
//	colly.truncated                 bodies cut at MaxBodySize
//	colly.transport.lost            answers that came through another transport
//	colly.unattached                requests of clones that nobody attached
//
// docs/COLLY.md has the traps, and what to do about each.
//
// # Concurrency
//
// Attach before the first request, from one goroutine. All else may be called
// from any number of goroutines, as Colly does with Async. No goroutine is
// started, and no lock is held while a callback, a transport or the Statistics
// runs.
package collystats
