package httpstats

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// body is that of a response. It counts what the caller reads.
type body struct {
	attempt *attempt
	src     io.ReadCloser
	gunzip  *gunzip // what src is, when the Transport decompresses
	content atomic.Int64
}

// hasBody reports whether there is something to read. Callers need not even close
// a body that is known to be empty.
func hasBody(resp *http.Response, method string) bool {
	if resp.Body == nil || resp.Body == http.NoBody || method == http.MethodHead {
		return false
	}
	if _, upgraded := resp.Body.(io.Writer); upgraded {
		return true
	}
	return resp.ContentLength != 0 && resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified
}

// wrap returns the body for the caller of an attempt.
func (b *body) wrap(a *attempt) io.ReadCloser {
	b.attempt, b.src = a, a.resp.Body
	b.gunzip, _ = b.src.(*gunzip)
	if w, ok := b.src.(io.Writer); ok {
		return upgraded{b, w}
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.content.Add(int64(n))
	switch err {
	case nil:
	case io.EOF: //nolint:errorlint // a Reader returns it bare
		b.attempt.end(true, nil)
	default:
		err = asPlain(b.attempt.Context, err)
		b.attempt.end(false, err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.src.Close()
	b.attempt.closed()
	return err
}

// received returns the number of bytes that came over the wire; 0 when the base
// has decompressed them, which alone knows.
func (b *body) received() int64 {
	switch {
	case b.gunzip != nil:
		return b.gunzip.received.Load()
	case b.attempt.resp.Uncompressed:
		return 0
	}
	return b.content.Load()
}

// upgraded is the body of a 101, which is a connection in both directions.
type upgraded struct {
	*body
	io.Writer
}

func (u upgraded) CloseWrite() error {
	if c, ok := u.Writer.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return fmt.Errorf("httpstats: close writing to %T: %w", u.Writer, errors.ErrUnsupported)
}
