package collystats

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// transport is what the collectors of one backend send through. It notes the
// times of each request; what there is to count on the wire is left to httpstats,
// of which each collector has its own, below.
type transport struct {
	base   http.RoundTripper
	counts *counters // of the adapter that came first

	mu    sync.Mutex
	links map[any]*request
}

// install returns the transport of a collector, which it puts in place unless a
// clone brought one.
func (a *Adapter) install(c *colly.Collector) *transport {
	base, client := a.cfg.Transport, clientOf(c)
	switch {
	case client != nil:
		if t, ok := client.Transport.(*transport); ok {
			return t
		}
		base = cmp.Or(base, client.Transport, http.DefaultTransport)
	case base == nil:
		panic("collystats: attach collector: its transport is not where it was in Colly v2.3.0; give it in Config.Transport")
	}
	t := &transport{base: base, counts: &a.counts, links: make(map[any]*request)}
	c.WithTransport(t)
	return t
}

// RoundTrip sends a request of Colly.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	q := t.find(req)
	if q == nil {
		t.countStranger(req)
		return t.base.RoundTrip(req)
	}
	next := q.hooks.wire
	if q.ignored() {
		next = t.base
	}
	// A Transport of the user, further down, leaves the request to the adapter.
	ctx := httpstats.Watch(req.Context(), q.hooks.adapter.st)
	f := q.fetch
	f.startTrip()
	resp, err := next.RoundTrip(req.WithContext(ctx))
	f.counted = httpstats.Counted(ctx, q.hooks.adapter.st)
	if resp == nil || err != nil {
		f.endTrip(ctx, err)
		return resp, err
	}
	// The request that follows a redirect knows nothing of the first one but the
	// response that led to it.
	q.link(resp)
	resp.Body = &body{resp.Body, ctx, f}
	return resp, nil
}

// countStranger counts what no attached collector has asked for.
func (t *transport) countStranger(req *http.Request) {
	ofCollector := req.Context().Value(colly.CheckRevisitKey) != nil
	switch {
	case ofCollector:
		t.counts.unattached.Inc()
	case req.URL.Path == "/robots.txt":
		t.counts.robots.Inc()
	}
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (t *transport) find(req *http.Request) *request {
	var link any = req.URL
	if req.Response != nil {
		link = req.Response
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.links[link]
}

// link makes the request known by a pointer that its next http.Request has.
func (q *request) link(pointer any) {
	q.links = append(q.links, pointer)
	q.hooks.transport.mu.Lock()
	defer q.hooks.transport.mu.Unlock()
	q.hooks.transport.links[pointer] = q
}

func (q *request) unlink() {
	q.hooks.transport.mu.Lock()
	defer q.hooks.transport.mu.Unlock()
	for _, pointer := range q.links {
		delete(q.hooks.transport.links, pointer)
	}
	q.links = nil
}

func (f *fetch) startTrip() {
	f.trips++
	f.over, f.broken, f.read, f.whole = time.Time{}, nil, 0, false
}

// endTrip notes the first end of a round trip, and the error that broke it.
func (f *fetch) endTrip(ctx context.Context, err error) {
	if f.over.IsZero() {
		f.over = time.Now()
		f.broken = stats.WithKind(httpstats.KindOf(ctx, err), err)
	}
}

// body notes when the body of a response was read.
type body struct {
	io.ReadCloser
	ctx   context.Context
	fetch *fetch
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.fetch.read += int64(n)
	switch err {
	case nil:
	case io.EOF:
		b.fetch.whole = true
		b.fetch.endTrip(b.ctx, nil)
	default:
		b.fetch.endTrip(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.fetch.endTrip(b.ctx, nil)
	return b.ReadCloser.Close()
}
