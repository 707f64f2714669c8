package httpstats_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// soon is a timeout that passes.
const soon = 50 * time.Millisecond

func compressed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

var (
	text    = strings.Repeat("crawl ", 2000)
	gzipped = compressed(text)
)

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// sized is a response with a header and a body of the right length.
func sized(header, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
}

// An errand is what a client does. It returns what went wrong.
type errand func(ctx context.Context, c *http.Client, url string) error

// read gets a page and reads it to its end.
func read(ctx context.Context, c *http.Client, url string) error {
	return do(ctx, c, http.MethodGet, url, nil, nil)
}

func do(ctx context.Context, c *http.Client, method, url string, header http.Header, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// with returns an errand with a method and headers.
func with(method string, header http.Header) errand {
	return func(ctx context.Context, c *http.Client, url string) error {
		return do(ctx, c, method, url, header, nil)
	}
}

// within returns an errand whose context ends too soon.
func within(ctx context.Context, c *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	return read(ctx, c, url)
}

// timed returns an errand whose client has no patience.
func timed(ctx context.Context, c *http.Client, url string) error {
	c.Timeout = soon
	return read(ctx, c, url)
}

// quit gets a page, and then cancels.
func quit(ctx context.Context, c *http.Client, url string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	cancel()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// leave gets a page and closes it unread.
func leave(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// A story is that of a client and a site: what the Transport counts in
// StatusCodes, under "http." and "wire.", and how often it times each phase.
type story struct {
	name   string
	site   func(*visit)
	client errand
	base   func(*http.Transport)
	fails  stats.ErrorKind // of the error that the client sees
	codes  map[int]int64
	events string // words that stand for several events, see meanings; "2 kept" is two of them
	wire   map[string]int64
	phases map[string]int64
}

type (
	codes  = map[int]int64
	wire   = map[string]int64
	phases = map[string]int64
)

var stories = []story{
	{
		name: "a page", site: func(v *visit) { v.say(hello).hang() }, client: read,
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": 5, "bytes.content": 5},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "two pages", site: func(v *visit) { v.say(hello).say(hello).hang() },
		client: func(ctx context.Context, c *http.Client, url string) error {
			return errors.Join(read(ctx, c, url), read(ctx, c, url))
		},
		codes: codes{200: 2}, events: "dialed reused 2 written 2 done 2 kept",
		wire:   wire{"bytes.wire": 10, "bytes.content": 10},
		phases: phases{"connect": 1, "ttfb": 2, "body": 2},
	},
	{
		name: "a name", site: func(v *visit) { v.say(hello).hang() },
		client: func(ctx context.Context, c *http.Client, url string) error {
			return read(ctx, c, strings.Replace(url, "127.0.0.1", "site.test", 1))
		},
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": 5, "bytes.content": 5},
		phases: phases{"dns": 1, "connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "closed after", site: func(v *visit) {
			v.say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
		}, client: read,
		codes: codes{200: 1}, events: "dialed written done closed",
		wire:   wire{"bytes.wire": 5, "bytes.content": 5},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "chunked", site: func(v *visit) {
			v.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").hang()
		}, client: read,
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": 5, "bytes.content": 5},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "early hints", site: func(v *visit) { v.say("HTTP/1.1 103 Early Hints\r\n\r\n" + hello).hang() }, client: read,
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": 5, "bytes.content": 5},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "compressed", site: func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", gzipped)).hang() }, client: read,
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": int64(len(gzipped)), "bytes.content": int64(len(text))},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "compressed as asked", site: func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", gzipped)).hang() },
		client: with(http.MethodGet, http.Header{"Accept-Encoding": {"gzip"}}),
		codes:  codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": int64(len(gzipped)), "bytes.content": int64(len(gzipped))},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "compressed unasked", site: func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", gzipped)).hang() }, client: read,
		base:  func(t *http.Transport) { t.DisableCompression = true },
		codes: codes{200: 1}, events: "dialed written done kept",
		wire:   wire{"bytes.wire": int64(len(gzipped)), "bytes.content": int64(len(gzipped))},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "compressed wrongly", site: func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", strings.Repeat("?", 20))).hang() },
		client: read, fails: stats.KindDecode,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 20, "error.decode": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "compressed in part", site: func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", gzipped[:20])).hang() },
		client: read, fails: stats.KindReset,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 20, "error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "HEAD", site: func(v *visit) { v.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").hang() }, client: with(http.MethodHead, nil),
		codes: codes{200: 1}, events: "dialed written done kept",
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "no content", site: func(v *visit) { v.say("HTTP/1.1 204 No Content\r\n\r\n").hang() }, client: read,
		codes: codes{204: 1}, events: "dialed written done kept",
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "not modified", site: func(v *visit) { v.say("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").hang() }, client: read,
		codes: codes{304: 1}, events: "dialed written done kept",
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "switching protocols", site: func(v *visit) {
			v.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
			io.CopyN(v, v.r, 4)
			v.hang()
		},
		client: func(ctx context.Context, c *http.Client, url string) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			req.Header = http.Header{"Connection": {"upgrade"}, "Upgrade": {"echo"}}
			resp, err := c.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			stream := resp.Body.(interface {
				io.ReadWriteCloser
				CloseWrite() error
			})
			io.WriteString(stream, "ping")
			if _, err := io.CopyN(io.Discard, stream, 4); err != nil {
				return err
			}
			return stream.CloseWrite()
		},
		codes: codes{101: 1}, events: "dialed written done closed",
		wire:   wire{"bytes.wire": 4, "bytes.content": 4},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "not wanted", site: func(v *visit) { v.say(sized("", text)).hang() }, client: leave,
		codes: codes{200: 1}, events: "dialed written aborted",
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "redirects", site: func(v *visit) {
			for range 2 {
				v.say("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 2\r\n\r\n->")
			}
			v.say(hello).hang()
		}, client: read,
		codes: codes{302: 2, 200: 1}, events: "dialed 2 reused 3 written 3 done 3 kept",
		wire:   wire{"bytes.wire": 9, "bytes.content": 9, "redirects": 2},
		phases: phases{"connect": 1, "ttfb": 3, "body": 3},
	},
	{
		name: "replayed on a new connection", site: func(v *visit) { v.say(hello).request() },
		client: func(ctx context.Context, c *http.Client, url string) error {
			return errors.Join(read(ctx, c, url), read(ctx, c, url))
		},
		codes: codes{200: 2}, events: "2 dialed 2 written 2 done 2 kept",
		wire:   wire{"bytes.wire": 10, "bytes.content": 10},
		phases: phases{"connect": 2, "ttfb": 2, "body": 2},
	},

	{
		name: "refused", site: (*visit).hang, fails: stats.KindConnect,
		client: func(ctx context.Context, c *http.Client, _ string) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			l.Close()
			return read(ctx, c, "http://"+l.Addr().String())
		},
		events: "dial.error", wire: wire{"error.connect": 1},
		phases: phases{"connect": 1},
	},
	{
		name: "no such host", site: (*visit).hang, fails: stats.KindDNS,
		client: func(ctx context.Context, c *http.Client, _ string) error { return read(ctx, c, "http://nowhere.test/") },
		events: "dial.error", wire: wire{"error.dns": 1},
		phases: phases{"dns": 1},
	},
	{
		name: "no TLS", site: func(v *visit) { io.WriteString(v, "HTTP/1.1 200 OK\r\n\r\n") }, fails: stats.KindProtocol,
		client: func(ctx context.Context, c *http.Client, url string) error {
			return read(ctx, c, strings.Replace(url, "http:", "https:", 1))
		},
		events: "dial.error", wire: wire{"error.tls": 1},
		phases: phases{"connect": 1, "tls": 1},
	},
	{
		name: "TLS in time", site: (*visit).hang, fails: stats.KindTimeout,
		client: func(ctx context.Context, c *http.Client, url string) error {
			return within(ctx, c, strings.Replace(url, "http:", "https:", 1))
		},
		events: "dial.error", wire: wire{"error.timeout": 1},
		phases: phases{"connect": 1, "tls": 1},
	},
	{
		name: "headers in time", site: (*visit).hang, client: within, fails: stats.KindTimeout,
		events: "dialed written req.aborted", wire: wire{"error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "headers in time of the client", site: (*visit).hang, client: timed, fails: stats.KindTimeout,
		events: "dialed written req.aborted", wire: wire{"error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "headers in time of the transport", site: (*visit).hang, client: read, fails: stats.KindTimeout,
		base:   func(t *http.Transport) { t.ResponseHeaderTimeout = soon },
		events: "dialed written req.aborted", wire: wire{"error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "rest of the headers in time", site: func(v *visit) { v.say("HTTP/1.1 200 OK\r\nX").hang() }, client: within, fails: stats.KindTimeout,
		events: "dialed written aborted", wire: wire{"error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "body in time", site: func(v *visit) { v.say(hello[:len(hello)-2]).hang() }, client: within, fails: stats.KindTimeout,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 3, "bytes.content": 3, "error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "body in time of the client", site: func(v *visit) { v.say(hello[:len(hello)-2]).hang() }, client: timed, fails: stats.KindTimeout,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 3, "bytes.content": 3, "error.timeout": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "cancelled in the body", site: func(v *visit) { v.say(hello[:len(hello)-5]).hang() }, client: quit, fails: stats.KindCanceled,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"error.canceled": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "cancelled before", site: (*visit).hang, fails: stats.KindCanceled,
		client: func(ctx context.Context, c *http.Client, url string) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return read(ctx, c, url)
		},
		events: "req.aborted", wire: wire{"error.canceled": 1},
	},
	{
		name: "truncated", site: func(v *visit) { v.say(hello[:len(hello)-2]) }, client: read, fails: stats.KindReset,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 3, "bytes.content": 3, "error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "truncated in a chunk", site: func(v *visit) {
			v.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
		}, client: read, fails: stats.KindReset,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 3, "bytes.content": 3, "error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "truncated headers", site: func(v *visit) { v.say("HTTP/1.1 200 OK\r\nX: y") }, client: read, fails: stats.KindReset,
		events: "dialed written aborted", wire: wire{"error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "malformed", site: func(v *visit) { v.say("what is it?\r\n\r\n") }, client: read, fails: stats.KindProtocol,
		events: "dialed written resp.error.parse", wire: wire{"error.protocol": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "malformed chunk", site: func(v *visit) { v.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n") },
		client: read, fails: stats.KindProtocol,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"error.protocol": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	},
	{
		name: "no answer", site: func(v *visit) { v.request() }, client: read, fails: stats.KindReset,
		events: "dialed written server_disconnected", wire: wire{"error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "a request that breaks", site: (*visit).hang, fails: stats.KindOther,
		client: func(ctx context.Context, c *http.Client, url string) error {
			return do(ctx, c, http.MethodPost, url, nil, iotest.ErrReader(errors.New("no more")))
		},
		events: "dialed error.write", wire: wire{"error.other": 1},
		phases: phases{"connect": 1, "ttfb": 1},
	},
	{
		name: "a scheme that is not known", site: (*visit).hang, fails: stats.KindOther,
		client: func(ctx context.Context, c *http.Client, _ string) error { return read(ctx, c, "gopher://site.test/") },
		events: "error.internal", wire: wire{"error.other": 1},
	},
}

// broken is the story of a connection that is reset when half of a page has been
// read.
func broken() story {
	seen := make(chan struct{})
	return story{
		name: "reset in the body",
		site: func(v *visit) {
			v.say(hello[:len(hello)-2])
			<-seen
			v.reset()
		},
		client: func(ctx context.Context, c *http.Client, url string) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			resp, err := c.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if _, err := io.CopyN(io.Discard, resp.Body, 3); err != nil {
				return err
			}
			close(seen)
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		},
		fails: stats.KindReset,
		codes: codes{200: 1}, events: "dialed written aborted",
		wire:   wire{"bytes.wire": 3, "bytes.content": 3, "error.reset": 1},
		phases: phases{"connect": 1, "ttfb": 1, "body": 1},
	}
}

// meanings of the words. Those of the first line are the ends of an attempt, of
// which each has one.
var meanings = map[string][]string{
	"done": {"resp.active", "resp.done"}, "aborted": {"resp.active", "resp.aborted"}, "resp.error.parse": {"resp.active", "resp.error.parse"},
	"dial.error": {"conn.dial.error"}, "req.aborted": {"req.aborted"}, "error.internal": {"req.error.internal"},
	"error.write": {"req.error.write"}, "server_disconnected": {"req.error.server_disconnected"},

	"dialed": {"conn.dial.success"}, "reused": {"conn.reused"}, "written": {"req.done", "req.success.write"},
	"kept": {"resp.done.keepalive"}, "closed": {"resp.conn.close"},
}

var endings = []string{"done", "aborted", "resp.error.parse", "dial.error", "req.aborted", "error.internal", "error.write", "server_disconnected"}

// events returns the counters under "http." that the words stand for.
func events(t *testing.T, words string) map[string]int64 {
	want := make(map[string]int64)
	n := int64(1)
	for _, word := range strings.Fields(words) {
		if _, err := fmt.Sscan(word, &n); err == nil {
			continue
		}
		names, ok := meanings[word]
		if !ok {
			t.Fatalf("no such word: %q", word)
		}
		if slices.Contains(endings, word) {
			want["req.active"] += n
		}
		for _, name := range names {
			want[name] += n
		}
		n = 1
	}
	return want
}

// timings returns how often each phase was timed.
func timings(src stats.Source) map[string]int64 {
	got := make(map[string]int64)
	for name, d := range src.Snapshot().Timers {
		if phase, ok := strings.CutPrefix(name, "wire.phase."); ok && d.Count != 0 {
			got[phase] = d.Count
		}
	}
	return got
}

func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestTransport(t *testing.T) {
	for _, tt := range append(stories, broken()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := stats.New()
			s := newSite(t, tt.site)
			base := &http.Transport{DialContext: (&net.Dialer{Resolver: names(t)}).DialContext}
			if tt.base != nil {
				tt.base(base)
			}
			client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: base})}
			err := tt.client(t.Context(), client, s.url())
			if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || stats.KindOf(err) != tt.fails) {
				t.Errorf("error %v of kind %s, want %q", err, stats.KindOf(err), tt.fails)
			}
			client.CloseIdleConnections()

			a := st.Snapshot()
			compare(t, "status codes", tt.codes, a.StatusCodes)
			compare(t, "events", events(t, tt.events), counted(st, "http."))
			compare(t, "wire", tt.wire, counted(st, "wire."))
			compare(t, "phases", tt.phases, timings(st))
			if a.Started != 0 {
				t.Errorf("%d requests started", a.Started)
			}
		})
	}
}

