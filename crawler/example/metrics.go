package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

// serveMetrics serves /metrics on address until stop is called.
func serveMetrics(ctx context.Context, address string, st *stats.Statistics) (where string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("example: serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promcollect.Handler(st, promcollect.Config{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // until it is closed
	}()
	return "http://" + listener.Addr().String() + "/metrics", func() { server.Close(); <-done }, nil
}
