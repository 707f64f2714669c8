package collystats_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/stats"
)

// naive is the adapter that everybody writes first: a request starts in OnRequest
// and ends in OnScraped or OnError. It is the control of the tests, which have to
// find it wrong.
type naive struct {
	st         *stats.Statistics
	collectors []*colly.Collector
	trips      atomic.Int64
	host       atomic.Value // of the last request
}

func (n *naive) Attach(c *colly.Collector) {
	n.collectors = append(n.collectors, c)
	c.OnRequest(func(r *colly.Request) { n.st.StartWith(id(r), stats.Request{Host: r.URL.Host}) })
	c.OnResponse(func(r *colly.Response) { n.st.StatusCode(r.StatusCode) })
	c.OnError(func(r *colly.Response, err error) {
		n.st.StatusCode(r.StatusCode)
		n.st.Fail(id(r.Request), err)
	})
	c.OnScraped(func(r *colly.Response) {
		n.host.Store(r.Request.URL.Host)
		n.st.Finish(id(r.Request))
	})
}

// id is unique, one would think.
func id(r *colly.Request) string { return fmt.Sprint(r.ID) }

func (n *naive) Retry(r *colly.Request) error { return r.Retry() }

func (n *naive) CountVisit(err error) error {
	if visited := (*colly.AlreadyVisitedError)(nil); errors.As(err, &visited) {
		n.st.Observe(stats.Outcome{Discard: stats.DiscardDuplicate})
	}
	return err
}

func (n *naive) Wait() {
	for _, c := range n.collectors {
		c.Wait()
	}
}

// RoundTrip counts what goes through it.
func (n *naive) RoundTrip(r *http.Request) (*http.Response, error) {
	n.trips.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}
