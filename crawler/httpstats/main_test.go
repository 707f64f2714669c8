package httpstats_test

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/stats"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// counted returns the counters of src that are not zero, by what follows prefix.
func counted(src stats.Source, prefix string) map[string]int64 {
	got := make(map[string]int64)
	for name, n := range src.Snapshot().Counters {
		if event, ok := strings.CutPrefix(name, prefix); ok && n != 0 {
			got[event] = n
		}
	}
	return got
}

// ends tells when connections of a server have ended: when net/http is done with
// them, or, after a hijack, when they are closed.
type ends chan struct{}

// wait returns when another n connections have ended.
func (e ends) wait(n int) {
	for range n {
		<-e
	}
}

// state is for http.Server.ConnState, with connections of a listener of e.
func (e ends) state(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateClosed:
		e <- struct{}{}
	case http.StateHijacked:
		inner := c.(interface{ NetConn() net.Conn }).NetConn()
		inner.(*hijackable).hijacked.Store(true)
	}
}

type hijackable struct {
	*net.TCPConn
	ends     ends
	hijacked atomic.Bool
}

func (c *hijackable) Close() error {
	err := c.TCPConn.Close()
	if c.hijacked.Swap(false) {
		c.ends <- struct{}{}
	}
	return err
}

type endsListener struct {
	net.Listener
	ends ends
}

func (l *endsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hijackable{TCPConn: c.(*net.TCPConn), ends: l.ends}, nil
}

// listen returns a listener on loopback and the ends of its connections.
func listen(t testing.TB) (net.Listener, ends) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := make(ends, 100)
	return &endsListener{l, e}, e
}
