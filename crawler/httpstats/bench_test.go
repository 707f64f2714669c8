//go:build unix

package httpstats_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// cpu returns the time that all threads have worked.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hooks does what every counting transport has to do, and counts nothing: it sends
// the request with a context of its own, net/http calls ten hooks, and the body is
// wrapped.
type hooks struct {
	base http.Transport
	ctx  context.Context
}

func newHooks() *hooks {
	return &hooks{ctx: httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) {},
		DNSDone:              func(httptrace.DNSDoneInfo) {},
		ConnectStart:         func(_, _ string) {},
		ConnectDone:          func(_, _ string, _ error) {},
		TLSHandshakeStart:    func() {},
		TLSHandshakeDone:     func(tls.ConnectionState, error) {},
		GotConn:              func(httptrace.GotConnInfo) {},
		WroteRequest:         func(httptrace.WroteRequestInfo) {},
		GotFirstResponseByte: func() {},
		PutIdleConn:          func(error) {},
	})}
}

func (h *hooks) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.base.RoundTrip(req.WithContext(h.ctx))
	if err == nil {
		resp.Body = &wrapped{resp.Body}
	}
	return resp, err
}

func (h *hooks) CloseIdleConnections() { h.base.CloseIdleConnections() }

type wrapped struct{ io.ReadCloser }

// BenchmarkGet compares a counting client with a bare one, for pages of 10 KB
// over loopback, by the processor time of client and server together. Both work
// in the same round, in turns, so that what else the machine does befalls both.
func BenchmarkGet(b *testing.B) {
	page := bytes.Repeat([]byte("x"), 10<<10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(page) }))
	defer srv.Close()
	get := func(c *http.Client) {
		resp, err := c.Get(srv.URL)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	round := func(c *http.Client) time.Duration {
		before := cpu(b)
		for range 1000 {
			get(c)
		}
		return cpu(b) - before
	}
	for _, bench := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"bare", &http.Transport{}},
		{"hooks", newHooks()},
		{"counting", httpstats.Transport(stats.New(), httpstats.Config{Base: &http.Transport{}})},
		{"requests", httpstats.Transport(stats.New(), httpstats.Config{Base: &http.Transport{}, Requests: true})},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bare, counting := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: bench.rt}
			round(bare)
			round(counting)
			var ratios []float64
			for i := 0; b.Loop(); i++ {
				var t [2]time.Duration
				for j := range 2 {
					if k := (i + j) % 2; k == 0 {
						t[0] = round(bare)
					} else {
						t[1] = round(counting)
					}
				}
				ratios = append(ratios, float64(t[1])/float64(t[0]))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "cpu/bare")
			bare.CloseIdleConnections()
			counting.CloseIdleConnections()
		})
	}
}
