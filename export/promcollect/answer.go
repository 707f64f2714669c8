package promcollect

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
)

// answer notes the status of a response on its way.
type answer struct {
	http.ResponseWriter
	status int // 0: none sent yet
}

func (a *answer) begin(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// WriteHeader notes the first status that is final. Informational ones come
// before it, except 101, which ends HTTP on this connection.
func (a *answer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		a.begin(status)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.begin(http.StatusOK)
	return a.ResponseWriter.Write(b)
}

// statusAfter returns the status that was sent, or what an answer without one
// means.
func (a *answer) statusAfter(thrown any) string {
	code := a.status
	switch {
	case code != 0:
	case thrown != nil:
		code = http.StatusInternalServerError
	default:
		code = http.StatusOK
	}
	return strconv.Itoa(code)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Handlers find out by type assertion what a ResponseWriter can do besides, so
// the wrapper must be able to do the same and no more.
type (
	flushing struct{ *answer } // most others
	http1    struct{ flushing }
	http2    struct {
		flushing
		http.Pusher
	}
)

// writer returns the answer with what the server's writer can do.
func (a *answer) writer() http.ResponseWriter {
	w := a.ResponseWriter
	_, flushes := w.(http.Flusher)
	_, hijacks := w.(http.Hijacker)
	_, reads := w.(io.ReaderFrom)
	pusher, pushes := w.(http.Pusher)
	switch {
	case flushes && hijacks && reads:
		return http1{flushing{a}}
	case flushes && pushes:
		return http2{flushing{a}, pusher}
	case flushes:
		return flushing{a}
	}
	return a
}

func (f flushing) Flush() { _ = f.FlushError() }

// FlushError is what http.ResponseController calls. Where the writer beneath has
// none, its Flush is called.
func (f flushing) FlushError() error {
	f.begin(http.StatusOK)
	return http.NewResponseController(f.ResponseWriter).Flush()
}

// ReadFrom keeps sendfile.
func (h http1) ReadFrom(r io.Reader) (int64, error) {
	h.begin(http.StatusOK)
	return h.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
}

// Hijack takes the connection away: what is spoken there is no HTTP any more.
func (h http1) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		h.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}
