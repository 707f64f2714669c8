package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

// serve serves the page of src, with Prometheus beside it, below a prefix.
func serve(t *testing.T, src stats.Source, cfg dashboard.Config) (url string, d *dashboard.Dashboard) {
	t.Helper()
	cfg.MetricsURL = "../metrics"
	cfg.Logger = slog.New(slog.DiscardHandler)
	d = dashboard.New(src, cfg)
	mux := http.NewServeMux()
	mux.Handle("/some/where/", http.StripPrefix("/some/where", d))
	mux.Handle("/some/metrics", promcollect.Handler(src, promcollect.Config{}))
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		d.Close()
		srv.Close()
	})
	return srv.URL + "/some/where/", d
}

func open(t *testing.T, store kvstore.Store) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// inked counts the charts that something is drawn in.
const inked = `[...document.querySelectorAll('.plot canvas')].filter(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)).length`

// The first event fills the page: tiles, tables and a quarter of an hour in the
// charts. No tick is needed, for there is none.
func TestFilledAtOnce(t *testing.T) {
	url := serveView(t, shopCrawl(t))
	tb := newTab(t, url)
	tb.do(chromedp.EmulateViewport(1440, 900))
	tb.open(url)
	tb.until(inked + ` === 3`)
	for selector, want := range map[string]int{".tile b": 6, "#t-errors tr": 8, "#t-hosts tr": 9, "#retries li": 3, ".spark path": 4, ".tr rect": 240} {
		if n := eval[int](tb, "document.querySelectorAll("+quote(selector)+").length"); n < want {
			t.Errorf("%d × %s, want %d", n, selector, want)
		}
	}
	if seconds := eval[int](tb, `charts.shown('thr').at(-1) - charts.shown('thr')[0]`); seconds < 800 {
		t.Errorf("the chart shows %d s", seconds)
	}
	for _, r := range []string{"5 min", "All", "15 min"} {
		tb.do(chromedp.Click("//button[text()='" + r + "']"))
		tb.until(inked + ` === 3`)
	}
	if text := tb.text("#verdict"); !strings.Contains(text, "shop.example.net") || tb.text("#prog-n") == "" {
		t.Errorf("%q, %q", text, tb.text("#prog-n"))
	}
	if holes := eval[string](tb, `document.body.innerText.match(/NaN|Infinity|undefined|null/)?.[0] || ''`); holes != "" {
		t.Errorf("the page says %s", holes)
	}
}

// What is done appears without a reload; what pause holds back comes after it.
func TestFollowsTheCrawl(t *testing.T) {
	st := open(t, kvstore.NewMemory())
	url, _ := serve(t, st, dashboard.Config{})
	tb := newTab(t, url)
	tb.open(url)
	tb.until(`document.querySelector('.tile b').textContent === '0'`)
	fifty := func() {
		for range 50 {
			st.Observe(stats.Outcome{Duration: time.Millisecond, StatusCode: 200, Request: stats.Request{Host: "a.example"}})
		}
	}
	eval[int](tb, `window.ticks = 0, feed.addEventListener('tick', () => window.ticks++), 0`)
	fifty()
	tb.until(`document.querySelector('.tile b').textContent === '50'`)
	if ticks := eval[int](tb, `window.ticks`); ticks > 3 {
		t.Errorf("it took %d ticks, one second each", ticks)
	}
	tb.until(`document.getElementById('t-hosts').textContent.includes('a.example')`)
	tb.do(chromedp.Click("#pause"))
	fifty()
	tb.until(`V.totals.finished === 100`)
	if n, chip := tb.text(".tile b"), tb.text("#state"); n != "50" || chip != "paused" {
		t.Errorf("while paused the page says %s, %s", n, chip)
	}
	tb.do(chromedp.Click("#pause"))
	tb.until(`document.querySelector('.tile b').textContent === '100' && document.getElementById('state').textContent === 'running'`)
}

// Odd crawls: a sentence in each panel, and no number that is none.
func TestEmptyPanelsSayWhy(t *testing.T) {
	failed := stats.New()
	for range 20 {
		failed.Observe(stats.Outcome{Err: errors.New("no")})
	}
	for name, src := range map[string]stats.Source{"nothing": stats.New(), "all failed": failed, "a record": record{}} {
		t.Run(name, func(t *testing.T) {
			url, _ := serve(t, src, dashboard.Config{})
			tb := newTab(t, url)
			tb.open(url)
			holes := eval[string](tb, `[...document.querySelectorAll('.panel:not([hidden])')].filter(p =>
				!p.querySelector('tbody tr td, .bars li, .plot .none') && !p.querySelector('.plot canvas')).map(p => p.innerText).join()`)
			if holes != "" {
				t.Errorf("empty panels: %s", holes)
			}
			if n := eval[int](tb, `document.querySelectorAll('.plot .none').length`); n != 3 {
				t.Errorf("%d charts say why they are empty", n)
			}
			if bad := eval[string](tb, `document.body.innerText.match(/NaN|Infinity|undefined|null/)?.[0] || ''`); bad != "" {
				t.Errorf("the page says %s", bad)
			}
		})
	}
}

