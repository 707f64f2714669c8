package browser

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

const hostileName = `<img src=x onerror="document.title='pwned'"></title></style><script>document.title='pwned'</script>`

// finishedCrawl is the record of the crawl of the pictures, killed and resumed,
// and then closed.
func finishedCrawl(t *testing.T) (s stats.Snapshot) {
	t.Helper()
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now.Add(-400 * time.Second)))
		rng := rand.New(rand.NewPCG(7, 7))
		store := kvstore.NewMemory()
		var st *stats.Statistics
		for second := range 400 {
			if second == 0 || second == 150 {
				if st != nil {
					time.Sleep(30 * time.Second) // the first is never closed: it was killed
				}
				var err error
				if st, err = stats.Open(t.Context(), stats.Config{ID: "shop-catalogue", Store: store, Logger: slog.New(slog.DiscardHandler)}); err != nil {
					t.Fatal(err)
				}
				opened := st
				defer func() {
					if err := opened.Close(); err != nil && !errors.Is(err, stats.ErrSuperseded) {
						t.Error(err)
					}
				}()
			}
			crawlSecond(st, rng, second, 0, trouble(second+400))
			time.Sleep(time.Second)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		s = st.Snapshot()
	})
	return s
}

// writeReport writes a report into a file, and returns its address.
func writeReport(t *testing.T, r dashboard.Report, s stats.Snapshot) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Write(file, s), file.Close()); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// commas writes a number as reports do.
func commas(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func TestReport(t *testing.T) {
	s := finishedCrawl(t)
	t.Run("without scripts", func(t *testing.T) { reportWithoutScripts(t, s) })
	t.Run("looks", func(t *testing.T) { reportLooks(t, s) })
	t.Run("policy", func(t *testing.T) { reportPolicy(t, s) })
}

// The report is whole from a file with scripts switched off: every figure, and
// ink in every chart.
func reportWithoutScripts(t *testing.T, s stats.Snapshot) {
	address := writeReport(t, dashboard.Report{ID: "shop-catalogue"}, s)
	tb := newTab(t, address)
	if _, err := chromedp.Call(tb.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	tb.open(address)

	want := []string{
		"shop-catalogue", "stopped", "Resumed", "1×", "State saved", "resumed", "Throughput", "Latency", "Responses",
		"Retries needed", "Discarded", "robots", "Error groups", "Hosts", "p50", "p95", "p99", "max",
	}
	for _, n := range []int64{s.Started, s.Finished, s.Failed, s.Discarded, s.Interrupted, s.InFlight, s.Retries, s.Attempts} {
		want = append(want, commas(n))
	}
	for _, n := range s.RetryHistogram {
		want = append(want, commas(n))
	}
	for code, n := range s.StatusCodes {
		want = append(want, fmt.Sprint(code), commas(n))
	}
	for _, h := range s.Hosts {
		want = append(want, h.Host, commas(h.Finished+h.Failed))
	}
	for _, g := range s.Errors {
		want = append(want, g.Kind, g.Message, commas(g.Count))
	}
	text := strings.ReplaceAll(eval[string](tb, "document.body.textContent"), "\u00a0", " ")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the report does not say %q", w)
		}
	}
	for _, none := range []string{"NaN", "Infinity", "undefined"} {
		if strings.Contains(text, none) {
			t.Errorf("the report says %s", none)
		}
	}
	for selector, least := range map[string]int{
		".plot path": 7, ".plot rect": 40, ".plot .mark": 3, ".plot line.rule": 9, ".spark path": 4, ".bars rect": 10, ".mix rect": 9,
	} {
		if n := eval[int](tb, "[...document.querySelectorAll("+quote(selector)+")].filter(e => { const b = e.getBoundingClientRect(); return b.width + b.height > 0 }).length"); n < least {
			t.Errorf("%d of %s have a size, want %d", n, selector, least)
		}
	}
	if hidden := eval[int](tb, "[...document.querySelectorAll('h1, h2, h3, .tile b, .verdict')].filter(e => !e.getClientRects().length).length"); hidden != 0 {
		t.Errorf("%d headings and figures cannot be seen", hidden)
	}
}

// It is light and dark as the reader likes, fits a phone, and asks for nothing.
func reportLooks(t *testing.T, s stats.Snapshot) {
	address := writeReport(t, dashboard.Report{ID: hostileName}, s)
	tb := newTab(t, address)
	tb.open(address)
	colors := map[string]bool{}
	for _, name := range []string{"light", "dark"} {
		scheme(tb, name)
		colors[eval[string](tb, "getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.querySelector('.k-finished')).stroke")] = true
		for _, width := range []int64{1440, 390} {
			tb.do(chromedp.EmulateViewport(width, 900))
			if wide := eval[int64](tb, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s: %d px wide in a window of %d", name, wide, width)
			}
		}
	}
	if len(colors) != 2 {
		t.Errorf("light and dark look like %v", colors)
	}
	if title := eval[string](tb, "document.title"); title != hostileName+": stopped" {
		t.Errorf("the title is %s", title)
	}
	if n := eval[int](tb, "document.querySelectorAll('img, script:not([type=\"application/json\"])').length"); n != 0 {
		t.Errorf("%d elements of strangers", n)
	}
}

// The policy holds even against what should never get in.
func reportPolicy(t *testing.T, s stats.Snapshot) {
	tb := openTab(t)
	tb.open(writeReport(t, dashboard.Report{}, s))
	if eval[bool](tb, `(() => { const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); return Boolean(window.ran) })()`) {
		t.Error("a script that was put into the report ran")
	}
	if eval[bool](tb, `(() => { const s = document.createElement('style'); s.textContent = 'h1{color:rgb(1,2,3)}'; document.head.append(s); return getComputedStyle(document.querySelector('h1')).color === 'rgb(1, 2, 3)' })()`) {
		t.Error("a style that was put into the report works")
	}
}