// Over HTTP/2, one connection carries all, and is neither kept nor closed.
func TestTransportWithHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/compressed":
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, gzipped)
		case "/broken":
			io.WriteString(w, "hel")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			io.WriteString(w, "hello")
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	st := stats.New()
	client := srv.Client()
	client.Transport = httpstats.Transport(st, httpstats.Config{Base: client.Transport})
	for range 2 {
		if err := read(t.Context(), client, srv.URL); err != nil {
			t.Error(err)
		}
	}
	if err := do(t.Context(), client, http.MethodHead, srv.URL, nil, nil); err != nil {
		t.Error(err)
	}
	if err := read(t.Context(), client, srv.URL+"/compressed"); err != nil {
		t.Error(err)
	}
	err := read(t.Context(), client, srv.URL+"/broken")
	if kind := stats.KindOf(err); kind != stats.KindProtocol {
		t.Errorf("error %v of kind %s", err, kind)
	}
	client.CloseIdleConnections()
	compare(t, "status codes", codes{200: 5}, st.Snapshot().StatusCodes)
	compare(t, "events", events(t, "dialed 4 reused 5 written 4 done aborted"), counted(st, "http."))
	compare(t, "wire", wire{
		"bytes.wire": int64(10 + len(gzipped) + 3), "bytes.content": int64(10 + len(text) + 3), "error.protocol": 1,
	}, counted(st, "wire."))
	compare(t, "phases", phases{"connect": 1, "tls": 1, "ttfb": 5, "body": 4}, timings(st))
}

