package browser

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

// patience bounds every wait. It is generous: nothing here is a measurement.
const patience = time.Minute

// tab is a page of a browser.
type tab struct {
	testing.TB
	ctx context.Context

	mu  sync.Mutex
	bad []string // errors on the console, and requests to elsewhere
}

// newTab starts a browser, and fails the test in the end if the page has caused
// an error on the console, which is also where violations of its policy appear,
// or has asked for anything of another site than base.
func newTab(t testing.TB, base string) *tab {
	t.Helper()
	tb := openTab(t)
	t.Cleanup(func() {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		for _, b := range tb.bad {
			t.Error(b)
		}
	})
	messages, requests := chromedp.Console(tb.ctx), chromedp.Events(tb.ctx, network.RequestWillBeSent)
	if _, err := chromedp.Call(tb.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			// A server that is gone is part of some tests.
			if (m.Type == "error" || m.IsException()) && !strings.Contains(m.String(), "net::ERR_") {
				tb.note("on the console: " + m.String())
			}
		}
	}()
	go func() {
		for event, err := range requests {
			if err != nil {
				return
			}
			if u := event.Request.URL; !strings.HasPrefix(u, "data:") && origin(u) != origin(base) {
				tb.note("a request to elsewhere: " + u)
			}
		}
	}()
	return tb
}

// openTab starts a browser that may do what it likes.
func openTab(t testing.TB) *tab {
	t.Helper()
	program := tool.Program(t, "chromium", "chromium fonts-dejavu-core")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	if err := chromedp.Do(ctx); err != nil { // the first call sets the life of the browser: no deadline
		t.Fatal(err)
	}
	return &tab{TB: t, ctx: ctx}
}

func (t *tab) note(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad = append(t.bad, s)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

// do takes steps.
func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// open navigates, and waits for the first figures.
func (t *tab) open(address string) {
	t.Helper()
	t.do(chromedp.Navigate(address))
	t.until(`document.querySelectorAll('.tile').length === 6`)
}

// until waits for an expression to be true.
func (t *tab) until(expression string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if eval[bool](t, "Boolean("+expression+")") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never true: %s\nthe page says: %s", expression, eval[string](t, "document.body.innerText"))
		}
	}
}

// eval returns the value of an expression.
func eval[T any](t *tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// text returns what an element says.
func (t *tab) text(selector string) string {
	t.Helper()
	return eval[string](t, "document.querySelector("+quote(selector)+").textContent")
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
