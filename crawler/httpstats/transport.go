package httpstats

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// Transport returns a RoundTripper that counts in s what it sends through
// cfg.Base. An attempt ends with the body of its response, at io.EOF, an error or
// Close, so read bodies to their end and close them.
//
// The caller's request is not changed, and responses are those of the base:
// decompressed where it would have done so, writable after a 101. On a client
// with a CheckRedirect of its own, or for exact counts of redirects that are not
// followed, use [Client].
func Transport(s *stats.Statistics, cfg Config) http.RoundTripper {
	t := &transport{cfg: cfg.withDefaults(), wire: newWire(s), epoch: time.Now()}
	t.plain, _ = t.cfg.Base.(*http.Transport)
	t.inflaters.New = func() any { return new(inflater) }
	t.probes.New = func() any {
		p := newProbe(t.wire, t.epoch)
		p.ctx = httptrace.WithClientTrace(context.Background(), &p.trace)
		p.alone = true
		return p
	}
	return t
}

type transport struct {
	cfg   Config
	plain *http.Transport // the base; nil when it is something else
	wire  *wire
	epoch time.Time

	probes    sync.Pool // of *probe
	inflaters sync.Pool // of *inflater
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	a := t.begin(req)
	sent := req.WithContext(a)
	inflates := t.inflates(req)
	if inflates {
		sent.Header = withGzip(req.Header)
	}
	resp, err := t.cfg.Base.RoundTrip(sent)
	if resp == nil || err != nil {
		err = asPlain(a.Context, err)
		a.fail(err)
		return resp, err
	}
	if inflates {
		t.inflate(resp)
	}
	if resp.Request == sent {
		resp.Request = req
	}
	if a.request != nil {
		a.request.mark(resp)
	}
	a.respond(resp, req.Method)
	return resp, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.cfg.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
