package httpstats

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A request is what the crawler meant: one call of its client, with all the
// redirects it takes.
type request struct {
	transport *transport

	mu      sync.Mutex
	job     stats.Job
	settled bool
	last    bool           // the client does not follow its redirect
	pending *http.Response // a redirect that has ended, and may be followed
	timer   *time.Timer    // waits for that
}

// patience is how long a redirect waits to be followed. http.Client takes
// microseconds.
const patience = time.Second

type requestKey struct{ s *stats.Statistics }

// requestOf returns the request that req belongs to: that of the redirect which
// led to it, or else a new one.
func (t *transport) requestOf(req *http.Request) *request {
	if q := redirected(req, t.wire.stats); q != nil && q.follow() {
		return q
	}
	return &request{
		transport: t,
		job:       t.wire.stats.BeginWith(stats.Request{Host: req.URL.Hostname(), URL: req.URL.String()}),
	}
}

// redirected returns the request whose last response led to req, nil when there
// is none.
func redirected(req *http.Request, s *stats.Statistics) *request {
	if req.Response == nil || req.Response.Request == nil {
		return nil
	}
	q, _ := req.Response.Request.Context().Value(requestKey{s}).(*request)
	return q
}

// mark leaves q in the context of the request that resp shows as its own, for
// the next redirect to find.
func (q *request) mark(resp *http.Response) {
	if req := resp.Request; req != nil {
		resp.Request = req.WithContext(context.WithValue(req.Context(), requestKey{q.transport.wire.stats}, q))
	}
}

// over is called when the body of a response has ended.
func (q *request) over(resp *http.Response, err error, kind stats.ErrorKind) {
	if redirects(resp) {
		if _, bad := resp.Location(); bad != nil {
			err, kind = bad, stats.KindOf(bad) // http.Client fails likewise
		} else if q.wait(resp) {
			return
		}
	}
	q.settle(resp, err, kind)
}

// redirects reports whether http.Client follows resp, unless its policy is
// against it.
func redirects(resp *http.Response) bool {
	if resp.Header.Get("Location") == "" {
		return false
	}
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return true
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		req := resp.Request
		return req == nil || req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	}
	return false
}

// wait keeps the request open for the redirect that resp asks for. It reports
// false when none can come.
func (q *request) wait(resp *http.Response) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.settled || q.last {
		return false
	}
	q.pending = resp
	q.timer = time.AfterFunc(patience, q.giveUp)
	return true
}

// follow takes the request up at its next redirect. It reports false when that
// comes too late.
func (q *request) follow() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending = nil
	if q.timer != nil {
		q.timer.Stop()
	}
	return !q.settled
}

// giveUp ends a request whose redirect nobody has followed.
func (q *request) giveUp() {
	q.mu.Lock()
	resp := q.pending
	q.mu.Unlock()
	if resp != nil {
		q.settle(resp, nil, stats.KindOther)
	}
}

// decide is what the client's policy on redirects says of resp.
func (q *request) decide(resp *http.Response, err error) {
	switch err {
	case nil:
	case http.ErrUseLastResponse: //nolint:errorlint // bare, as net/http wants it; resp goes to the caller
		q.mu.Lock()
		q.last = true
		q.mu.Unlock()
		q.giveUp() // if it has ended
	default:
		q.settle(resp, err, stats.KindOf(err))
	}
}

// settle ends the request, once.
func (q *request) settle(resp *http.Response, err error, kind stats.ErrorKind) {
	q.mu.Lock()
	settled := q.settled
	q.settled = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.mu.Unlock()
	if settled {
		return
	}
	switch {
	case err != nil && kind == stats.KindCanceled:
		q.job.Discard(stats.DiscardAborted)
	case !q.transport.cfg.Failed(resp, err):
		q.job.Finish()
	case err != nil:
		q.job.Fail(stats.WithKind(kind, err))
	default:
		q.job.Fail(statusError(resp.StatusCode))
	}
}
