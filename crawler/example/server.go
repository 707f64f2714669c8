package main

import (
	"context"
	"net/http"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

// serve serves the live page, and /metrics beside it, until stop is called.
func serve(ctx context.Context, address string, st *stats.Statistics) (url string, stop func(), err error) {
	page := dashboard.New(st, dashboard.Config{MetricsURL: "metrics"})
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /metrics", promcollect.Handler(st, promcollect.Config{}))
	server, err := dashboard.Listen(ctx, address, mux)
	if err != nil {
		_ = page.Close()
		return "", nil, err
	}
	return server.URL, func() {
		_ = page.Close() // first, so that open pages are told
		_ = server.Close()
	}, nil
}
