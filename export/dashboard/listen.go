package dashboard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A Server serves pages for this machine. Make one with Listen.
type Server struct {
	URL string // of the root, such as http://127.0.0.1:8077/

	server *http.Server
	ended  chan struct{}
}

// Listen serves h, which is a Dashboard or a mux with one in it, on an address
// such as "127.0.0.1:8077" or ":0". Without a host it is the loopback interface
// alone. It returns once connections are accepted.
func Listen(ctx context.Context, address string, h http.Handler) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dashboard: listen: %w: use an address such as 127.0.0.1:8077", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("dashboard: listen: %w", err)
	}
	s := &Server{
		URL:    "http://" + reachable(listener.Addr()) + "/",
		server: &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second},
		ended:  make(chan struct{}),
	}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener) // until it is closed
	}()
	return s, nil
}

// reachable returns an address by which this machine reaches a listener. One for
// all interfaces is no name that a Dashboard answers to.
func reachable(at net.Addr) string {
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return at.String()
}

// Close closes all connections and returns when nothing is served any more. It is
// safe on nil. Close the Dashboard first: then its feeds have ended properly.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	err := s.server.Close()
	<-s.ended
	return err
}