func TestTransportDoesNotTrust(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer srv.Close()
	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: &http.Transport{}})}
	if kind := stats.KindOf(read(t.Context(), client, srv.URL)); kind != stats.KindTLS {
		t.Errorf("kind %s", kind)
	}
	compare(t, "events", events(t, "dial.error"), counted(st, "http."))
	compare(t, "wire", wire{"error.tls": 1}, counted(st, "wire."))
	compare(t, "phases", phases{"connect": 1, "tls": 1}, timings(st))
}

// A dial goes on when its attempt has got another connection, and even when that
// is over. What it tells then belongs to no attempt, least of all to the next.
func TestLateHooksBelongToNobody(t *testing.T) {
	begun, answer := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(v *visit) {
		for {
			if _, ok := v.request(); !ok {
				return
			}
			begun <- struct{}{}
			<-answer
			io.WriteString(v, hello)
		}
	})
	silent := newSite(t, (*visit).hang)
	var first atomic.Bool
	first.Store(true)
	dial, dialed := make(chan struct{}), make(chan struct{})
	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (c net.Conn, err error) {
			var d net.Dialer
			if first.Swap(false) {
				return d.DialContext(ctx, network, s.Addr().String())
			}
			for range dial {
				if c, err = d.DialContext(ctx, network, silent.Addr().String()); err == nil {
					c.Close()
				}
				dialed <- struct{}{}
			}
			return nil, errors.New("never mind")
		},
	}})}
	get := func(ctx context.Context) {
		if err := read(ctx, client, s.url()); err != nil {
			t.Error(err)
		}
	}
	redial := func() {
		dial <- struct{}{}
		<-dialed
	}
	var all sync.WaitGroup
	all.Go(func() { get(httptrace.WithClientTrace(t.Context(), new(httptrace.ClientTrace))) })
	<-begun
	all.Go(func() { get(t.Context()) })
	redial()
	answer <- struct{}{} // the first
	<-begun              // the second, on the connection of the first
	answer <- struct{}{}
	all.Wait()
	const more = 20
	for range more {
		all.Go(func() { get(t.Context()) })
		<-begun
		redial() // for the second
		answer <- struct{}{}
		all.Wait()
	}
	close(dial)
	client.CloseIdleConnections()
	compare(t, "events", events(t, "dialed 21 reused 22 written 22 done 22 kept"), counted(st, "http."))
	compare(t, "phases", phases{"connect": 1, "ttfb": 2 + more, "body": 2 + more}, timings(st))
}

