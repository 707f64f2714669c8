package httpstats_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

// A maze redirects in every way.
func maze() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/end", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	mux.Handle("/gone", http.NotFoundHandler())
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	for from, to := range map[string]string{
		"/one": "/end", "/two": "/one", "/dead": "/gone", "/loop": "/loop", "/off": "://",
	} {
		mux.HandleFunc(from, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
	}
	mux.HandleFunc("/again", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/end")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "hel")
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hel")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	return mux
}

func last(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

var errPolicy = errors.New("not there")

func TestRequests(t *testing.T) {
	srv := httptest.NewServer(maze())
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		name   string
		client errand
		path   string
		policy func(*http.Request, []*http.Request) error
		want   statstest.Counts // beside Started and Attempts
		kinds  map[string]int64
		hops   int64
	}{
		{name: "a page", client: read, path: "/end", want: statstest.Counts{Finished: 1}},
		{name: "no page", client: read, path: "/gone", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"http": 1}},
		{name: "no body", client: read, path: "/busy", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"http": 1}},
		{name: "half a page", client: read, path: "/half", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"reset": 1}},
		{name: "unread", client: leave, path: "/end", want: statstest.Counts{Finished: 1}},
		{name: "redirected", client: read, path: "/two", want: statstest.Counts{Finished: 1}, hops: 2},
		{name: "redirected to no page", client: read, path: "/dead", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"http": 1}, hops: 1},
		{name: "redirected for ever", client: read, path: "/loop", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"protocol": 1}, hops: 9},
		{name: "redirected off", client: read, path: "/off", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"parse": 1}},
		{name: "redirected nowhere", client: read, path: "/nowhere", want: statstest.Counts{Finished: 1}},
		{name: "redirected, not followed", client: read, path: "/two", policy: last, want: statstest.Counts{Finished: 1}},
		{
			name: "redirected, against the policy", client: read, path: "/two",
			policy: func(*http.Request, []*http.Request) error { return errPolicy },
			want:   statstest.Counts{Failed: 1}, kinds: map[string]int64{"other": 1},
		},
		{
			name: "redirected with a body that is gone", path: "/again",
			client: func(ctx context.Context, c *http.Client, url string) error {
				return do(ctx, c, http.MethodPost, url, nil, io.MultiReader())
			},
			want: statstest.Counts{Finished: 1},
		},
		{name: "timed out", client: within, path: "/never", want: statstest.Counts{Failed: 1}, kinds: map[string]int64{"timeout": 1}},
		{name: "cancelled", client: quit, path: "/never", want: statstest.Counts{Discarded: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := stats.New()
			base := &http.Client{Transport: &http.Transport{}, CheckRedirect: tt.policy}
			client := httpstats.Client(st, base, httpstats.Config{Requests: true})
			tt.client(t.Context(), client, srv.URL+tt.path) // what it returns is counted
			client.CloseIdleConnections()
			statstest.Balanced(t, st)
			tt.want.Started, tt.want.Attempts = 1, 1
			compare(t, "requests", tt.want, statstest.Count(st))
			a := st.Snapshot()
			compare(t, "kinds", tt.kinds, a.ErrorKinds)
			if got := a.Counters["wire.redirects"]; got != tt.hops {
				t.Errorf("%d redirects, want %d", got, tt.hops)
			}
			if a.Discarded > 0 {
				compare(t, "reasons", map[stats.DiscardReason]int64{stats.DiscardAborted: 1}, a.Discards)
			}
		})
	}
}

// The caller decides what has failed.
func TestFailed(t *testing.T) {
	srv := httptest.NewServer(maze())
	defer srv.Close()
	st := stats.New()
	client := httpstats.Client(st, &http.Client{Transport: &http.Transport{}}, httpstats.Config{
		Requests: true,
		Failed: func(resp *http.Response, err error) bool {
			return err != nil || resp.StatusCode >= 500
		},
	})
	defer client.CloseIdleConnections()
	for _, path := range []string{"/end", "/gone", "/busy"} {
		if err := read(t.Context(), client, srv.URL+path); err != nil {
			t.Error(err)
		}
	}
	compare(t, "requests", statstest.Counts{Started: 3, Attempts: 3, Finished: 2, Failed: 1}, statstest.Count(st))
	compare(t, "errors", "http <n> Service Unavailable", st.Snapshot().Errors[0].Message)
}

// pipes is a listener without a network.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// A Transport does not know what its client makes of a redirect. One that is not
// followed is over after a second.
func TestRedirectNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		srv := &http.Server{Handler: maze()}
		go srv.Serve(network)
		defer srv.Close()
		st := stats.New()
		client := &http.Client{
			CheckRedirect: last,
			Transport: httpstats.Transport(st, httpstats.Config{
				Base: &http.Transport{DialContext: network.dial}, Requests: true,
			}),
		}
		defer client.CloseIdleConnections()

		if err := read(t.Context(), client, "http://a/two"); err != nil {
			t.Error(err)
		}
		compare(t, "at first", statstest.Counts{Started: 1, Attempts: 1, InFlight: 1}, statstest.Count(st))
		time.Sleep(time.Second)
		synctest.Wait()
		compare(t, "a second later", statstest.Counts{Started: 1, Attempts: 1, Finished: 1}, statstest.Count(st))

		client.CheckRedirect = nil
		if err := read(t.Context(), client, "http://a/two"); err != nil {
			t.Error(err)
		}
		compare(t, "followed", statstest.Counts{Started: 2, Attempts: 2, Finished: 2}, statstest.Count(st))

		client.CheckRedirect = func(*http.Request, []*http.Request) error {
			time.Sleep(time.Minute) // too late: what follows is a request of its own
			return nil
		}
		if err := read(t.Context(), client, "http://a/one"); err != nil {
			t.Error(err)
		}
		compare(t, "followed late", statstest.Counts{Started: 4, Attempts: 4, Finished: 4}, statstest.Count(st))
	})
}
