package collystats

import (
	"net/http"
	"sync"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/stats"
)

// hooks are the callbacks of one collector. Colly calls them, and the transport,
// on the goroutine of the request, in this order:
//
//	asked
//	      the crawler waits for its turn (LimitRule)
//	send
//	      transport, headers, transport
//	      the crawler waits before it lets the next one have its turn (LimitRule)
//	handOver
//	      callbacks of the user, in which he may retry
//	respond or fail
//	      OnHTML and OnXML of the user, in which Colly may find that it cannot parse
//	forget
type hooks struct {
	adapter   *Adapter
	collector *colly.Collector
	transport *transport
	wire      http.RoundTripper // the base of the transport, below httpstats
	last      sync.Once
}

func (h *hooks) registerFirst() {
	h.collector.OnRequest(h.asked)
	h.collector.OnResponse(func(r *colly.Response) { h.handOver(r, nil) })
	h.collector.OnError(h.handOver)
}

// registerLast comes with the first request, so that its callbacks stand behind
// all those of the user: an end is counted when he has had his say.
func (h *hooks) registerLast() {
	h.collector.OnRequestHeaders(h.send)
	h.collector.OnResponseHeaders(h.headers)
	h.collector.OnResponse(h.respond)
	h.collector.OnError(h.fail)
	h.collector.OnScraped(h.forget)
}

func (h *hooks) asked(r *colly.Request) {
	h.last.Do(h.registerLast)
	q := h.adapter.ask(h, r)
	// A redirect will change r.URL. The http.Request of this one has it until then.
	q.link(r.URL)
	if r.IsAbort() {
		q.end(verdict{reason: stats.DiscardAborted})
	}
}

func (h *hooks) send(r *colly.Request) {
	if q := h.adapter.find(r); q != nil && !r.IsAbort() {
		q.send()
	}
}

func (h *hooks) headers(r *colly.Response) {
	if q := h.adapter.find(r.Request); q != nil {
		q.answered, q.code = time.Now(), r.StatusCode
	}
}

func (h *hooks) handOver(r *colly.Response, err error) {
	if q := h.adapter.find(r.Request); q != nil && !q.ended {
		q.handed = time.Now()
		if err != nil {
			q.err = err
		}
	}
}

func (h *hooks) respond(r *colly.Response) {
	q := h.adapter.find(r.Request)
	if q == nil {
		return
	}
	if q.trips == 0 { // the transport has not seen it
		q.read = int64(len(r.Body))
	}
	q.end(q.verdict(nil))
}

func (h *hooks) fail(r *colly.Response, err error) {
	q := h.adapter.find(r.Request)
	switch {
	case q == nil: // handed over to its retry
	case q.ended:
		h.adapter.counts.parseErrors.Inc()
	default:
		q.end(q.verdict(err))
		h.adapter.forget(r.Request)
	}
}

func (h *hooks) forget(r *colly.Response) { h.adapter.forget(r.Request) }
