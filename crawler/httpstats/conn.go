package httpstats

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A conn is a connection of a server. It follows net/http from outside: by what
// is read and written while no handler runs, by the deadlines that are set, and
// by what the Handler says.
type conn struct {
	net.Conn
	server *server
	bjoern bool

	mu      sync.Mutex
	stage   stage
	served  bool  // the Handler has got a request
	tls     bool  // what is read are records of TLS
	apart   bool  // its requests are counted by the Handler alone, or by nobody
	refused bool  // net/http has answered a request that it does not accept
	failed  error // of the last read, while no handler ran
	broken  error // of any read, when it is neither the end nor a deadline

	// Of the response on its way.
	begun    bool // a part was written while the handler ran
	cut      bool // it is aborted
	hijacked bool
}

type stage uint8

const (
	waiting   stage = iota // for the first byte of a request
	reading                // a request, up to the handler
	serving                // the handler runs
	answering              // it has returned, and net/http sends the rest
	answered               // that is sent, and the connection is kept or closed
	closed
)

// Read marks the begin of a request, and how a connection ends.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.bjoern && c.stage == reading && !c.refused && len(p) > 1 { // one byte is read while a handler runs
		c.server.reqActive.Inc() // the read before was not enough
	}
	c.mu.Unlock()

	n, err := c.Conn.Read(p)

	c.mu.Lock()
	defer c.mu.Unlock()
	if isBreak(err) {
		c.broken = err
	}
	if c.stage != waiting && c.stage != reading {
		return n, err
	}
	if c.tls {
		c.refused = false // it was a guess, see isRefusal
	}
	if n > 0 {
		if c.stage == waiting && !c.served {
			c.tls = p[0] == tlsHandshake
		}
		c.stage = reading
	}
	c.failed = err
	return n, err
}

// isBreak reports whether err, of a read, is neither the end nor a deadline. Such
// an error is reported once, maybe to the read that waits while a handler runs.
func isBreak(err error) bool {
	return err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed)
}

const tlsHandshake = 0x16 // the type of the first record of TLS

// Write marks a response that takes more than one write, and what net/http
// answers without a handler.
func (c *conn) Write(p []byte) (int, error) {
	c.writing(p)
	n, err := c.Conn.Write(p)
	c.written(err)
	return n, err
}

// ReadFrom keeps sendfile.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	c.writing(nil)
	n, err := io.Copy(c.Conn, r)
	c.written(err)
	return n, err
}

func (c *conn) writing(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.stage {
	case serving:
		if c.hijacked || isInterim(p) {
			return
		}
		if !c.begun || c.bjoern {
			c.server.respActive.Inc()
		}
		c.begun = true
	case waiting, reading:
		switch {
		case isRefusal(p, c.tls):
			c.refused = true
		case isResponse(p): // to OPTIONS *, or by another handler
			c.stage, c.apart = waiting, true
		}
	}
}

func (c *conn) written(err error) {
	if err == nil || c.bjoern {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
}

func isResponse(p []byte) bool { return bytes.HasPrefix(p, []byte("HTTP/1.")) }

// isInterim reports whether p is a response before the response, such as 100
// Continue.
func isInterim(p []byte) bool { return isResponse(p) && class(p) == '1' }

// isRefusal reports whether p, written while no handler ran, is the answer of
// net/http to a request that it does not accept. Encrypted it is known by its
// length when nothing is read after it: of what else is sent then, alerts, none
// is as long.
func isRefusal(p []byte, encrypted bool) bool {
	const longestAlert = 96
	return isResponse(p) && class(p) >= '4' || encrypted && len(p) > longestAlert
}

// class returns the first digit of the status of a response, 0 without one.
func class(p []byte) byte {
	const status = len("HTTP/1.1 ")
	if len(p) <= status {
		return 0
	}
	return p[status]
}

// SetWriteDeadline is called by net/http, without a time, when it has sent a
// response.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	if c.stage == answering && !c.hijacked && t.IsZero() {
		c.stage = answered
	}
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// SetReadDeadline is what follows when it keeps the connection.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	if c.stage == answered {
		c.answer(true)
		c.stage = waiting
	}
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline is called by net/http only to hand a hijacked connection over.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.hijacked = c.hijacked || c.stage == serving
	c.mu.Unlock()
	return c.Conn.SetDeadline(t)
}

// LocalAddr returns an address that leads the Handler to its connection, since
// net/http puts it into the context of every request.
func (c *conn) LocalAddr() net.Addr { return &localAddr{c.Conn.LocalAddr(), c} }

type localAddr struct {
	net.Addr
	conn *conn
}

// CloseWrite is what net/http closes before it waits for a client to notice.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn returns the connection as it was accepted.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Close marks the end of the last response, or of a request that came to none.
func (c *conn) Close() error {
	c.mu.Lock()
	c.close()
	c.mu.Unlock()
	return c.Conn.Close()
}

// answer books the response that has ended.
func (c *conn) answer(kept bool) {
	if c.cut {
		c.server.aborted()
	} else {
		c.server.done(kept)
	}
}

func (c *conn) close() {
	switch c.stage {
	case waiting, reading:
		if !c.apart {
			c.leave()
		}
	case serving: // by the hijacker, after a failed write, or by Server.Close
		c.cut = c.cut || !c.hijacked && !c.bjoern
		c.answer(false)
	case answering, answered:
		c.answer(false)
	}
	c.stage = closed
}

// leave books a connection that ends while no request is answered.
func (c *conn) leave() {
	// Of an encrypted request the first bytes look like the alert that says goodbye.
	idle := c.served && (c.stage == waiting || c.tls)
	switch {
	case c.broken != nil:
		c.server.readFailed()
	case errors.Is(c.failed, io.EOF): // also when net/http complains about the rest
		if !idle || c.bjoern {
			c.server.clientLeft()
		}
	case errors.Is(c.failed, os.ErrDeadlineExceeded):
		if c.stage == reading && !idle {
			c.server.readFailed()
		}
	case c.refused:
		c.server.refused()
		c.answer(false)
	case c.tls && !c.served: // it said goodbye before its first request
		c.server.clientLeft()
	}
}

// serve marks that the Handler has got a request.
func (c *conn) serve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stage, c.served, c.apart = serving, true, false
	c.begun, c.cut, c.failed = false, false, nil
}

// serveApart marks that the connection is one of HTTP/2.
func (c *conn) serveApart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stage, c.apart = waiting, true
}

// returned marks that the Handler has returned, with a panic or without. It
// reports whether a part of the response was on its way.
func (c *conn) returned(panicked bool) (begun bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if panicked && (c.begun || !c.bjoern) { // bjoern answers 500 while it can
		c.cut = true
	}
	if c.stage == serving {
		c.stage = answering
	}
	return c.begun
}
