package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

// shop is a small site. /busy heals at the third request, /old moves.
func shop(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<title>shop</title><img src=/picture>") })
	mux.Handle("/old", http.RedirectHandler("/", http.StatusMovedPermanently))
	mux.Handle("/picture", http.NotFoundHandler())
	mux.Handle("/gone", http.NotFoundHandler())
	var visits atomic.Int64
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		if visits.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// counted compares what was counted in brief.
func counted(t *testing.T, st *stats.Statistics, want string) {
	t.Helper()
	a := st.Snapshot()
	got := fmt.Sprintf("finished %d, failed %d, retried %d, codes %v", a.Finished, a.Failed, a.Retries, a.StatusCodes)
	if got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if a.Unmatched != 0 || a.InFlight != 0 {
		t.Errorf("%d unmatched, %d in flight", a.Unmatched, a.InFlight)
	}
	statstest.Balanced(t, st)
}

func TestRetryable(t *testing.T) {
	server, st := shop(t), stats.New()
	rc := Retryable(st)
	rc.Logger, rc.RetryWaitMin, rc.RetryWaitMax = nil, time.Millisecond, time.Millisecond
	defer rc.HTTPClient.CloseIdleConnections()
	if err := FetchRetryable(t.Context(), rc, st, server.URL+"/busy"); err != nil {
		t.Error(err)
	}
	if err := FetchRetryable(t.Context(), rc, st, server.URL+"/gone"); err == nil {
		t.Error("/gone is there")
	}
	counted(t, st, "finished 1, failed 1, retried 1, codes map[200:1 404:1 503:2]")
	if h := st.Snapshot().RetryHistogram; fmt.Sprint(h) != "[1 0 1]" {
		t.Errorf("retry histogram %v: one request had none, one had two", h)
	}
}

func TestFastHTTP(t *testing.T) {
	server, st := shop(t), stats.New()
	client := &fasthttp.Client{}
	defer client.CloseIdleConnections()
	fetch := func(url string) error {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		req.SetRequestURI(url)
		return FetchFast(client, st, req, resp, 10*time.Second)
	}
	if err := fetch(server.URL); err != nil {
		t.Error(err)
	}
	if err := fetch(server.URL + "/gone"); err == nil {
		t.Error("/gone is there")
	}
	server.Close()
	if err := fetch(server.URL); err == nil {
		t.Error("a dead server answers")
	}
	counted(t, st, "finished 1, failed 2, retried 0, codes map[200:1 404:1]")
}
