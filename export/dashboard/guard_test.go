package dashboard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/stats"
)

// A browser that a hostile name leads here is turned away, whatever it asks for.
func TestHostHeader(t *testing.T) {
	srv, _ := serve(t, stats.New(), Config{AllowedHosts: []string{"Crawl.example", "[2001:db8::1]"}})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8077": 200, "127.0.0.1": 200, "127.0.0.2": 200, "127.0.0.1:80": 200,
		"[::1]": 200, "[::1]:80": 200, "[::ffff:127.0.0.1]": 200,
		"crawl.example": 200, "crawl.example:443": 200, "[2001:db8::1]:80": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example": 403, "0.0.0.0": 403,
		"169.254.1.1": 403, "[::]": 403, "10.0.0.1": 403, "2130706433": 403, "127.1": 403, "localhost.": 403,
		"evil.example:localhost": 403, "crawl.example.evil": 403, "[2001:db8::2]": 403,
	} {
		for _, path := range []string{"/", "/api/v1/stats.json", "/api/v1/snapshot.json", "/app.js", "/nothing"} {
			r, err := http.NewRequest(http.MethodGet, srv.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if want := map[bool]int{true: 404, false: want}[path == "/nothing" && want == 200]; resp.StatusCode != want {
				t.Errorf("Host %q, %s: %d, want %d", host, path, resp.StatusCode, want)
			}
		}
	}
	if allowed("", []string{""}) || allowed("[]", []string{""}) {
		t.Error("no name at all is allowed")
	}
}

// Only this page, or no page, can reset; and only where that is wanted.
func TestReset(t *testing.T) {
	st := stats.New()
	var log bytes.Buffer
	d := New(st, Config{Reset: st.Reset, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	defer d.Close()
	const url = "http://localhost:8077/api/v1/reset"
	for _, c := range []struct {
		why    string
		method string
		header []string
		want   int
	}{
		{"another site", http.MethodPost, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a sister site", http.MethodPost, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a foreign origin", http.MethodPost, []string{"Origin", "http://evil.example"}, 403},
		{"no origin to speak of", http.MethodPost, []string{"Origin", "null"}, 403},
		{"another port", http.MethodPost, []string{"Origin", "http://localhost:8078"}, 403},
		{"a link", http.MethodGet, []string{"Sec-Fetch-Site", "none"}, 405},
		{"HEAD", http.MethodHead, nil, 405},
		{"DELETE", http.MethodDelete, []string{"Sec-Fetch-Site", "same-origin"}, 405},
	} {
		st.Observe(stats.Outcome{})
		if got := ask(d, c.method, url, c.header...).StatusCode; got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
		if st.Snapshot().Finished == 0 {
			t.Fatalf("%s: it was reset", c.why)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", &log)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://localhost:8077"}, nil} {
		st.Observe(stats.Outcome{})
		log.Reset()
		if got := ask(d, http.MethodPost, url, header...).StatusCode; got != 204 || st.Snapshot().Finished != 0 {
			t.Errorf("%q: %d, and %d are left", header, got, st.Snapshot().Finished)
		}
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "WARN") {
			t.Errorf("logged %s", &log)
		}
	}
	rebound := ask(d, http.MethodPost, "http://evil.example/api/v1/reset", "Origin", "http://evil.example")
	if rebound.StatusCode != 403 {
		t.Errorf("a rebound name: %d", rebound.StatusCode)
	}

	off := New(st, Config{})
	defer off.Close()
	if got := ask(off, http.MethodPost, url, "Sec-Fetch-Site", "same-origin").StatusCode; got != 404 {
		t.Errorf("switched off: %d", got)
	}
	failing := New(st, Config{Logger: slog.New(slog.DiscardHandler), Reset: func(context.Context) error { return errors.New("password in it") }})
	defer failing.Close()
	resp := ask(failing, http.MethodPost, url)
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 500 || strings.Contains(string(text), "password") {
		t.Errorf("%d: %s", resp.StatusCode, text)
	}
}

func TestPaths(t *testing.T) {
	srv, d := serve(t, stats.New(), Config{})
	for path, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8",
		"/chart.js": "text/javascript; charset=utf-8", "/theme.js": "text/javascript; charset=utf-8", "/app.css": "text/css; charset=utf-8",
		"/favicon.svg": "image/svg+xml", "/vendor/uPlot.iife.min.js": "text/javascript; charset=utf-8",
		"/vendor/uPlot.min.css": "text/css; charset=utf-8", "/vendor/uPlot.LICENSE": "text/plain; charset=utf-8",
		"/api/v1/stats.json": "application/json", "/api/v1/snapshot.json": "application/json",
		"/report.html": "text/html; charset=utf-8",
		"/vendor/":     "", "/vendor": "", "/api/": "", "/api/v1/": "", "/web/": "", "/web/app.js": "", "/nothing": "",
		"/../": "", "/vendor/../../etc/passwd": "", "/../../../etc/passwd": "", "/%2e%2e/etc/passwd": "", "/vendor/..%2f..%2fdoc.go": "",
		"/vendor/VERSIONS": "", "/app.js/": "", "/App.js": "", "/api/v1/reset": "",
	} {
		r, err := http.NewRequest(http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = path // as it stands, uncleaned
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		status := map[bool]int{true: 404, false: 200}[want == ""]
		if resp.StatusCode != status || want != "" && resp.Header.Get("Content-Type") != want || want != "" && len(text) == 0 {
			t.Errorf("%s: %d, %s, %d bytes; want %d, %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), len(text), status, want)
		}
		h := resp.Header
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
		if strings.HasPrefix(path, "/api/v1/s") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is cached", path)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		for _, path := range []string{"/", "/api/v1/stats.json", "/api/v1/feed"} {
			if got := ask(d, method, "http://localhost"+path); got.StatusCode != 405 || got.Header.Get("Allow") != "GET" {
				t.Errorf("%s %s: %d", method, path, got.StatusCode)
			}
		}
	}
	if got := ask(d, http.MethodHead, "http://localhost/"); got.StatusCode != 200 {
		t.Errorf("HEAD: %d", got.StatusCode)
	}
	etag := ask(d, http.MethodGet, "http://localhost/app.js").Header.Get("ETag")
	if got := ask(d, http.MethodGet, "http://localhost/app.js", "If-None-Match", etag); got.StatusCode != 304 {
		t.Errorf("a file that has not changed: %d", got.StatusCode)
	}
}
