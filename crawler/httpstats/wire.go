package httpstats

import (
	"net/http"

	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/stats"
)

// wire holds what a Transport counts.
type wire struct {
	stats *stats.Statistics

	dialed, dialError, reused *stats.Counter

	reqActive, reqDone, reqWritten                         *stats.Counter
	reqAborted, reqInternal, reqWriteError, reqServerLeft  *stats.Counter
	respActive, respDone, respKept, respClosed             *stats.Counter
	respAborted, respParseError                            *stats.Counter
	redirects, wireBytes, contentBytes                     *stats.Counter
	phaseDNS, phaseConnect, phaseTLS, phaseTTFB, phaseBody *stats.Timer

	errors map[stats.ErrorKind]*stats.Counter
}

func newWire(s *stats.Statistics) *wire {
	counter := func(name string) *stats.Counter { return s.ReservedCounter(adapter.Key{}, name) }
	phase := func(name string) *stats.Timer { return s.ReservedTimer(adapter.Key{}, "wire.phase."+name) }
	w := &wire{
		stats: s,

		dialed:    counter("http.conn.dial.success"),
		dialError: counter("http.conn.dial.error"),
		reused:    counter("http.conn.reused"),

		reqActive:      counter("http.req.active"),
		reqDone:        counter("http.req.done"),
		reqWritten:     counter("http.req.success.write"),
		reqAborted:     counter("http.req.aborted"),
		reqInternal:    counter("http.req.error.internal"),
		reqWriteError:  counter("http.req.error.write"),
		reqServerLeft:  counter("http.req.error.server_disconnected"),
		respActive:     counter("http.resp.active"),
		respDone:       counter("http.resp.done"),
		respKept:       counter("http.resp.done.keepalive"),
		respClosed:     counter("http.resp.conn.close"),
		respAborted:    counter("http.resp.aborted"),
		respParseError: counter("http.resp.error.parse"),

		redirects:    counter("wire.redirects"),
		wireBytes:    counter("wire.bytes.wire"),
		contentBytes: counter("wire.bytes.content"),

		phaseDNS:     phase("dns"),
		phaseConnect: phase("connect"),
		phaseTLS:     phase("tls"),
		phaseTTFB:    phase("ttfb"),
		phaseBody:    phase("body"),

		errors: make(map[stats.ErrorKind]*stats.Counter),
	}
	for _, kind := range []stats.ErrorKind{
		stats.KindDNS, stats.KindConnect, stats.KindTLS, stats.KindTimeout, stats.KindReset, stats.KindCanceled,
		stats.KindProtocol, stats.KindDecode, stats.KindParse, stats.KindHandler, stats.KindHTTP, stats.KindOther,
	} {
		w.errors[kind] = counter("wire.error." + string(kind))
	}
	return w
}

// began books what is known before a request is sent.
func (w *wire) began(req *http.Request) {
	w.reqActive.Inc()
	if req.Response != nil { // the redirect that led here
		w.redirects.Inc()
	}
}

// connected books the connection that carried an attempt, and the phases up to
// the first byte of its response.
func (w *wire) connected(s *seen) {
	switch {
	case s.got == 0:
	case s.reused:
		w.reused.Inc()
	default:
		w.dialed.Inc()
	}
	s.dns.observe(w.phaseDNS)
	s.connect.observe(w.phaseConnect)
	s.tls.observe(w.phaseTLS)
	s.ttfb.observe(w.phaseTTFB)
}

// failed books an attempt that ended before the headers of its response did.
// Every one ends in exactly one of these.
func (w *wire) failed(s *seen, kind stats.ErrorKind) {
	w.errors[kind].Inc()
	gaveUp := kind == stats.KindCanceled || kind == stats.KindTimeout
	switch {
	case s.answered || s.got != 0 && kind == stats.KindProtocol: // the response had begun
		w.respActive.Inc()
		if kind == stats.KindProtocol {
			w.respParseError.Inc()
		} else {
			w.respAborted.Inc()
		}
	case s.got == 0 && kind != stats.KindCanceled && (s.dialing() || isDial(kind)):
		w.dialError.Inc()
	case gaveUp:
		w.reqAborted.Inc()
	case s.broken:
		w.reqWriteError.Inc()
	case s.got != 0 && kind == stats.KindReset:
		w.reqServerLeft.Inc()
	default:
		w.reqInternal.Inc()
	}
}

// responded books the headers of a response.
func (w *wire) responded(resp *http.Response) {
	w.respActive.Inc()
	w.stats.StatusCode(resp.StatusCode)
}

// ended books the end of a response; kind is "" when no error ended it.
func (w *wire) ended(done bool, kind stats.ErrorKind) {
	if done {
		w.respDone.Inc()
	} else {
		w.respAborted.Inc()
	}
	if kind != "" {
		w.errors[kind].Inc()
	}
}

// released books what became of the connection of a response that is done.
func (w *wire) released(kept bool) {
	if kept {
		w.respKept.Inc()
	} else {
		w.respClosed.Inc()
	}
}

func isDial(kind stats.ErrorKind) bool {
	return kind == stats.KindDNS || kind == stats.KindConnect || kind == stats.KindTLS
}