type record struct{}

func (record) Snapshot() stats.Snapshot { return stats.Snapshot{} }
func (record) Live() stats.Snapshot     { return stats.Snapshot{} }

// Page, JSON, Prometheus and summary say the same of the same crawl.
func TestNumbersAgree(t *testing.T) {
	st := stats.New()
	for i := range 1234 {
		o := stats.Outcome{Request: stats.Request{Host: "a.example", Retries: i % 3}, Duration: time.Duration(i) * time.Millisecond, StatusCode: 200}
		if i%10 == 0 {
			o.Err, o.StatusCode = errors.New("gone"), 410
		}
		st.Observe(o)
	}
	url, _ := serve(t, st, dashboard.Config{})
	tb := newTab(t, url)
	tb.open(url)
	var a stats.Snapshot
	if err := json.Unmarshal(get(t, url+"api/v1/snapshot.json"), &a); err != nil {
		t.Fatal(err)
	}
	sum, metrics := a.Summary(), string(get(t, strings.Replace(url, "where/", "metrics", 1)))
	sample := func(name string) (n int64) {
		for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(metrics, -1) {
			var v float64
			fmt.Sscan(m[1], &v)
			n += int64(v)
		}
		return n
	}
	tile := func(title string) string {
		return eval[string](tb, `[...document.querySelectorAll('.tile')].find(t => t.querySelector('h2').textContent === `+quote(title)+`).querySelector('b').textContent`)
	}
	for title, want := range map[string][3]int64{
		"Finished":  {a.Finished, sum.RequestsFinished, sample("crawler_requests_finished_total")},
		"Failed":    {a.Failed, sum.RequestsFailed, sample("crawler_requests_failed_total")},
		"Retried":   {a.Retries, sum.RequestsRetried, sample("crawler_requests_retried_total")},
		"In flight": {a.InFlight, sum.InFlight, sample("crawler_requests_in_flight")},
	} {
		text := strings.ReplaceAll(tile(title), ",", "")
		if got := fmt.Sprint(want); got != fmt.Sprintf("[%s %s %s]", text, text, text) {
			t.Errorf("%s: the page says %s; JSON, summary and Prometheus %s", title, text, got)
		}
	}
	if want := fmt.Sprintf("%.0f ms", sum.P95.Seconds()*1000); *sum.P95 < time.Second && tile("Latency p95") != want {
		t.Errorf("p95: the page says %s, the summary %s", tile("Latency p95"), want)
	}
	codes := fmt.Sprintf("200 %s · 410 %d", "1,110", a.StatusCodes[410])
	if text := tb.text("#codes"); text != "In all: "+codes || a.StatusCodes[200] != 1110 {
		t.Errorf("codes: the page says %q, JSON %v", text, a.StatusCodes)
	}
	report := string(get(t, url+"report.html"))
	for _, number := range []string{tile("Finished"), tile("Failed"), tile("Retried")} {
		if !strings.Contains(report, number) {
			t.Errorf("the report does not say %s", number)
		}
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, err)
	}
	return text
}

// Both themes, wide and narrow: nothing scrolls sideways, and axe finds nothing.
// The tab itself fails on console errors, violations of the policy and requests
// to elsewhere.
func TestThemesAndWidths(t *testing.T) {
	axe, err := os.ReadFile(tool.Installed(t, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	url := serveView(t, shopCrawl(t))
	tb := newTab(t, url)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1440, 1000, 390} {
			scheme(tb, theme)
			tb.do(chromedp.EmulateViewport(width, 900))
			tb.open(url)
			tb.until(inked + ` === 3`)
			if over := eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s, %d: %d px too wide", theme, width, over)
			}
			if _, err := chromedp.Run(tb.ctx, chromedp.Evaluate[any](string(axe)+";0")); err != nil {
				t.Fatal(err)
			}
			found := eval[string](tb, `axe.run().then(r => r.passes.length < 20 ? 'it looked at nothing' : r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html).join(' ')).join('\n'))`)
			if found != "" {
				t.Errorf("%s, %d: axe says\n%s", theme, width, found)
			}
		}
	}
}

