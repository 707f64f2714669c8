// Package site is a small web site to crawl: the same pages each time, and
// among them all that makes a crawler's life hard.
//
//	/          the home page; /c/0 to /c/11 are its categories
//	/p/17      a product; there are 540
//	/slow/3    answers late
//	/404/3     not found; /410/3 is gone, /500/3 always fails
//	/503/3     fails at first, and heals when tried again
//	/hang/3    never answers; all but /hang/0 heal
//	/rst/3     resets the connection; odd ones heal
//	/go/3      redirects to /to/3, which no page links to
//	/copy/3    is a copy of a product, and says so with rel="canonical"
//	/no/3      is not for robots, says robots.txt
//	/evil      has control characters, markup and broken links where text should be
//
// A page heals by the number of the attempt, which the crawler sends in a header.
// So the site needs no memory: a crawl that is killed and resumed finds the same
// pages, even in a site that was started anew.
//
// The site keeps an access log, against which the numbers of a crawler can be
// checked.
//
// # Concurrency
//
// A Site may serve any number of requests at a time, and its Log may be read
// meanwhile. It starts no goroutine.
package site