// A phase takes as long as it takes, and one that is cut off as long as it did.
func TestPhasesAreTimed(t *testing.T) {
	const pause = 30 * time.Millisecond
	s := newSite(t, func(v *visit) {
		v.request()
		time.Sleep(pause)
		io.WriteString(v, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
		time.Sleep(pause)
		io.WriteString(v, "llo")
		v.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe").request()
	})
	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: &http.Transport{}})}
	if err := read(t.Context(), client, s.url()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pause)
	defer cancel()
	if err := read(ctx, client, s.url()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	timers := st.Snapshot().Timers
	if d := timers["wire.phase.ttfb"]; d.Count != 2 || d.Max < pause || d.Min >= pause {
		t.Errorf("ttfb: %+v", d)
	}
	if d := timers["wire.phase.body"]; d.Count != 2 || d.Min < pause/2 {
		t.Errorf("body: %+v", d)
	}
	if d := timers["wire.phase.connect"]; d.Count != 1 || d.Max >= pause {
		t.Errorf("connect: %+v", d)
	}
}

// The request and the response are what they are without us.
func TestTransportIsTransparent(t *testing.T) {
	s := newSite(t, func(v *visit) {
		for {
			req, ok := v.request()
			if !ok {
				return
			}
			io.WriteString(v, sized("Content-Encoding: gzip\r\nAsked: "+req.Header.Get("Accept-Encoding")+"\r\n", gzipped))
		}
	})
	var got []*http.Response
	for _, base := range []http.RoundTripper{
		&http.Transport{},
		httpstats.Transport(stats.New(), httpstats.Config{Base: &http.Transport{}}),
	} {
		client := &http.Client{Transport: base}
		hooked := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { hooked = true },
		})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X", "y")
		before := req.Clone(ctx)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != text {
			t.Errorf("read %d bytes: %v", len(body), err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		if resp.Request != req {
			t.Error("the response is to another request")
		}
		if !hooked {
			t.Error("the hook of the caller was not called")
		}
		compare(t, "header of the request", before.Header, req.Header)
		if req.Context() != ctx {
			t.Error("the context of the request was changed")
		}
		got = append(got, resp)
	}
	ignore := cmpopts.IgnoreFields(http.Response{}, "Body", "Request")
	if diff := cmp.Diff(got[0], got[1], ignore); diff != "" {
		t.Errorf("response (-bare +counted):\n%s", diff)
	}
}

