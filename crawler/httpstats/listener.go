package httpstats

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/crawlstats/crawlstats/stats"
)

// Listener returns a listener that counts in s the connections it accepts from l
// and, for a [Handler] of s behind it, what becomes of their requests and
// responses.
//
//	srv := &http.Server{Handler: httpstats.Handler(st, mux)}
//	err := srv.Serve(httpstats.Listener(st, l))
//
// The two belong together, with the Handler around everything that the server
// answers. A Listener alone counts accepted connections, and those that end
// without a request. For TLS it stands below: srv.ServeTLS(listener, …) or
// tls.NewListener(listener, …).
func Listener(s *stats.Statistics, l net.Listener) net.Listener {
	return &listener{Listener: l, server: newServer(s)}
}

// BjoernListener is a Listener that counts as bjoern does, not as it documents,
// for dashboards that were made for it. docs/HTTP.md lists the differences.
func BjoernListener(s *stats.Statistics, l net.Listener) net.Listener {
	return &listener{Listener: l, server: newServer(s), bjoern: true}
}

type listener struct {
	net.Listener
	server *server
	bjoern bool
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		if !errors.Is(err, net.ErrClosed) { // the end is no failure
			l.server.acceptError.Inc()
		}
		return nil, err
	}
	l.server.accepted.Inc()
	if _, ok := c.(*tls.Conn); ok { // net/http must see it as what it is
		return c, nil
	}
	return &conn{Conn: c, server: l.server, bjoern: l.bjoern}, nil
}
