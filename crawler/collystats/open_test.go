package collystats

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/stats"
)

// What is over is forgotten, long before Wait.
func TestNothingIsKept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.NotFound(w, r)
		case "/go":
			http.Redirect(w, r, "/to", http.StatusFound)
		}
	}))
	defer server.Close()
	c := colly.NewCollector()
	a := Attach(c, stats.New(), Config{})
	retries := 0
	c.OnResponse(func(r *colly.Response) {
		if retries++; retries == 1 {
			a.Retry(r.Request)
		}
	})
	c.OnRequest(func(r *colly.Request) {
		if r.URL.Path == "/aborted" {
			r.Abort()
		}
	})
	for _, path := range []string{"/", "/404", "/go", "/aborted"} {
		a.CountVisit(c.Visit(server.URL + path))
	}
	transport := clientOf(c).Transport.(*transport)
	// But for the one that was aborted behind our back.
	if len(a.open) != 1 || len(a.retries) != 0 || len(transport.links) != 1 {
		t.Errorf("%d open, %d to retry, %d links", len(a.open), len(a.retries), len(transport.links))
	}
	a.Wait()
	if len(a.open) != 0 || len(transport.links) != 0 {
		t.Errorf("after Wait: %d open, %d links", len(a.open), len(transport.links))
	}
}

// A version of Colly that keeps its client elsewhere must be noticed here.
func TestClientOf(t *testing.T) {
	client := new(http.Client)
	c := colly.NewCollector()
	c.SetClient(client)
	if clientOf(c) != client {
		t.Error("the client of a collector is not where it was in Colly v2.3.0")
	}
	for _, other := range []any{
		&struct{ backend http.Client }{},
		&struct{ backend *int }{new(int)},
		&struct{ backend *struct{ Client http.Client } }{&struct{ Client http.Client }{}},
		&struct {
			backend *struct{ client *http.Client }
		}{&struct{ client *http.Client }{client}},
		&struct{}{},
	} {
		if clientOf(other) != nil {
			t.Errorf("found a client in %T", other)
		}
	}
}