// What another base has decompressed has no known size.
func TestBytesOfAnotherBase(t *testing.T) {
	s := newSite(t, func(v *visit) { v.say(sized("Content-Encoding: gzip\r\n", gzipped)).say(hello).hang() })
	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: struct{ http.RoundTripper }{&http.Transport{}}})}
	for range 2 {
		if err := read(t.Context(), client, s.url()); err != nil {
			t.Error(err)
		}
	}
	compare(t, "wire", wire{"bytes.wire": 5, "bytes.content": int64(len(text) + 5)}, counted(st, "wire."))
}

// roundTripper is a base that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A base that answers by itself, and calls no hooks, is counted all the same.
func TestBaseWithoutHooks(t *testing.T) {
	st := stats.New()
	rt := httpstats.Transport(st, httpstats.Config{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		switch req.URL.Path {
		case "/nothing":
			return nil, nil
		case "/empty":
			return &http.Response{StatusCode: 204, ProtoMajor: 1, Request: req}, nil
		}
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ContentLength: 5, Body: io.NopCloser(strings.NewReader("hello")), Request: req}, nil
	})})
	for _, path := range []string{"/nothing", "/empty", "/page"} {
		resp, err := rt.RoundTrip(httptest.NewRequest(http.MethodGet, path, nil))
		if err != nil {
			t.Error(err)
		}
		if resp != nil && resp.Body != nil { // all of it, but not its end
			io.CopyN(io.Discard, resp.Body, 5)
			resp.Body.Close()
			resp.Body.Close()
		}
	}
	compare(t, "status codes", codes{200: 1, 204: 1}, st.Snapshot().StatusCodes)
	compare(t, "events", events(t, "error.internal 2 done 2 closed"), counted(st, "http."))
}

