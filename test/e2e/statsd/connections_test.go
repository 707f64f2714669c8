package statsd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	client "github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

// exhausted fails to accept a connection, once.
type exhausted struct {
	net.Listener
	told bool
}

func (l *exhausted) Accept() (net.Conn, error) {
	if !l.told {
		l.told = true
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE} // net/http tries again
	}
	return l.Listener.Accept()
}

// serveVisitors has a server meet every fate of a connection, and returns what
// it must have counted.
func serveVisitors(t *testing.T, st *stats.Statistics) map[string]int64 {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("no") })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 50_000_000)) })

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{}, 100)
	srv := &http.Server{
		Handler:  httpstats.Handler(st, mux),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		},
	}
	served := make(chan error)
	go func() { served <- srv.Serve(httpstats.Listener(st, &exhausted{Listener: l})) }()

	const get, end = "GET %s HTTP/1.1\r\nHost: a\r\n", "\r\n"
	visit := func(request string, leave func(*net.TCPConn, *bufio.Reader)) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		leave(c.(*net.TCPConn), bufio.NewReader(c))
		c.Close()
		<-closed
	}
	gone := func(_ *net.TCPConn, r *bufio.Reader) { io.Copy(io.Discard, r) }
	now := func(*net.TCPConn, *bufio.Reader) {}
	reset := func(c *net.TCPConn, _ *bufio.Reader) { c.SetLinger(0) }
	midway := func(c *net.TCPConn, r *bufio.Reader) {
		if _, err := r.Peek(1); err != nil {
			t.Error(err)
		}
		c.SetLinger(0)
	}
	idle := func(c *net.TCPConn, r *bufio.Reader) {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	visit("", now)
	visit("", reset)
	visit("garbage\r\n\r\n", gone)
	visit(fmt.Sprintf(get, "/ok")+"Expect: wonders\r\n"+end, gone)
	visit(fmt.Sprintf(get, "/ok")+end, idle)
	visit(fmt.Sprintf(get, "/ok")+"Connection: close\r\n"+end, gone)
	visit(fmt.Sprintf(get, "/panic")+end, gone)
	visit(fmt.Sprintf(get, "/big")+end, midway)
	visit("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody", func(c *net.TCPConn, r *bufio.Reader) {
		c.CloseWrite()
		gone(c, r)
	})

	srv.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	return map[string]int64{
		"conn.accept.error": 1, "conn.accept.success": 9,
		"req.error.client_disconnected": 2, "req.error.read": 1, "req.error.parse": 2, "req.error.internal": 1,
		"req.success.read": 4, "req.active": 1, "req.done": 6, "req.aborted": 3,
		"resp.active": 1, "resp.done": 5, "resp.done.keepalive": 2, "resp.conn.close": 3, "resp.aborted": 2,
	}
}

// The fifteen counters of a server arrive under the names that bjoern gives
// them, with tags and without.
func TestConnections(t *testing.T) {
	tags, err := statsdpush.ParseTags("app:my-app-name,zone:central-europe")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		tags   []client.Tag
		suffix string // of etsy's names
	}{
		"plain":  {},
		"tagged": {tags, ";app=my-app-name;zone=central-europe"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startEtsy(t, time.Hour)
			st := stats.New()
			counted := serveVisitors(t, st)
			closed(t, push(t, st, srv, "udp", statsdpush.Config{Prefix: "bjoern", OmitID: true, Tags: tt.tags}))
			want := make(map[string]int64)
			for event, n := range counted {
				if got := st.Snapshot().Counters["http."+event]; got != n {
					t.Errorf("%s = %d, want %d", event, got, n)
				}
				want["bjoern."+event+tt.suffix] = n
			}
			arrived(t, srv, want)
			content(t, srv)
		})
	}
}
