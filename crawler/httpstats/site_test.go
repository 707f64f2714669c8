package httpstats_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// site is a server that breaks as it is told to.
type site struct {
	net.Listener
	conns sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]struct{}
}

// visit is one connection, as the script of a site sees it.
type visit struct {
	net.Conn
	r *bufio.Reader
}

// request reads one request, and reports false when there is none.
func (v *visit) request() (*http.Request, bool) {
	req, err := http.ReadRequest(v.r)
	if err != nil {
		return nil, false
	}
	io.Copy(io.Discard, req.Body)
	return req, true
}

// say answers one request with text, whatever it is.
func (v *visit) say(text string) *visit {
	if _, ok := v.request(); ok {
		io.WriteString(v, text)
	}
	return v
}

// hang waits until the client has closed.
func (v *visit) hang() { io.Copy(io.Discard, v.r) }

// reset closes with RST. What the client has not read by then may be lost.
func (v *visit) reset() {
	v.Conn.(*net.TCPConn).SetLinger(0)
	v.Close()
}

// newSite runs script for each connection, and closes the connection after it.
func newSite(t testing.TB, script func(*visit)) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Listener: l, open: make(map[net.Conn]struct{})}
	s.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
			s.mu.Lock()
			s.open[c] = struct{}{}
			s.mu.Unlock()
			s.conns.Go(func() {
				defer c.Close()
				script(&visit{c, bufio.NewReader(c)})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for c := range s.open {
			c.Close()
		}
		s.mu.Unlock()
		s.conns.Wait()
	})
	return s
}

func (s *site) url() string { return "http://" + s.Addr().String() + "/" }

// names answers queries for A records: 127.0.0.1 for the host "site.test", and
// that there is no such host for others.
func names(t testing.TB) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			c.WriteTo(answerTo(buf[:n]), from)
		}
	})
	t.Cleanup(func() {
		c.Close()
		served.Wait()
	})
	var d net.Dialer
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

// answerTo answers one query.
func answerTo(query []byte) []byte {
	const header = 12
	question := query[header:]
	end := bytes.IndexByte(question, 0) + 1 + 4
	known := bytes.HasPrefix(question, []byte("\x04site\x04test\x00"))
	address := known && binary.BigEndian.Uint16(question[end-4:]) == 1 // A

	answer := append([]byte{}, query[:2]...)
	flags, records := uint16(0x8180), uint16(0)
	if !known {
		flags |= 3 // no such name
	}
	if address {
		records = 1
	}
	for _, v := range []uint16{flags, 1, records, 0, 0} {
		answer = binary.BigEndian.AppendUint16(answer, v)
	}
	answer = append(answer, question[:end]...)
	if address {
		answer = append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return answer
}
