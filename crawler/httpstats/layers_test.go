package httpstats_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

// retrying tries three times, as layers between two Transports do.
type retrying struct{ base http.RoundTripper }

func (r retrying) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	for i := range 3 {
		resp, err = r.base.RoundTrip(req.Clone(req.Context()))
		if err == nil && resp.StatusCode < 500 || i == 2 {
			break
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return resp, err
}

// Of two Transports the lower one counts attempts and the upper one decides on
// requests, whatever stands between them.
func TestTwoTransports(t *testing.T) {
	for name, requests := range map[string]struct{ above, below bool }{
		"above": {above: true},
		"below": {below: true},
		"both":  {above: true, below: true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(maze())
			defer srv.Close()
			st := stats.New()
			below := httpstats.Transport(st, httpstats.Config{Base: &http.Transport{}, Requests: requests.below})
			client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{Base: retrying{below}, Requests: requests.above})}
			for _, path := range []string{"/busy", "/one"} {
				if err := read(t.Context(), client, srv.URL+path); err != nil {
					t.Error(err)
				}
			}
			client.CloseIdleConnections()
			compare(t, "status codes", codes{503: 3, 302: 1, 200: 1}, st.Snapshot().StatusCodes)
			compare(t, "events", events(t, "dialed 4 reused 5 written 5 done 5 kept"), counted(st, "http."))
			compare(t, "wire", wire{"bytes.wire": 5, "bytes.content": 5, "redirects": 1}, counted(st, "wire."))
			compare(t, "phases", phases{"connect": 1, "ttfb": 5, "body": 1}, timings(st))
			want := statstest.Counts{Started: 2, Attempts: 2, Finished: 1, Failed: 1}
			if !requests.above {
				want = statstest.Counts{}
			}
			compare(t, "requests", want, statstest.Count(st))
		})
	}
}

// Two Statistics count for themselves.
func TestTwoStatistics(t *testing.T) {
	srv := httptest.NewServer(maze())
	defer srv.Close()
	all, own := stats.New(), stats.New()
	client := httpstats.Client(all, &http.Client{Transport: &http.Transport{}}, httpstats.Config{Requests: true})
	client = httpstats.Client(own, client, httpstats.Config{Requests: true})
	if err := read(t.Context(), client, srv.URL+"/two"); err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections()
	for _, st := range []*stats.Statistics{all, own} {
		compare(t, "status codes", codes{302: 2, 200: 1}, st.Snapshot().StatusCodes)
		compare(t, "events", events(t, "dialed 2 reused 3 written 3 done 3 kept"), counted(st, "http."))
		compare(t, "requests", statstest.Counts{Started: 1, Attempts: 1, Finished: 1}, statstest.Count(st))
	}
}

// A layer above that answers by itself has made the attempt.
func TestAnsweredBetween(t *testing.T) {
	st := stats.New()
	below := httpstats.Transport(st, httpstats.Config{Base: &http.Transport{}})
	cache := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "cached" {
			return below.RoundTrip(req)
		}
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Body: http.NoBody, Request: req}, nil
	})
	rt := httpstats.Transport(st, httpstats.Config{Base: cache})
	if _, err := rt.RoundTrip(httptest.NewRequest(http.MethodGet, "http://cached/", nil)); err != nil {
		t.Error(err)
	}
	compare(t, "status codes", codes{200: 1}, st.Snapshot().StatusCodes)
	compare(t, "events", events(t, "done closed"), counted(st, "http."))
}

// An adapter learns whether it has to count status codes.
func TestWatch(t *testing.T) {
	srv := httptest.NewServer(maze())
	defer srv.Close()
	st := stats.New()
	bare := &http.Client{Transport: &http.Transport{}}
	counting := httpstats.Client(st, bare, httpstats.Config{Requests: true})
	other := httpstats.Client(stats.New(), bare, httpstats.Config{})
	defer bare.CloseIdleConnections()
	for _, tt := range []struct {
		name   string
		client *http.Client
		want   bool
	}{
		{"bare", bare, false},
		{"counting", counting, true},
		{"counting for others", other, false},
	} {
		ctx := httpstats.Watch(t.Context(), st)
		if httpstats.Counted(ctx, st) {
			t.Errorf("%s: counted before", tt.name)
		}
		if err := read(ctx, tt.client, srv.URL+"/one"); err != nil {
			t.Error(err)
		}
		if got := httpstats.Counted(ctx, st); got != tt.want {
			t.Errorf("%s: counted is %v", tt.name, got)
		}
	}
	if httpstats.Counted(t.Context(), st) {
		t.Error("counted without a watch")
	}
	compare(t, "requests", statstest.Counts{}, statstest.Count(st))
	compare(t, "status codes", codes{302: 1, 200: 1}, st.Snapshot().StatusCodes)
}
