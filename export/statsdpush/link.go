package statsdpush

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

const (
	dialTimeout  = time.Second
	writeTimeout = time.Second
	// A receiver with the default buffer of Linux holds 92 packets of 1432 bytes
	// that it had no time to read yet, so packets go in bursts, and those of a
	// large flush are spread over half a second, with pauses of at most 20 ms.
	burst    = 16
	spread   = 500 * time.Millisecond
	maxPause = 20 * time.Millisecond
	// glance is long enough to hear what has already happened.
	glance = 2 * time.Millisecond
	// streamBuffer is kept small: what the kernel holds when the peer has gone is
	// lost without a word.
	streamBuffer = 64 << 10
	// farewell is how long Close waits for the peer to hang up, which says that
	// it has read everything.
	farewell = time.Second
)

// errHungUp: the peer has closed the connection.
var errHungUp = errors.New("the server has hung up")

// link is the connection to a server, made when it is needed.
type link struct {
	network, address string
	conn             net.Conn // nil: none
	rest             []byte   // of a line that a full stream has cut in two
	packets          int64
	lost             int64 // lines that were cut when the stream broke
	entrusted        int64 // metrics that this connection has taken
}

func (l *link) stream() bool { return l.network == "tcp" || l.network == "unix" }

// deliver sends the batch and returns how many of its metrics, from the first
// on, the kernel has taken. ctx ends it at once. A stream that is full stays
// open, for its peer may only be slow.
func (l *link) deliver(ctx context.Context, b *batch) (metrics int, err error) {
	if len(b.buf) == 0 {
		return len(b.ends), nil
	}
	if err := l.open(ctx); err != nil {
		return 0, err
	}
	defer l.interrupt(ctx)()
	err = l.completeLine(ctx)
	for metrics < len(b.ends) && err == nil {
		if l.network == "udp" {
			metrics, err = l.burst(ctx, b, metrics)
		} else {
			metrics, err = l.write(ctx, b, metrics)
		}
	}
	l.entrusted += int64(metrics)
	full := l.stream() && (ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded))
	if err != nil && !full {
		l.drop()
	}
	return metrics, err
}

// burst sends some packets, then listens whether they are refused. A refusal
// answers one of the packets; who was not there for one was not there for the
// others.
func (l *link) burst(ctx context.Context, b *batch, first int) (next int, err error) {
	next = first
	for range burst {
		if next == len(b.ends) {
			break
		}
		if next, err = l.write(ctx, b, next); err != nil {
			return first, err
		}
	}
	pause := glance
	if next < len(b.ends) {
		bursts := len(b.buf)/(burst*b.limit) + 1
		pause = min(spread/time.Duration(bursts), maxPause)
	}
	if err := l.listen(ctx, pause); err != nil {
		return first, err
	}
	return next, nil
}

// write sends one packet.
func (l *link) write(ctx context.Context, b *batch, first int) (next int, err error) {
	data, next := b.packet(first)
	if !l.stream() && len(data) > 0 {
		data = data[:len(data)-1] // a datagram needs no newline at its end
	}
	if len(data) == 0 {
		return next, nil
	}
	n, err := l.put(ctx, data)
	switch {
	case err == nil:
		l.packets++
		return next, nil
	case !l.stream():
		return first, err
	}
	next = b.within(first, n)
	if written := b.start(first) + n; written > b.start(next) {
		l.rest = slices.Clone(b.buf[written:b.ends[next]])
		next++
	}
	return next, err
}

// completeLine sends the rest of a line that was cut.
func (l *link) completeLine(ctx context.Context) error {
	if len(l.rest) == 0 {
		return nil
	}
	n, err := l.put(ctx, l.rest)
	l.rest = l.rest[n:]
	return err
}

func (l *link) put(ctx context.Context, data []byte) (n int, err error) {
	// The deadline is set before ctx is looked at, so that it cannot undo the one
	// that interrupt sets.
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return l.conn.Write(data)
}

// listen waits for what the peer has to say: nothing, unless it hangs up or
// refuses.
func (l *link) listen(ctx context.Context, d time.Duration) error {
	// As in put, the deadline comes before the look at ctx.
	if err := l.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	var ignored [512]byte
	for ctx.Err() == nil {
		_, err := l.conn.Read(ignored[:])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, io.EOF):
			return errHungUp
		case err != nil:
			return err
		}
	}
	return nil
}

// open makes sure of a connection whose peer is there.
func (l *link) open(ctx context.Context) error {
	if l.conn != nil && l.stream() && l.listen(ctx, glance) != nil {
		l.drop()
	}
	if l.conn != nil {
		return nil
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, l.network, l.address)
	if err != nil {
		return err
	}
	if c, ok := conn.(interface{ SetWriteBuffer(int) error }); ok && l.stream() {
		_ = c.SetWriteBuffer(streamBuffer) // the default does too
	}
	l.conn, l.entrusted = conn, 0
	return nil
}

// interrupt ends reads and writes when ctx ends, until release is called.
func (l *link) interrupt(ctx context.Context) (release func()) {
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

func (l *link) drop() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is left to be told
		l.conn = nil
	}
	if len(l.rest) > 0 {
		l.rest = nil
		l.lost++
	}
}

// close says goodbye. The peer of a stream hangs up in answer, which says that it
// has read everything; when it does not, close returns how many metrics the
// connection has taken.
func (l *link) close(ctx context.Context) (unconfirmed int64) {
	if l.conn == nil {
		return 0
	}
	defer l.drop()
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok || !l.stream() {
		return 0
	}
	defer l.interrupt(ctx)()
	if half.CloseWrite() == nil && errors.Is(l.listen(ctx, farewell), errHungUp) {
		return 0
	}
	return l.entrusted
}
