package httpstats_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// big does not fit into the buffers of a connection.
var big = bytes.Repeat([]byte("x"), 50_000_000)

// pages is what the test servers answer.
func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("/parts", func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Write(body)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { w.Write(big) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(big))
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("no") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/midway", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		panic("no more")
	})
	mux.HandleFunc("/late", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		<-r.Context().Done()
		io.WriteString(w, "ok")
	})
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		go func() { // when the handler has returned, or before
			c.SetWriteDeadline(time.Time{})
			c.SetReadDeadline(time.Time{})
			io.Copy(c, c)
			c.Close()
		}()
	})
	return mux
}

// peer is a client that speaks over a bare connection.
type peer struct {
	*testing.T
	net.Conn
	r *bufio.Reader
}

func (p *peer) send(parts ...string) *peer {
	p.Helper()
	for _, part := range parts {
		if _, err := io.WriteString(p, part); err != nil {
			p.Fatal(err)
		}
	}
	return p
}

// ask sends a request that has no body.
func (p *peer) ask(method, path string, headers ...string) *peer {
	p.Helper()
	return p.send(method + " " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(headers, "", ""), "\r\n"))
}

// answer reads a response.
func (p *peer) answer(want int) *peer {
	p.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		p.Fatal(err)
	}
	if resp.StatusCode != want {
		p.Fatalf("status %d, want %d", resp.StatusCode, want)
	}
	return p
}

// gone reads until the server has closed.
func (p *peer) gone() { io.Copy(io.Discard, p.r) }

// reset closes with RST.
func (p *peer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Close()
}

// begun waits until the server is in the handler.
func (p *peer) begun() *peer {
	p.Helper()
	if _, err := p.r.Peek(1); err != nil {
		p.Fatal(err)
	}
	return p
}

type scenario struct {
	name   string
	client func(*peer) // the connection is closed after it
	want   string      // what is counted beside one accepted connection
	bjoern string      // where bjoern counts otherwise
}

