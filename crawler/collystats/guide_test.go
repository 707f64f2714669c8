package collystats_test

import (
	"fmt"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/stats"
)

// What docs/COLLY.md quotes.
func Example_guide() {
	site := shop()
	defer site.Close()
	st, url := stats.New(), site.URL
	// quoted: crawl
	c := colly.NewCollector(colly.Async())
	a := collystats.Attach(c, st, collystats.Config{}) // after SetProxy, WithTransport, SetClient
	c.OnHTML("a[href]", func(e *colly.HTMLElement) {
		a.CountVisit(e.Request.Visit(e.Attr("href"))) // counts what Colly refuses
	})
	c.OnError(func(r *colly.Response, err error) {
		if r.StatusCode == 503 {
			a.Retry(r.Request) // in place of r.Request.Retry()
		}
	})
	a.CountVisit(c.Visit(url))
	a.Wait() // in place of c.Wait()
	// end
	s := st.Snapshot()
	fmt.Println(s.StatusCodes[200], "answers of 200; in flight:", s.InFlight, "balanced:", s.Balanced() == nil)
	// Output: 2 answers of 200; in flight: 0 balanced: true
}
