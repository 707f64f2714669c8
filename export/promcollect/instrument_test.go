package promcollect_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/promcollect"
)

func TestInstrument(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	cfg := promcollect.Config{Registry: registry}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /mutate", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) })
	routes.HandleFunc("GET /pages/{id}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.PathValue("id")) })
	routes.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {})
	routes.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK)
	})
	routes.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("boom") })
	routes.HandleFunc("/answered", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		panic("boom")
	})
	routes.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	inside := http.NewServeMux()
	inside.Handle("GET /inside/{$}", promcollect.Instrument(http.NotFoundHandler(), cfg))
	h := promcollect.Instrument(routes, cfg)

	serve := func(h http.Handler, method, path string) (thrown any) {
		defer func() { thrown = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		return nil
	}
	for _, c := range []struct {
		h                    http.Handler
		method, path, series string
		thrown               any
	}{
		{h, "POST", "/mutate", "POST /mutate 202", nil},
		{h, "GET", "/pages/17", "GET /pages/{id} 200", nil},
		{h, "GET", "/pages/18", "GET /pages/{id} 200", nil},
		{h, "PUT", "/mutate", "PUT unmatched 405", nil},
		{h, "GET", "/no/such/page", "GET unmatched 404", nil},
		{h, "BREW", "/silent", "OTHER /silent 200", nil},
		{h, "GET", "/early", "GET /early 418", nil},
		{h, "GET", "/panic", "GET /panic 500", "boom"},
		{h, "GET", "/answered", "GET /answered 201", "boom"},
		{h, "GET", "/abort", "GET /abort 500", http.ErrAbortHandler},
		{inside, "GET", "/inside/", "GET /inside/{$} 404", nil},
	} {
		before := registryPage(t, registry)
		if thrown := serve(c.h, c.method, c.path); thrown != c.thrown {
			t.Errorf("%s %s threw %v, want %v", c.method, c.path, thrown, c.thrown)
		}
		after := registryPage(t, registry)
		f := strings.Fields(c.series)
		labels := []string{"method=" + f[0], "path=" + f[1], "status=" + f[2]}
		if got := after.value(t, "http_request_duration_seconds", labels...); got == 0 || after.sum("http_request_duration_seconds") != before.sum("http_request_duration_seconds")+1 {
			t.Errorf("%s %s is not counted once as %s", c.method, c.path, c.series)
		}
		after.metric(t, "http_request_total", labels[0], labels[2])
		if after.sum("http_request_total") != before.sum("http_request_total")+1 {
			t.Errorf("%s %s is not counted once", c.method, c.path)
		}
	}
	if got := registryPage(t, registry).value(t, "http_request_exceptions_total"); got != 2 {
		t.Errorf("%v exceptions, want 2", got)
	}
}

func registryPage(t *testing.T, g prometheus.Gatherer) page {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return pageOf(families)
}

func TestInstrumentMeasuresTime(t *testing.T) {
	registry := prometheus.NewRegistry()
	h := promcollect.Instrument(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(120 * time.Millisecond)
	}), promcollect.Config{Registry: registry})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	got := registryPage(t, registry).metric(t, "http_request_duration_seconds").Histogram
	if got.GetSampleSum() < .12 || got.Bucket[0].GetCumulativeCount() != 0 {
		t.Errorf("%v s, %v", got.GetSampleSum(), got.Bucket)
	}
}

// Without a registry the handler itself is what can be registered.
func TestInstrumentWithoutRegistry(t *testing.T) {
	h := promcollect.Instrument(http.NotFoundHandler(), promcollect.Config{})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	p := scrapeCollector(t, h.(prometheus.Collector))
	if got := p.value(t, "http_request_total", "status=404"); got != 1 {
		t.Errorf("%v requests, want 1", got)
	}
}

func TestInstrumentRefusesTakenNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_request_total", Help: "mine"}))
	defer func() {
		if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "promcollect: instrument handler: ") {
			t.Errorf("panic %v", err)
		}
	}()
	promcollect.Instrument(http.NotFoundHandler(), promcollect.Config{Registry: registry})
	t.Error("no panic")
}

// The writer that the handler sees can do what the server's can, and no more.
func TestInstrumentKeepsTheWriter(t *testing.T) {
	can := func(w http.ResponseWriter) (names []string) {
		if _, ok := w.(http.Flusher); ok {
			names = append(names, "flush")
		}
		if _, ok := w.(interface{ FlushError() error }); ok {
			names = append(names, "flush with an error")
		}
		if _, ok := w.(http.Hijacker); ok {
			names = append(names, "hijack")
		}
		if _, ok := w.(io.ReaderFrom); ok {
			names = append(names, "read")
		}
		if _, ok := w.(http.Pusher); ok {
			names = append(names, "push")
		}
		return names
	}
	var bare, wrapped []string
	registry := prometheus.NewRegistry()
	inner := promcollect.Instrument(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wrapped = can(w)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		io.Copy(w, strings.NewReader("a"))
		http.NewResponseController(w).Flush()
		w.(http.Flusher).Flush()
		w.WriteHeader(http.StatusTeapot) // too late
	}), promcollect.Config{Registry: registry})
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bare = can(w)
		inner.ServeHTTP(w, r)
	})
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(outer)
		srv.EnableHTTP2 = http2
		srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the late status
		srv.StartTLS()
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		srv.Client().CloseIdleConnections()
		srv.Close()
		if err != nil || string(body) != "a" || resp.StatusCode != http.StatusOK {
			t.Errorf("%d %q %v", resp.StatusCode, body, err)
		}
		if len(bare) < 2 || !slices.Equal(bare, wrapped) {
			t.Errorf("HTTP/2 %t: the server's writer can %v, the wrapped one %v", http2, bare, wrapped)
		}
	}
	if got := registryPage(t, registry).value(t, "http_request_total", "status=200"); got != 2 {
		t.Errorf("%v requests, want 2", got)
	}
}

// A flush that does not reach the client fails, behind Instrument too.
func TestInstrumentFlushFails(t *testing.T) {
	registry := prometheus.NewRegistry()
	srv := httptest.NewServer(promcollect.Instrument(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.Flush(); err != nil {
			t.Errorf("to a client that reads: %v", err)
		}
		if err := c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "a")
		if err := c.Flush(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
	}), promcollect.Config{Registry: registry}))
	resp, err := srv.Client().Get(srv.URL)
	if err == nil {
		resp.Body.Close()
	}
	srv.Close() // waits for the handler
	if got := registryPage(t, registry).value(t, "http_request_total", "status=200"); got != 1 {
		t.Errorf("%v requests, want 1", got)
	}
}

func TestInstrumentHijack(t *testing.T) {
	registry := prometheus.NewRegistry()
	done := make(chan struct{})
	h := promcollect.Instrument(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		rw.Flush()
	}), promcollect.Config{Registry: registry})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Errorf("%q %v", line, err)
	}
	<-done
	if got := registryPage(t, registry).value(t, "http_request_total", "status=101"); got != 1 {
		t.Errorf("%v requests, want 1", got)
	}
}