// The values are multiples: "2 req.done" is two.
var scenarios = []scenario{
	{"connect and leave", func(p *peer) {}, "client_disconnected", ""},
	{"one request", func(p *peer) { p.ask("GET", "/ok", "Connection: close").answer(200).gone() }, "read closed", ""},
	{"HTTP/1.0", func(p *peer) { p.send("GET /ok HTTP/1.0\r\n\r\n").answer(200).gone() }, "read closed", ""},
	{"kept alive", func(p *peer) {
		for range 3 {
			p.ask("GET", "/ok").answer(200)
		}
	}, "3 read 3 kept", "3 read 3 kept client_disconnected"},
	{"kept alive, then reset", func(p *peer) {
		p.ask("GET", "/ok").answer(200)
		p.reset()
	}, "read kept error.read", ""},
	{"pipelined", func(p *peer) {
		request := "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
		p.send(request + request + request).answer(200).answer(200).answer(200)
	}, "3 read 3 kept", "3 read 3 kept client_disconnected"},
	{"in parts", func(p *peer) { p.ask("GET", "/parts", "Connection: close").answer(200).gone() }, "read resp.active closed", "read 3 resp.active closed"},
	{"not found", func(p *peer) { p.ask("GET", "/none", "Connection: close").answer(404).gone() }, "read closed", ""},
	{"OPTIONS *", func(p *peer) { p.ask("OPTIONS", "*").answer(200) }, "", ""},

	{"header cut short", func(p *peer) { p.send("GET /ok HT") }, "client_disconnected", "req.active client_disconnected"},
	{"second header cut short", func(p *peer) { p.ask("GET", "/ok").answer(200).send("GET /ok HT") }, "read kept client_disconnected", "read kept req.active client_disconnected"},
	{"reset before a byte", func(p *peer) { p.reset() }, "error.read", ""},
	{"garbage", func(p *peer) { p.send("garbage\r\n\r\n").answer(400).gone() }, "error.parse closed", ""},
	{"TLS on a plain port", func(p *peer) {
		if err := tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
			p.Error("handshake succeeded")
		}
	}, "error.parse closed", ""},
	{"garbage after a request", func(p *peer) { p.ask("GET", "/ok").answer(200).send("garbage\r\n\r\n").answer(400).gone() }, "read kept error.parse closed", ""},
	{"no host", func(p *peer) { p.send("GET /ok HTTP/1.1\r\n\r\n").answer(400).gone() }, "error.parse closed", ""},
	{"headers too long", func(p *peer) { p.ask("GET", "/ok", "X: "+strings.Repeat("x", 8<<10)).answer(431).gone() }, "error.parse closed", "2 req.active error.parse closed"},
	{"coding not known", func(p *peer) { p.ask("POST", "/post", "Transfer-Encoding: odd").answer(501).gone() }, "error.parse closed", ""},
	{"version not known", func(p *peer) { p.send("GET /ok HTTP/3.0\r\nHost: a\r\n\r\n").answer(505).gone() }, "error.parse closed", ""},
	{"expects something else", func(p *peer) { p.ask("GET", "/ok", "Expect: wonders").answer(417).gone() }, "error.parse closed", ""},
	{"expects something else, with a body", func(p *peer) {
		p.ask("POST", "/ok", "Expect: wonders", "Content-Length: 4").send("body").answer(417).gone()
	}, "error.parse closed", ""},

	{"posted at once", func(p *peer) {
		p.send("POST /post HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody").answer(200).gone()
	}, "read closed", ""},
	{"posted after a continue", func(p *peer) {
		p.ask("POST", "/post", "Connection: close", "Content-Length: 4", "Expect: 100-continue").answer(100).send("body").answer(200).gone()
	}, "read closed", ""},
	{"posted malformed", func(p *peer) {
		p.ask("POST", "/post", "Connection: close", "Transfer-Encoding: chunked").send("4\r\nbody\r\nnothex\r\n\r\n").answer(400).gone()
	}, "error.parse closed", ""},
	{"post cut short", func(p *peer) {
		p.ask("POST", "/post", "Connection: close", "Content-Length: 9").send("body").Conn.(*net.TCPConn).CloseWrite()
		p.answer(400).gone()
	}, "req.active client_disconnected closed", "+ req.active client_disconnected closed"},
	{"post not read", func(p *peer) {
		p.ask("POST", "/ok", "Content-Length: 4").send("body").answer(200)
	}, "read kept", "read kept client_disconnected"},

	{"panic", func(p *peer) { p.ask("GET", "/panic").gone() }, "read error.internal aborted", "read error.internal closed"},
	{"abort", func(p *peer) { p.ask("GET", "/abort").gone() }, "read aborted", "read closed"},
	{"panic midway", func(p *peer) { p.ask("GET", "/midway").gone() }, "read error.internal resp.active aborted", "read resp.active aborted"},

	{"50 MB", func(p *peer) { p.ask("GET", "/big", "Connection: close").answer(200).gone() }, "read resp.active closed", "read + resp.active closed"},
	{"50 MB, reset midway", func(p *peer) {
		p.ask("GET", "/big").begun().reset()
	}, "read resp.active aborted", "read + resp.active closed"},
	{"50 MB, left midway", func(p *peer) { p.ask("GET", "/big").begun() }, "read resp.active aborted", "read + resp.active closed"},
	{"reset before the answer", func(p *peer) {
		p.ask("GET", "/late").answer(103).reset()
	}, "read aborted", "read closed"},
	{"50 MB from a file", func(p *peer) { p.ask("GET", "/file", "Connection: close").answer(200).gone() }, "read resp.active closed", "read + resp.active closed"},
	{"hijacked", func(p *peer) {
		p.ask("GET", "/hijack").answer(101).send("echo")
		if _, err := p.r.Discard(4); err != nil {
			p.Error(err)
		}
	}, "read closed", ""},
}

// expand returns the counters that a word of a scenario stands for.
var expand = map[string][]string{
	"read":                {"req.success.read", "req.done"},
	"error.parse":         {"req.error.parse", "req.done"},
	"error.internal":      {"req.error.internal"},
	"error.read":          {"req.error.read", "req.aborted"},
	"client_disconnected": {"req.error.client_disconnected", "req.aborted"},
	"kept":                {"resp.done", "resp.done.keepalive"},
	"closed":              {"resp.done", "resp.conn.close"},
	"aborted":             {"resp.aborted"},
	"req.active":          {"req.active"},
	"resp.active":         {"resp.active"},
}

// counts returns what the words of a scenario say. After a plus sign any number
// will do, so it takes the one of got.
func counts(t *testing.T, words string, got map[string]int64) map[string]int64 {
	want := map[string]int64{"conn.accept.success": 1}
	n, any := int64(1), false
	for _, word := range strings.Fields(words) {
		if word == "+" {
			any = true
			continue
		}
		if _, err := fmt.Sscan(word, &n); err == nil {
			continue
		}
		names, ok := expand[word]
		if !ok {
			t.Fatalf("no such word: %q", word)
		}
		for _, name := range names {
			want[name] += n
			if any {
				want[name] = max(1, got[name])
			}
		}
		n, any = 1, false
	}
	return want
}

func invariants(t *testing.T, got map[string]int64) {
	t.Helper()
	for _, rule := range [][3]string{
		{"req.done", "req.success.read", "req.error.parse"},
		{"req.aborted", "req.error.client_disconnected", "req.error.read"},
		{"resp.done", "resp.done.keepalive", "resp.conn.close"},
	} {
		if sum := got[rule[1]] + got[rule[2]]; got[rule[0]] != sum {
			t.Errorf("%s = %d, but %s + %s = %d", rule[0], got[rule[0]], rule[1], rule[2], sum)
		}
	}
}

