package httpstats_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// newShop is the site of the examples.
func newShop() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<h1>Shop</h1>") })
	mux.Handle("/old", http.RedirectHandler("/", http.StatusMovedPermanently))
	mux.Handle("/sold", http.NotFoundHandler())
	return httptest.NewServer(mux)
}

// A loop over a client gets all its statistics from one line.
func ExampleClient() {
	shop := newShop()
	defer shop.Close()

	st := stats.New()
	client := httpstats.Client(st, &http.Client{}, httpstats.Config{Requests: true})
	for _, path := range []string{"/", "/old", "/sold"} {
		resp, err := client.Get(shop.URL + path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}

	a := st.Snapshot()
	fmt.Println("requests:", a.Finished, "finished,", a.Failed, "failed")
	fmt.Println("responses:", a.StatusCodes)
	fmt.Println("connections:", a.Counters["http.conn.dial.success"], "made,", a.Counters["http.conn.reused"], "used again")
	fmt.Println("redirects:", a.Counters["wire.redirects"])
	// Output:
	// requests: 2 finished, 1 failed
	// responses: map[200:2 301:1 404:1]
	// connections: 1 made, 3 used again
	// redirects: 1
}

// Below a framework, or a loop that counts its requests by itself, a Transport
// counts attempts alone.
func ExampleTransport() {
	shop := newShop()
	defer shop.Close()

	st := stats.New()
	client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{})}

	j := st.Begin()
	resp, err := client.Get(shop.URL)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	j.End(&err)

	a := st.Snapshot()
	fmt.Println(a.Finished, "finished,", a.Counters["wire.bytes.content"], "bytes")
	// Output: 1 finished, 13 bytes
}

// The crawler decides what a failure is.
func ExampleConfig() {
	shop := newShop()
	defer shop.Close()

	st := stats.New()
	client := httpstats.Client(st, &http.Client{}, httpstats.Config{
		Requests: true,
		Failed: func(resp *http.Response, err error) bool {
			return err != nil || resp.StatusCode >= 400 && resp.StatusCode != http.StatusNotFound
		},
	})
	resp, err := client.Get(shop.URL + "/sold")
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	fmt.Println(st.Snapshot().Finished, "finished")
	// Output: 1 finished
}

// A server that counts its connections, requests and responses.
func ExampleListener() {
	st := stats.New()
	srv := httptest.NewUnstartedServer(httpstats.Handler(st, http.NotFoundHandler()))
	srv.Listener = httpstats.Listener(st, srv.Listener)
	srv.Start()

	resp, err := srv.Client().Get(srv.URL)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	srv.Close()

	for _, name := range []string{"conn.accept.success", "req.success.read", "req.done", "resp.done"} {
		fmt.Println(name, st.Snapshot().Counters["http."+name])
	}
	// Output:
	// conn.accept.success 1
	// req.success.read 1
	// req.done 1
	// resp.done 1
}

// An adapter that sees responses counts their codes only where nobody below does.
func ExampleWatch() {
	shop := newShop()
	defer shop.Close()

	st := stats.New()
	counting := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{})}
	for _, client := range []*http.Client{http.DefaultClient, counting} {
		ctx := httpstats.Watch(context.Background(), st)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, shop.URL, nil)
		if err != nil {
			panic(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		if !httpstats.Counted(ctx, st) {
			st.StatusCode(resp.StatusCode)
		}
	}
	fmt.Println(st.Snapshot().StatusCodes)
	// Output: map[200:2]
}

// The same error means one thing under a context that is over, and another under
// one that is not.
func ExampleKindOf() {
	err := errors.New("net/http: request canceled")
	late, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	fmt.Println(httpstats.KindOf(context.Background(), err), httpstats.KindOf(late, err))
	// Output: canceled timeout
}
