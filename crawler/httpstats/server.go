package httpstats

import (
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/stats"
)

// server holds the fifteen counters of a server.
type server struct {
	stats *stats.Statistics

	accepted, acceptError *stats.Counter

	reqActive, reqDone, reqRead, reqInternal            *stats.Counter
	reqAborted, reqClientLeft, reqReadError, reqParse   *stats.Counter
	respActive, respDone, respKept, respClosed, respCut *stats.Counter
}

func newServer(s *stats.Statistics) *server {
	counter := func(name string) *stats.Counter { return s.ReservedCounter(adapter.Key{}, "http."+name) }
	return &server{
		stats: s,

		accepted:    counter("conn.accept.success"),
		acceptError: counter("conn.accept.error"),

		reqActive:     counter("req.active"),
		reqDone:       counter("req.done"),
		reqRead:       counter("req.success.read"),
		reqInternal:   counter("req.error.internal"),
		reqAborted:    counter("req.aborted"),
		reqClientLeft: counter("req.error.client_disconnected"),
		reqReadError:  counter("req.error.read"),
		reqParse:      counter("req.error.parse"),

		respActive: counter("resp.active"),
		respDone:   counter("resp.done"),
		respKept:   counter("resp.done.keepalive"),
		respClosed: counter("resp.conn.close"),
		respCut:    counter("resp.aborted"),
	}
}

// A request is read, refused, or lost in one of two ways.

func (v *server) read() {
	v.reqRead.Inc()
	v.reqDone.Inc()
}

func (v *server) refused() {
	v.reqParse.Inc()
	v.reqDone.Inc()
}

func (v *server) clientLeft() {
	v.reqClientLeft.Inc()
	v.reqAborted.Inc()
}

func (v *server) readFailed() {
	v.reqReadError.Inc()
	v.reqAborted.Inc()
}

// A response is done, or aborted.

func (v *server) done(kept bool) {
	v.respDone.Inc()
	if kept {
		v.respKept.Inc()
	} else {
		v.respClosed.Inc()
	}
}

func (v *server) aborted() { v.respCut.Inc() }