// serve runs a server whose connections count in st, and returns the way to wait
// for the end of all of them.
func serve(t *testing.T, st *stats.Statistics, wrap func(*stats.Statistics, net.Listener) net.Listener, srv *http.Server) (address string, wait func(n int)) {
	t.Helper()
	l, ends := listen(t)
	srv.ConnState = ends.state
	srv.Handler = httpstats.Handler(st, srv.Handler)
	srv.ErrorLog = log.New(io.Discard, "", 0)
	served := make(chan error)
	go func() { served <- srv.Serve(wrap(st, l)) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), ends.wait
}

func dial(t *testing.T, address string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{t, c, bufio.NewReader(c)}
}

func play(t *testing.T, s scenario, wrap func(*stats.Statistics, net.Listener) net.Listener, words string) {
	st := stats.New()
	address, wait := serve(t, st, wrap, &http.Server{Handler: pages(), MaxHeaderBytes: 1 << 10})
	p := dial(t, address)
	s.client(p)
	p.Close()
	wait(1)
	got := counted(st, "http.")
	if diff := cmp.Diff(counts(t, words, got), got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
	invariants(t, got)
}

func TestServer(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			play(t, s, httpstats.Listener, s.want)
		})
	}
}

func TestServerAsBjoern(t *testing.T) {
	for _, s := range scenarios {
		if s.bjoern == "" {
			s.bjoern = s.want
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			play(t, s, httpstats.BjoernListener, s.bjoern)
		})
	}
}

// What this side closes is nobody's failure, nor is a client that has nothing to
// ask when the server closes it for being idle.
func TestServerCloses(t *testing.T) {
	for name, tt := range map[string]struct {
		server *http.Server
		client func(*peer, *http.Server, *stats.Statistics)
		want   string
	}{
		"shutdown": {
			server: new(http.Server),
			client: func(p *peer, srv *http.Server, st *stats.Statistics) {
				p.ask("GET", "/ok").answer(200)
				for counted(st, "http.")["resp.done.keepalive"] == 0 {
					runtime.Gosched()
				}
				if err := srv.Shutdown(t.Context()); err != nil {
					p.Error(err)
				}
			},
			want: "read kept",
		},
		"idle for too long": {
			server: &http.Server{IdleTimeout: time.Millisecond},
			client: func(p *peer, _ *http.Server, _ *stats.Statistics) { p.ask("GET", "/ok").answer(200).gone() },
			want:   "read kept",
		},
		"headers in time": {
			server: &http.Server{ReadHeaderTimeout: 200 * time.Millisecond},
			client: func(p *peer, _ *http.Server, _ *stats.Statistics) { p.send("GET /ok HT").gone() },
			want:   "error.read",
		},
		"never a word": {
			server: &http.Server{ReadHeaderTimeout: time.Millisecond},
			client: func(p *peer, _ *http.Server, _ *stats.Statistics) { p.gone() },
		},
		"body in time": {
			server: &http.Server{ReadTimeout: 50 * time.Millisecond},
			client: func(p *peer, _ *http.Server, _ *stats.Statistics) {
				p.ask("POST", "/post", "Content-Length: 9").send("body").answer(400).gone()
			},
			want: "req.active error.read closed",
		},
		"no keep-alives": {
			server: new(http.Server),
			client: func(p *peer, srv *http.Server, _ *stats.Statistics) {
				srv.SetKeepAlivesEnabled(false)
				p.ask("GET", "/ok").answer(200).gone()
			},
			want: "read closed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := stats.New()
			tt.server.Handler = pages()
			address, wait := serve(t, st, httpstats.Listener, tt.server)
			p := dial(t, address)
			tt.client(p, tt.server, st)
			p.Close()
			wait(1)
			got := counted(st, "http.")
			if diff := cmp.Diff(counts(t, tt.want, got), got); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
			invariants(t, got)
		})
	}
}

// failing is a listener out of file descriptors, and then closed.
type failing struct {
	net.Listener
	errs []error
}

func (l *failing) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

