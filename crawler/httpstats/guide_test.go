package httpstats_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// What docs/HTTP.md quotes.

func Example_crawler() {
	shop := newShop()
	defer shop.Close()
	st := stats.New()
	// quoted: crawler
	client := httpstats.Client(st, http.DefaultClient, httpstats.Config{Requests: true})
	// end
	resp, err := client.Get(shop.URL)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	client.CloseIdleConnections()
	fmt.Println(st.Snapshot().Finished, "finished")
	// Output: 1 finished
}

func Example_server() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	st, mux := stats.New(), http.NewServeMux()
	go func() {
		client := &http.Client{}
		resp, err := client.Get("http://" + l.Addr().String())
		if err == nil {
			resp.Body.Close()
		}
		client.CloseIdleConnections()
		l.Close()
	}()
	// quoted: server
	srv := &http.Server{Handler: httpstats.Handler(st, mux)}
	err = srv.Serve(httpstats.Listener(st, l))
	// end
	fmt.Println(errors.Is(err, net.ErrClosed), st.Snapshot().Counters["http.req.done"])
	// Output: true 1
}

// A loop that retries by itself.
func Example_retries() {
	shop := newShop()
	u, err := url.Parse(shop.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	shop.Close() // nobody answers
	ctx, st, tries := context.Background(), stats.New(), 3
	fetch := func(ctx context.Context, client *http.Client, u *url.URL) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	loop := func() {
		// quoted: loop
		client := &http.Client{Transport: httpstats.Transport(st, httpstats.Config{})}
		j := st.BeginWith(stats.Request{Host: u.Hostname(), URL: u.String()})
		var err error
		for try := range tries {
			if try > 0 {
				j.Retry(err)
			}
			if err = fetch(ctx, client, u); err == nil {
				break
			}
		}
		j.End(&err)
		// end
	}
	loop()
	a := st.Snapshot()
	fmt.Println(a.Failed, "failed after", a.Attempts, "attempts:", a.FailedKinds)
	// Output: 1 failed after 3 attempts: map[connect:1]
}
