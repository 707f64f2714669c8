package httpstats_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

// Whatever goes wrong, and when: each attempt has one end, each response one,
// and each request one.
func TestEveryAttemptEndsOnce(t *testing.T) {
	s := newSite(t, func(v *visit) {
		for {
			if _, ok := v.request(); !ok {
				return
			}
			time.Sleep(rand.N(3 * time.Millisecond)) // slow, to meet the deadlines of the client
			switch rand.N(8) {
			case 0:
				return
			case 1:
				io.WriteString(v, hello[:rand.N(len(hello))])
				return
			case 2:
				io.WriteString(v, hello[:rand.N(len(hello))])
				v.reset()
				return
			case 3:
				io.WriteString(v, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
			case 4:
				io.WriteString(v, sized("Content-Encoding: gzip\r\n", gzipped))
			case 5:
				io.WriteString(v, "garbage\r\n\r\n")
				return
			default:
				io.WriteString(v, hello)
			}
		}
	})
	st := stats.New()
	client := httpstats.Client(st, &http.Client{Transport: &http.Transport{}}, httpstats.Config{Requests: true})
	const crawlers, requests = 8, 100
	var all sync.WaitGroup
	for range crawlers {
		all.Go(func() {
			for range requests {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(6*time.Millisecond))
				errands := []errand{read, quit, leave}
				errands[rand.N(len(errands))](ctx, client, s.url())
				cancel()
			}
		})
	}
	all.Wait()
	client.CloseIdleConnections()

	statstest.Balanced(t, st)
	a, got := st.Snapshot(), counted(st, "http.")
	if a.Started != crawlers*requests || a.InFlight != 0 || a.Unmatched != 0 {
		t.Errorf("started %d, in flight %d, unmatched %d", a.Started, a.InFlight, a.Unmatched)
	}
	unanswered := got["conn.dial.error"] + got["req.aborted"] + got["req.error.write"] + got["req.error.server_disconnected"] + got["req.error.internal"]
	if sum := unanswered + got["resp.active"]; sum != got["req.active"] {
		t.Errorf("%d attempts begun, %d ended: %v", got["req.active"], sum, got)
	}
	if sum := got["resp.done"] + got["resp.aborted"] + got["resp.error.parse"]; sum != got["resp.active"] {
		t.Errorf("%d responses begun, %d ended: %v", got["resp.active"], sum, got)
	}
	if sum := got["resp.done.keepalive"] + got["resp.conn.close"]; sum != got["resp.done"] {
		t.Errorf("%d responses done, %d connections kept or closed: %v", got["resp.done"], sum, got)
	}
	var errors int64
	for _, n := range counted(st, "wire.error.") {
		errors += n
	}
	if failed := unanswered + got["resp.error.parse"]; errors < failed || errors > failed+got["resp.aborted"] {
		t.Errorf("%d errors, %d attempts without a response, %d aborted", errors, failed, got["resp.aborted"])
	}
	ttfb := timings(st)["ttfb"]
	if conns := got["conn.dial.success"] + got["conn.reused"]; ttfb != conns {
		t.Errorf("%d waits for a first byte on %d connections", ttfb, conns)
	}
	t.Log(got)
}