func TestAcceptError(t *testing.T) {
	st := stats.New()
	l := httpstats.Listener(st, &failing{errs: []error{syscall.EMFILE, &net.OpError{Op: "accept", Err: net.ErrClosed}}})
	for range 2 {
		if _, err := l.Accept(); err == nil {
			t.Error("accepted")
		}
	}
	if diff := cmp.Diff(map[string]int64{"conn.accept.error": 1}, counted(st, "http.")); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// A handler sees what it would see without us.
func TestHandlerIsTransparent(t *testing.T) {
	st := stats.New()
	var inner, outer *http.Request
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{id}", func(w http.ResponseWriter, r *http.Request) {
		inner = r
		if _, ok := w.(http.Flusher); !ok {
			t.Error("the writer cannot flush")
		}
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("the writer cannot send files")
		}
	})
	l, ends := listen(t)
	counting := httpstats.Handler(st, mux)
	srv := &http.Server{ConnState: ends.state, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer = r
		counting.ServeHTTP(w, r)
	})}
	served := make(chan error)
	go func() { served <- srv.Serve(httpstats.Listener(st, l)) }()
	p := dial(t, l.Addr().String())
	p.ask("GET", "/page/7", "Connection: close").answer(200).gone()
	ends.wait(1)
	srv.Close()
	<-served

	if addr, ok := inner.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); !ok || addr.String() != l.Addr().String() {
		t.Errorf("local address is %v", inner.Context().Value(http.LocalAddrContextKey))
	}
	if outer.Pattern != "GET /page/{id}" {
		t.Errorf("pattern is %q", outer.Pattern)
	}
}

// Encrypted, requests are told apart as far as one can see.
func TestServerWithTLS(t *testing.T) {
	plain := httptest.NewUnstartedServer(nil)
	plain.StartTLS()
	defer plain.Close()
	cert := plain.TLS.Certificates[0]

	session := func(p *peer) *peer {
		c := tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
		if err := c.Handshake(); err != nil {
			p.Fatal(err)
		}
		return &peer{p.T, c, bufio.NewReader(c)}
	}
	for _, s := range []scenario{
		{"no request", func(p *peer) { session(p).Close() }, "client_disconnected", ""},
		{"no handshake", func(p *peer) {}, "client_disconnected", ""},
		{"kept alive", func(p *peer) {
			q := session(p)
			for range 3 {
				q.ask("GET", "/ok").answer(200)
			}
			q.Close()
		}, "3 read 3 kept", ""},
		{"closed", func(p *peer) { session(p).ask("GET", "/ok", "Connection: close").answer(200).gone() }, "read closed", ""},
		{"garbage", func(p *peer) { session(p).send("garbage\r\n\r\n").answer(400).gone() }, "error.parse closed", ""},
		{"not encrypted", func(p *peer) { p.ask("GET", "/ok").answer(400).gone() }, "error.parse closed", ""},
		{"reset midway", func(p *peer) {
			session(p).ask("GET", "/big").begun()
			p.Conn.(*net.TCPConn).SetLinger(0)
		}, "read resp.active aborted", ""},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			wrap := func(st *stats.Statistics, l net.Listener) net.Listener {
				return tls.NewListener(httpstats.Listener(st, l), &tls.Config{Certificates: []tls.Certificate{cert}})
			}
			play(t, s, wrap, s.want)
		})
	}
}

// Over HTTP/2 a response is over when the handler returns.
func TestServerWithHTTP2(t *testing.T) {
	for name, tt := range map[string]struct {
		path, want string
	}{
		"ok":     {"/ok", "read kept"},
		"parts":  {"/parts", "read kept"},
		"panic":  {"/panic", "read error.internal aborted"},
		"cancel": {"/wait", "read aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			st := stats.New()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			mux := http.NewServeMux()
			mux.Handle("/", pages())
			mux.HandleFunc("/wait", func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			})
			counting := httpstats.Handler(st, mux)
			over := make(chan struct{})
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(over)
				counting.ServeHTTP(w, r)
			}))
			srv.Listener = httpstats.Listener(st, srv.Listener)
			srv.EnableHTTP2 = true
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.StartTLS()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := srv.Client().Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.ProtoMajor != 2 {
					t.Errorf("protocol is %s", resp.Proto)
				}
			}
			srv.Close()
			<-over
			got := counted(st, "http.")
			if diff := cmp.Diff(counts(t, tt.want, got), got); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
		})
	}
}

// Without a Listener in front the end of the handler is the end.
func TestHandlerAlone(t *testing.T) {
	st := stats.New()
	h := httpstats.Handler(st, pages())
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/ok", nil),
		httptest.NewRequest("POST", "/post", strings.NewReader("body")),
		httptest.NewRequest("POST", "/post", iotest.ErrReader(errors.New("broken"))),
	} {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	closing := httptest.NewRequest("GET", "/ok", nil)
	closing.Close = true
	h.ServeHTTP(httptest.NewRecorder(), closing)
	func() {
		defer func() {
			if p := recover(); p != "no" {
				t.Errorf("recovered %v", p)
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/panic", nil))
	}()
	got := counted(st, "http.")
	want := counts(t, "4 read error.read + req.active 3 kept closed error.internal aborted", got)
	delete(want, "conn.accept.success")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
	invariants(t, got)
}
