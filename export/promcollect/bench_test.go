package promcollect_test

import (
	"net/http/httptest"
	"testing"

	"github.com/crawlstats/crawlstats/export/internal/readingtest"
	"github.com/crawlstats/crawlstats/export/promcollect"
)

func BenchmarkScrape(b *testing.B) {
	h := promcollect.Handler(readingtest.Full(b), promcollect.Config{Hosts: 50})
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
	}
}