// Everything is reached and worked without a mouse, and one sees where one is.
func TestKeyboard(t *testing.T) {
	st := open(t, kvstore.NewMemory())
	url, _ := serve(t, st, dashboard.Config{Reset: st.Reset})
	tb := newTab(t, url)
	tb.open(url)
	st.Observe(stats.Outcome{})
	seen := map[string]bool{}
	for range 30 {
		tb.do(chromedp.KeyEvent("\t"))
		name := eval[string](tb, `document.activeElement.textContent.trim().slice(0, 40) || document.activeElement.tagName`)
		if !eval[bool](tb, `(() => { const s = getComputedStyle(document.activeElement); return document.activeElement === document.body || s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; })()`) {
			t.Errorf("one does not see that one is on %q", name)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		switch name {
		case "5 min", "All", "Busiest", "Dark theme", "Pause":
			tb.do(chromedp.KeyEvent(" "))
		case "Reset …":
			tb.do(chromedp.KeyEvent("\r"))
			tb.until(`document.activeElement.textContent.startsWith('Put everything')`)
			tb.do(chromedp.KeyEvent("\r"))
			tb.until(`document.getElementById('reset-said').textContent === 'Everything is back to zero.'`)
		}
	}
	for _, name := range []string{"Skip to error groups", "5 min", "15 min", "All", "Pause", "Dark theme", "Slowest", "Most failed", "Busiest", "All figures as JSON", "This page as JSON", "HTML report", "Prometheus", "Reset …"} {
		if !seen[name] {
			t.Errorf("%q is not reached; these are: %v", name, seen)
		}
	}
	pressed := eval[string](tb, `[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.textContent).join()`)
	if pressed != "All,Pause,Busiest" || eval[string](tb, `document.documentElement.dataset.theme`) != "dark" {
		t.Errorf("pressed are %s", pressed)
	}
	if n := st.Snapshot().Finished; n != 0 {
		t.Errorf("after the reset there are %d", n)
	}
}

func TestNoResetButton(t *testing.T) {
	url, _ := serve(t, stats.New(), dashboard.Config{})
	tb := newTab(t, url)
	tb.open(url)
	if !eval[bool](tb, `document.getElementById('reset').hidden`) {
		t.Error("there is a button")
	}
}

func TestReducedMotion(t *testing.T) {
	url, _ := serve(t, stats.New(), dashboard.Config{})
	tb := newTab(t, url)
	for value, want := range map[string]string{"reduce": "none", "no-preference": "pulse"} {
		_, err := chromedp.Call(tb.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: value}},
		})
		if err != nil {
			t.Fatal(err)
		}
		tb.open(url)
		if got := eval[string](tb, `getComputedStyle(document.querySelector('#state i')).animationName`); got != want {
			t.Errorf("%s: the animation is %s", value, got)
		}
	}
}

// The server goes and comes back: the page says so, and the charts have every
// second once.
func TestServerGoneAndBack(t *testing.T) {
	st := open(t, kvstore.NewMemory())
	st.Observe(stats.Outcome{})
	start := func(address string) (string, func()) {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard.New(st, dashboard.Config{})
		srv := &http.Server{Handler: d}
		done := make(chan struct{})
		go func() { defer close(done); _ = srv.Serve(listener) }()
		return listener.Addr().String(), func() { srv.Close(); d.Close(); <-done }
	}
	address, stop := start("127.0.0.1:0")
	url := "http://" + address + "/"
	tb := newTab(t, url)
	tb.open(url)
	tb.until(`document.getElementById('state').textContent === 'running' && rings[0].rows.length > 2`)
	stop()
	tb.until(`document.getElementById('state').textContent === 'connection lost, trying again'`)
	time.Sleep(2 * time.Second) // in which the crawl goes on
	_, stop = start(address)
	defer stop()
	tb.until(`document.getElementById('state').textContent === 'running'`)
	tb.until(`rings[0].rows.length > 6`)
	if bad := eval[string](tb, `rings[0].rows.map((r, i, all) => i && r[0] - all[i - 1][0]).slice(1).filter(d => d !== 1).join()`); bad != "" {
		t.Errorf("steps between seconds: %s", bad)
	}
}

// Where events do not get through, the page asks.
func TestPolling(t *testing.T) {
	st := open(t, kvstore.NewMemory())
	d := dashboard.New(st, dashboard.Config{})
	defer d.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	defer srv.Close()
	tb := openTab(t) // the 501 is an error on the console
	tb.open(srv.URL)
	for range 7 {
		st.Observe(stats.Outcome{})
	}
	tb.until(`document.querySelector('.tile b').textContent === '7' && document.getElementById('state').textContent === 'running'`)
}

// Another site cannot put the page in a frame.
func TestFrame(t *testing.T) {
	url, _ := serve(t, stats.New(), dashboard.Config{})
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<!doctype html><iframe src=%q></iframe><iframe src=%q></iframe>`, url, url+"report.html")
	}))
	defer other.Close()
	tb := openTab(t)
	messages := chromedp.Console(tb.ctx)
	tb.do(chromedp.Navigate(other.URL))
	refused := 0
	for m, err := range messages {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.String(), "frame-ancestors") {
			if refused++; refused == 2 {
				break
			}
		}
	}
	if n := eval[int](tb, `[...document.querySelectorAll('iframe')].filter(f => { try { return f.contentDocument?.querySelector('main'); } catch { return false; } }).length`); n != 0 {
		t.Errorf("%d pages are in a frame", n)
	}
}
