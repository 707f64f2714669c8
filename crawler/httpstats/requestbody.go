package httpstats

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/crawlstats/crawlstats/stats"
)

// requestBody books a request when its body has been read.
type requestBody struct {
	io.ReadCloser
	server *server
	bjoern bool

	mu     sync.Mutex
	active bool // the body did not come at once
	over   bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.wait()
	} else {
		b.end(err)
	}
	return n, err
}

// wait books a read that left something to come.
func (b *requestBody) wait() {
	b.mu.Lock()
	count := !b.over && (!b.active || b.bjoern)
	b.active = true
	b.mu.Unlock()
	if count {
		b.server.reqActive.Inc()
	}
}

// end books the end of the body, once: io.EOF, or why it broke off.
func (b *requestBody) end(err error) {
	lost := !errors.Is(err, io.EOF) && !errors.Is(err, http.ErrBodyReadAfterClose)
	malformed := lost && stats.KindOf(err) == stats.KindProtocol
	if lost && !malformed {
		b.wait()
	}
	b.mu.Lock()
	over := b.over
	b.over = true
	b.mu.Unlock()
	switch {
	case over:
	case malformed:
		b.server.refused()
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.server.clientLeft()
	case lost:
		b.server.readFailed()
	default:
		b.server.read()
	}
}
