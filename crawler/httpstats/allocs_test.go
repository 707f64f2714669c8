//go:build !race

package httpstats_test

import (
	"net/http"
	"testing"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// A counting client allocates the attempt and the request that carries it. What
// net/http allocates varies a little, so one more is let pass.
func TestAllocations(t *testing.T) {
	s := newSite(t, func(v *visit) {
		for {
			if _, ok := v.request(); !ok {
				return
			}
			v.Write([]byte(hello))
		}
	})
	allocs := func(rt http.RoundTripper) float64 {
		client := &http.Client{Transport: rt}
		defer client.CloseIdleConnections()
		return testing.AllocsPerRun(500, func() {
			if err := read(t.Context(), client, s.url()); err != nil {
				t.Fatal(err)
			}
		})
	}
	bare := allocs(&http.Transport{})
	counting := allocs(httpstats.Transport(stats.New(), httpstats.Config{Base: &http.Transport{}}))
	if counting > bare+3 {
		t.Errorf("%v allocations, %v without counting", counting, bare)
	}
	t.Logf("%v allocations, %v without counting", counting, bare)
}
