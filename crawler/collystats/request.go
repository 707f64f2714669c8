package collystats

import (
	"net/http"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// politenessFloor is where waiting for a LimitRule begins: what is shorter is
// the work of Colly itself.
const politenessFloor = time.Millisecond

// request is what the crawler means by a request: one start, one end, and as many
// fetches as it is tried. After it is open it belongs to the goroutine on which
// Colly fetches it.
type request struct {
	*fetch
	hooks *hooks
	about stats.Request
	job   stats.Job
	begun bool
	ended bool
	cause error // why it is tried again
}

// fetch is a request of Colly: one try of a request.
type fetch struct {
	colly *colly.Request
	links []any // by which the transport knows it

	asked    time.Time
	sent     time.Time // zero while it waits, and for good if it comes from the cache
	answered time.Time // its headers, or those of the page in the cache
	over     time.Time // the last byte, or the error
	handed   time.Time // to the callbacks of the user
	code     int
	broken   error // on the wire, with its kind
	err      error // handed over to OnError
	trips    int   // calls of the transport: one, and one for each redirect
	read     int64 // bytes of the body
	whole    bool  // the body was read to its end
	counted  bool  // its status, by httpstats
	closed   bool
}

// ask opens a fetch: of a request that is tried again, or of a new one.
func (a *Adapter) ask(h *hooks, r *colly.Request) *request {
	f := &fetch{colly: r, asked: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := identity(r)
	q := a.retries[key]
	if q == nil {
		q = &request{about: stats.Request{Host: r.URL.Hostname(), URL: r.URL.String()}}
	}
	q.hooks, q.fetch = h, f
	delete(a.retries, key)
	a.open[r] = q
	a.opened++
	return q
}

func (a *Adapter) find(r *colly.Request) *request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[r]
}

func (a *Adapter) forget(r *colly.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, r)
}

// send begins the request, or its next attempt, now that it is its turn.
func (q *request) send() {
	a := q.hooks.adapter
	q.sent = time.Now()
	a.st.Counter("colly.attempts", stats.Label{Key: "method", Value: methodLabel(q.colly.Method)}).Inc()
	switch {
	case q.ignored():
	case q.begun:
		q.job.Retry(q.cause)
	default:
		q.begun = true
		q.job = a.st.BeginWith(q.about)
	}
}

// ignored reports a request that counts only if it fails.
func (q *request) ignored() bool {
	return q.hooks.adapter.cfg.IgnoreHead && q.colly.Method == http.MethodHead
}

// cached reports that the answer came from Colly's cache.
func (q *request) cached() bool { return q.sent.IsZero() && q.code != 0 }

// bypassed reports an answer that the transport has not seen, because another
// one was put in its place.
func (q *request) bypassed() bool { return q.trips == 0 && q.code != 0 && !q.cached() }

// end counts how the request ended.
func (q *request) end(v verdict) {
	st := q.hooks.adapter.st
	q.ended = true
	q.closeFetch()
	switch {
	case !q.begun && q.ignored() && v == verdict{}:
	case !q.begun:
		o := stats.Outcome{Request: q.about, Discard: v.reason, Err: v.err, Duration: q.took()}
		if !q.cached() && !q.counted {
			o.StatusCode = q.code
		}
		st.Observe(o)
	case v.reason != "":
		q.job.Discard(v.reason)
	case v.err != nil:
		q.job.Took(q.took())
		q.job.Fail(v.err)
	default:
		q.job.Took(q.took())
		q.job.Finish()
	}
}

// closeFetch counts what is known of a fetch when it is over.
func (q *request) closeFetch() {
	if q.closed {
		return
	}
	q.closed = true
	q.unlink()
	counts := &q.hooks.adapter.counts
	if wait := q.waited(); wait >= politenessFloor {
		q.hooks.adapter.politeness.Observe(wait)
	}
	if limit := int64(q.hooks.collector.MaxBodySize); limit > 0 && q.read >= limit && !q.whole {
		counts.truncated.Inc()
	}
	switch {
	case q.cached():
		counts.cacheHits.Inc()
	case q.bypassed():
		counts.transportLost.Inc()
		if !httpstats.Counted(q.hooks.collector.Context, q.hooks.adapter.st) {
			q.job.StatusCode(q.code)
			q.hooks.adapter.content.Add(q.read)
		}
	}
}

// took returns the time from the sending of the request to its last byte.
func (f *fetch) took() time.Duration {
	if f.sent.IsZero() {
		return 0
	}
	for _, end := range []time.Time{f.over, f.answered, f.handed} {
		if !end.IsZero() {
			return end.Sub(f.sent)
		}
	}
	return 0
}

// waited returns the time that went by for the sake of a LimitRule.
func (f *fetch) waited() (d time.Duration) {
	if !f.sent.IsZero() {
		d = f.sent.Sub(f.asked)
	}
	if !f.over.IsZero() && !f.handed.IsZero() {
		d += f.handed.Sub(f.over)
	}
	return d
}

// methodLabel keeps the label to the methods that Colly knows.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions:
		return method
	}
	return "other"
}
