package promcollect_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

// printLines prints the lines of a page that begin with one of the prefixes.
func printLines(url string, prefixes ...string) {
	resp, err := http.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(string(body)) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				fmt.Print(line)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// The page that Prometheus scrapes.
func ExampleHandler() {
	st := stats.New()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promcollect.Handler(st, promcollect.Config{Crawler: "shop"}))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	j := st.Begin()
	j.StatusCode(200)
	j.Finish()

	printLines(srv.URL+"/metrics", "crawler_requests_finished_total", "crawler_responses_total")
	// Output:
	// crawler_requests_finished_total{crawler="shop"} 1
	// crawler_responses_total{code="200",crawler="shop"} 1
}

// A collector for a registry of one's own. A counter with labels is a family of
// its own.
func ExampleNew() {
	st := stats.New()
	registry := prometheus.NewRegistry()
	registry.MustRegister(promcollect.New(st, promcollect.Config{Crawler: "shop"}))

	st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "True"}, stats.Label{Key: "status_code", Value: "202"}).Add(5)

	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range families {
		if f.GetName() == "mutate_requests_total" {
			for _, l := range f.Metric[0].Label {
				fmt.Println(l.GetName(), l.GetValue())
			}
			fmt.Println(f.GetName(), f.Metric[0].Counter.GetValue())
		}
	}
	// Output:
	// allowed True
	// crawler shop
	// status_code 202
	// mutate_requests_total 5
}

// Handlers of one's own are measured by route, and shown on the page that has
// the same registry.
func ExampleInstrument() {
	cfg := promcollect.Config{Registry: prometheus.NewRegistry()}
	mutate := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) })

	mux := http.NewServeMux()
	mux.Handle("POST /mutate", promcollect.Instrument(mutate, cfg))
	mux.Handle("GET /metrics", promcollect.Handler(stats.New(), cfg))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	resp, err := http.Post(srv.URL+"/mutate", "text/plain", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	printLines(srv.URL+"/metrics", "http_request_total", "http_request_duration_seconds_count", "http_request_exceptions_total")
	// Output:
	// http_request_duration_seconds_count{method="POST",path="/mutate",status="202"} 1
	// http_request_exceptions_total 0
	// http_request_total{method="POST",status="202"} 1
}

// Series by host are opt-in and bounded.
func ExampleConfig() {
	st := stats.New()
	srv := httptest.NewServer(promcollect.Handler(st, promcollect.Config{Hosts: 1}))
	defer srv.Close()

	for _, host := range []string{"a.example", "a.example", "b.example"} {
		st.Observe(stats.Outcome{Request: stats.Request{Host: host}, Err: errors.New("no")})
	}
	printLines(srv.URL, "crawler_host_requests_total")
	// Output:
	// crawler_host_requests_total{host="a.example",outcome="error"} 2
	// crawler_host_requests_total{host="a.example",outcome="ok"} 0
	// crawler_host_requests_total{host="other",outcome="error"} 1
	// crawler_host_requests_total{host="other",outcome="ok"} 0
}
