package httpstats

import (
	"bufio"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// An *http.Transport asks for gzip by itself and decompresses what it gets,
// where nobody outside sees how much was received. So a Transport that stands on
// one does it in its place, under the same conditions and with the same result.

// inflates reports whether the base would ask for gzip.
func (t *transport) inflates(req *http.Request) bool {
	return t.plain != nil && !t.plain.DisableCompression &&
		req.Header != nil && !has(req.Header, "Accept-Encoding") && !has(req.Header, "Range") &&
		req.Method != http.MethodHead
}

// has reports whether h.Get(key) is not empty. The key is canonical.
func has(h http.Header, key string) bool {
	values := h[key]
	return len(values) > 0 && values[0] != ""
}

// withGzip returns a copy of h that asks for gzip. Its values are shared: an
// *http.Transport only reads them.
func withGzip(h http.Header) http.Header {
	asking := make(http.Header, len(h)+1)
	maps.Copy(asking, h)
	asking["Accept-Encoding"] = gzipOnly
	return asking
}

var gzipOnly = []string{"gzip"}

// inflate decompresses the body of a response that the Transport has asked to be
// compressed.
func (t *transport) inflate(resp *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody || !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return
	}
	resp.Body = &gunzip{src: resp.Body, inflaters: &t.inflaters}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	resp.Uncompressed = true
}

// gunzip decompresses src and counts what it receives. Read is for one goroutine
// at a time, Close for any.
type gunzip struct {
	src       io.ReadCloser
	received  atomic.Int64
	inflaters *sync.Pool
	inflater  *inflater // while reading
	err       error     // of the last Read
}

// inflater is what reading gzip takes, to be used again.
type inflater struct {
	buf bufio.Reader
	zr  gzip.Reader
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.inflater == nil {
		g.inflater = g.inflaters.Get().(*inflater)
		g.inflater.buf.Reset(received{g})
		g.err = g.inflater.zr.Reset(&g.inflater.buf)
	}
	if g.err == nil {
		n, g.err = g.inflater.zr.Read(p)
	}
	if g.err != nil {
		g.inflater.buf.Reset(nil)
		g.inflaters.Put(g.inflater)
		g.inflater = nil
	}
	return n, g.err
}

func (g *gunzip) Close() error { return g.src.Close() }

// received reads the source of a gunzip.
type received struct{ *gunzip }

func (r received) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	r.received.Add(int64(n))
	return n, err
}
