package httpstats

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A probe sees what net/http does for one attempt. Its hooks run on the
// goroutines of net/http, some of them after the attempt is over.
//
// Making hooks costs more than all that they do. So a probe is used again, when
// it is certain that no hook of the attempt before can still come.
type probe struct {
	wire  *wire
	epoch time.Time
	trace httptrace.ClientTrace
	ctx   context.Context // a background that carries trace
	alone bool            // trace is not composed with one of the caller's

	mu     sync.Mutex
	seen   seen
	silent bool // a Transport below counts
	over   bool
}

// seen is what a probe has seen. Times are since the epoch; 0 is unknown.
type seen struct {
	dns, connect, tls span
	ttfb              span // from having a connection to the first byte of the response
	got               time.Duration
	conns             int  // connections tried: a dead one is replaced by the next
	reused            bool // the last one had carried a request before
	idle              bool // it came from the idle pool, so that nothing was dialed
	written           bool
	broken            bool // writing to the last connection failed
	answered          bool
	kept              bool // the connection went back to the pool
}

type span struct{ start, end time.Duration }

func (s span) observe(t *stats.Timer) {
	if s.start != 0 {
		t.Observe(s.end - s.start)
	}
}

// cut ends a span that is open.
func (s *span) cut(now time.Duration) {
	if s.start != 0 && s.end == 0 {
		s.end = now
	}
}

func newProbe(w *wire, epoch time.Time) *probe {
	p := &probe{wire: w, epoch: epoch}
	p.trace = httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { p.start(&p.seen.dns) },
		DNSDone:              func(httptrace.DNSDoneInfo) { p.end(&p.seen.dns) },
		ConnectStart:         func(_, _ string) { p.start(&p.seen.connect) },
		ConnectDone:          p.connected,
		TLSHandshakeStart:    func() { p.start(&p.seen.tls) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { p.end(&p.seen.tls) },
		GotConn:              p.gotConn,
		WroteRequest:         p.wrote,
		GotFirstResponseByte: p.answered,
		PutIdleConn:          p.put,
	}
	return p
}

// now is never 0.
func (p *probe) now() time.Duration { return time.Since(p.epoch) | 1 }

func (p *probe) start(s *span) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && s.start == 0 {
		s.start = p.now()
	}
}

func (p *probe) end(s *span) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		s.cut(p.now())
	}
}

// connected ends the phase at the first address that answers. One that does not
// is followed by the next.
func (p *probe) connected(_, _ string, err error) {
	if err == nil {
		p.end(&p.seen.connect)
	}
}

func (p *probe) gotConn(info httptrace.GotConnInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	s := &p.seen
	s.conns++
	s.got, s.reused, s.idle = p.now(), info.Reused, info.WasIdle
	s.ttfb, s.broken = span{start: s.got}, false
	if s.reused { // what was dialed meanwhile carries another attempt
		s.dns, s.connect, s.tls = span{}, span{}, span{}
	}
}

// wrote counts at once, for the response may be over before it is called.
func (p *probe) wrote(info httptrace.WroteRequestInfo) {
	p.mu.Lock()
	count := info.Err == nil && !p.seen.written && !p.silent
	p.seen.written = p.seen.written || info.Err == nil
	p.seen.broken = info.Err != nil
	p.mu.Unlock()
	if count {
		p.wire.reqWritten.Inc()
		p.wire.reqDone.Inc()
	}
}

func (p *probe) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && !p.seen.answered {
		p.seen.answered = true
		p.seen.ttfb.cut(p.now())
	}
}

func (p *probe) put(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.kept = err == nil
}

// silence leaves the counting to a Transport below.
func (p *probe) silence() (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = !p.silent
	p.silent = true
	return first
}

// look returns what was seen until now, and whether a Transport below counts.
func (p *probe) look() (s seen, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen, p.silent
}

// stop is look at the end of an attempt. The phases under way end at now.
func (p *probe) stop(now time.Duration) (s seen, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for _, s := range []*span{&p.seen.dns, &p.seen.connect, &p.seen.tls, &p.seen.ttfb} {
		s.cut(now)
	}
	return p.seen, p.silent
}

// spend is stop for an attempt whose response was read to its end. It reports
// whether the probe is as new: every hook has been called and none can come,
// since nothing was dialed and each of the others has its one call behind it.
func (p *probe) spend() (kept, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.seen
	kept = s.kept
	if p.alone && s.conns == 1 && s.idle && s.written && s.answered {
		*s = seen{}
		return kept, true
	}
	p.over = true
	return kept, false
}

// dialing reports whether a connection was being made.
func (s *seen) dialing() bool {
	return s.dns.start != 0 || s.connect.start != 0 || s.tls.start != 0
}