// breaks is a body that fails.
type breaks struct{ err error }

func (b breaks) Read([]byte) (int, error) { return 0, b.err }
func (breaks) Close() error               { return nil }

// A client that does not know its transport cancels by itself when its time is
// over. Its caller learns of the deadline, as without us.
func TestTimeoutOfTheClient(t *testing.T) {
	canceled := errors.New("net/http: request canceled")
	for name, base := range map[string]roundTripper{
		"headers": func(*http.Request) (*http.Response, error) { return nil, canceled },
		"body": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: 5, Body: breaks{canceled}}, nil
		},
	} {
		st := stats.New()
		client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: base})}
		for _, late := range []bool{true, false} {
			deadline := time.Now().Add(time.Hour)
			if late {
				deadline = time.Now().Add(-time.Hour)
			}
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			err := read(ctx, client, "http://a/")
			if errors.Is(err, context.DeadlineExceeded) != late || errors.Is(err, canceled) == late {
				t.Errorf("%s, late %v: %v", name, late, err)
			}
			cancel()
		}
		compare(t, name, wire{"error.timeout": 1, "error.canceled": 1}, counted(st, "wire."))
	}
}

// Many at once, each fact is counted once: what the site has served is what the
// client has counted.
func TestTransportConcurrently(t *testing.T) {
	var served atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/page", http.StatusFound)
			return
		}
		io.WriteString(w, "hello")
	}))
	defer srv.Close()
	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: &http.Transport{MaxIdleConnsPerHost: 4}, Requests: true})}
	const crawlers, pages = 16, 40
	var all sync.WaitGroup
	for range crawlers {
		all.Go(func() {
			for i := range pages {
				if err := read(t.Context(), client, srv.URL+[]string{"/page", "/redirect"}[i%2]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	client.CloseIdleConnections()
	a, got := st.Snapshot(), counted(st, "http.")
	if a.Started != crawlers*pages || a.Finished != a.Started {
		t.Errorf("%d requests started, %d finished", a.Started, a.Finished)
	}
	for _, name := range []string{"req.active", "req.done", "resp.active", "resp.done"} {
		if got[name] != served.Load() {
			t.Errorf("%s = %d, served %d", name, got[name], served.Load())
		}
	}
	if n := got["conn.dial.success"] + got["conn.reused"]; n != served.Load() {
		t.Errorf("%d connections used, served %d", n, served.Load())
	}
	if n := got["resp.done.keepalive"] + got["resp.conn.close"]; n != served.Load() {
		t.Errorf("%d connections released, served %d", n, served.Load())
	}
	compare(t, "status codes", codes{200: crawlers * pages, 302: crawlers * pages / 2}, a.StatusCodes)
}
