package httpstats

import (
	"context"
	"io"
	"net/http"

	"github.com/crawlstats/crawlstats/stats"
)

// Handler returns a handler that counts in s the requests that h answers. Behind
// a [Listener] of s it counts all that becomes of them. Behind another one, and
// over HTTP/2, where connections end apart from responses, a response is done
// when h returns, and kept alive unless the request or the response says close.
//
// A panic of h goes on; other than http.ErrAbortHandler it is req.error.internal.
func Handler(s *stats.Statistics, h http.Handler) http.Handler {
	return &handler{next: h, server: newServer(s)}
}

type handler struct {
	next   http.Handler
	server *server
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := h.exchange(r)
	inner := x.request(r)
	defer func() {
		thrown := recover()
		// What net/http and outer handlers look for in their request.
		r.Pattern, r.MultipartForm = inner.Pattern, inner.MultipartForm
		x.end(w, r, thrown)
		if thrown != nil {
			panic(thrown)
		}
	}()
	h.next.ServeHTTP(w, inner)
}

// An exchange is one request and its response.
type exchange struct {
	server *server
	local  *localAddr   // of the Listener; nil: there is none
	conn   *conn        // that it leads to, when it is one of HTTP/1
	body   *requestBody // nil: there is none
	bjoern bool
}

func (h *handler) exchange(r *http.Request) *exchange {
	x := &exchange{server: h.server}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*localAddr)
	if !ok || local.conn.server.stats != h.server.stats {
		return x
	}
	x.local = local
	if r.ProtoMajor > 1 {
		x.local.conn.serveApart()
		return x
	}
	x.conn = x.local.conn
	x.bjoern = x.conn.bjoern
	x.conn.serve()
	return x
}

// request returns r for the next handler: with its body counted, and the address
// of its connection as it was.
func (x *exchange) request(r *http.Request) *http.Request {
	ctx := r.Context()
	if x.local != nil {
		ctx = context.WithValue(ctx, http.LocalAddrContextKey, x.local.Addr)
	}
	inner := r.WithContext(ctx)
	if r.Body == nil || r.ContentLength == 0 {
		x.server.read()
		return inner
	}
	x.body = &requestBody{ReadCloser: r.Body, server: x.server, bjoern: x.bjoern}
	inner.Body = x.body
	return inner
}

// end books what is over when the handler returns.
func (x *exchange) end(w http.ResponseWriter, r *http.Request, thrown any) {
	if x.body != nil {
		x.body.end(io.EOF) // what the handler did not read was not wanted
	}
	panicked, begun := thrown != nil, false
	switch {
	case x.conn != nil:
		begun = x.conn.returned(panicked)
	case panicked, r.ProtoMajor > 1 && r.Context().Err() != nil: // the client has reset the stream
		x.server.aborted()
	default:
		x.server.done(!r.Close && w.Header().Get("Connection") != "close")
	}
	if panicked && thrown != http.ErrAbortHandler && (!x.bjoern || !begun) { //nolint:errorlint // as net/http compares
		x.server.reqInternal.Inc()
	}
}
