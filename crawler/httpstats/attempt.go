package httpstats

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// An attempt is one call of RoundTrip, until the body of its response ends. It
// is also the context that its request is sent with.
type attempt struct {
	context.Context // of the caller's request

	transport *transport
	probe     *probe
	request   *request // nil: the request layer is not counted here
	silent    bool     // a Transport below has counted the attempt

	resp  *http.Response
	begun time.Duration // when the response began, on the clock of the probe
	ended atomic.Bool
	body  body
}

// Value finds the hooks and, for a Transport below, the attempt itself. To add
// both to a context would cost seven allocations.
func (a *attempt) Value(key any) any {
	if k, ok := key.(aboveKey); ok && k.s == a.transport.wire.stats {
		return above(a)
	}
	if v := a.probe.ctx.Value(key); v != nil {
		return v
	}
	return a.Context.Value(key)
}

func (a *attempt) yield() (begun bool) { return a.probe.silence() }

// begin starts the attempt to send req.
func (t *transport) begin(req *http.Request) *attempt {
	a := &attempt{Context: req.Context(), transport: t}
	above, _ := a.Context.Value(aboveKey{t.wire.stats}).(above)
	if above == nil || !above.yield() {
		t.wire.began(req)
	}
	if above == nil && t.cfg.Requests {
		a.request = t.requestOf(req)
	}
	a.probe = t.probeFor(a.Context)
	return a
}

// probeFor returns a probe whose hooks are called before those of ctx.
func (t *transport) probeFor(ctx context.Context) *probe {
	if httptrace.ContextClientTrace(ctx) == nil {
		return t.probes.Get().(*probe)
	}
	p := newProbe(t.wire, t.epoch)
	p.ctx = httptrace.WithClientTrace(ctx, &p.trace)
	return p
}

// fail ends an attempt that got no response.
func (a *attempt) fail(err error) {
	if err == nil {
		err = errNoResponse
	}
	kind := KindOf(a.Context, err)
	if seen, silent := a.probe.stop(a.probe.now()); !silent {
		a.transport.wire.connected(&seen)
		a.transport.wire.failed(&seen, kind)
	}
	if a.request != nil {
		a.request.settle(nil, err, kind)
	}
}

var errNoResponse = errors.New("httpstats: the base transport returned neither a response nor an error")

// respond takes over the response to a request with that method.
func (a *attempt) respond(resp *http.Response, method string) {
	a.resp = resp
	seen, silent := a.probe.look()
	if a.silent = silent; silent && a.request == nil {
		return
	}
	if !silent {
		a.transport.wire.connected(&seen)
		a.transport.wire.responded(resp)
		if a.begun = seen.ttfb.end; a.begun == 0 { // the base calls no hooks
			a.begun = a.probe.now()
		}
	}
	if hasBody(resp, method) {
		resp.Body = a.body.wrap(a)
	} else {
		a.end(true, nil)
	}
}

// end ends an attempt with the body of its response: done when that was read to
// its end, else with the error that broke it, nil when the caller had enough.
func (a *attempt) end(done bool, err error) {
	if a.ended.Swap(true) {
		return
	}
	var kind stats.ErrorKind
	if err != nil {
		kind = KindOf(a.Context, err)
	}
	if !a.silent {
		a.book(done, kind)
	}
	if a.request != nil {
		a.request.over(a.resp, err, kind)
	}
}

// book counts the end of a response.
func (a *attempt) book(done bool, kind stats.ErrorKind) {
	w := a.transport.wire
	now := a.probe.now()
	if a.body.src != nil {
		w.contentBytes.Add(a.body.content.Load())
		w.wireBytes.Add(a.body.received())
		w.phaseBody.Observe(now - a.begun)
	}
	w.ended(done, kind)
	if !done || a.resp.ProtoMajor != 1 { // connections of HTTP/2 outlive what they carry
		a.probe.stop(now)
		return
	}
	kept, fresh := a.probe.spend()
	w.released(kept)
	if fresh && a.transport.plain != nil {
		a.transport.probes.Put(a.probe)
	}
}

// closed ends an attempt whose body the caller closes.
func (a *attempt) closed() {
	switch {
	case a.ended.Load():
	case a.resp.StatusCode == http.StatusSwitchingProtocols, a.body.content.Load() == a.resp.ContentLength:
		a.end(true, nil)
	default:
		a.end(false, a.Err())
	}
}
