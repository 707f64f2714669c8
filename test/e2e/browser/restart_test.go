package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// TestMain runs the crawler that TestKilledAndRestarted kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BROWSER_TEST_CRAWL"); dir != "" {
		if err := crawlForever(dir, os.Getenv("BROWSER_TEST_ADDRESS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	leaktest.Main(m)
}

// crawlForever counts twenty requests a second until it is killed, or its
// standard input ends.
func crawlForever(dir, address string) error {
	log := slog.New(slog.DiscardHandler)
	store, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: log})
	if err != nil {
		return err
	}
	st, err := stats.Open(context.Background(), stats.Config{ID: "shop", Store: store, PersistEvery: 100 * time.Millisecond, Logger: log})
	if err != nil {
		return err
	}
	server, err := dashboard.Listen(context.Background(), address, dashboard.New(st, dashboard.Config{}))
	if err != nil {
		return err
	}
	fmt.Println(server.URL)
	stop := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(stop) }()
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(50 * time.Millisecond):
			st.Observe(stats.Outcome{Duration: time.Millisecond, StatusCode: 200})
		}
	}
}

// startCrawl starts a process that crawls, and returns where its page is.
func startCrawl(t *testing.T, dir, address string) (url string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "BROWSER_TEST_CRAWL="+dir, "BROWSER_TEST_ADDRESS="+address)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe() // it ends when this process does
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		stdin.Close()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), kill
}

// A crawl that is killed and started again goes on from its saved totals; the
// page, which was never reloaded, shows the gap and marks where it went on.
func TestKilledAndRestarted(t *testing.T) {
	dir := t.TempDir()
	url, kill := startCrawl(t, dir, "127.0.0.1:0")
	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
	tb := newTab(t, url)
	tb.open(url)
	for killed := 1; killed <= 2; killed++ {
		before := eval[int64](tb, `V.totals.finished`)
		tb.until(fmt.Sprintf(`V.totals.finished >= %d + 60 && Date.now() / 1000 - V.marks.concat({at: 0}).map(m => m.at).reduce((a, b) => Math.max(a, b)) > 3`, before))
		kill()
		last := eval[int64](tb, `V.totals.finished`)
		tb.until(`document.getElementById('state').textContent === 'connection lost, trying again'`)
		time.Sleep(3 * time.Second) // a gap that is more than a second that ended late
		_, kill = startCrawl(t, dir, address)
		tb.until(`document.getElementById('state').textContent === 'running'`)
		// What the page has seen may be one interval ahead of what was saved.
		if first := eval[int64](tb, `V.totals.finished`); first < last-20 {
			t.Errorf("it went on from %d, after %d", first, last)
		}
		tb.until(fmt.Sprintf(`V.totals.finished > %d`, last+20))
		if marks := eval[string](tb, `V.marks.map(m => m.text + m.clean).join()`); marks != strings.TrimSuffix(strings.Repeat("resumedfalse,", killed), ",") {
			t.Errorf("marks %q", marks)
		}
		if gaps := eval[int](tb, `rings[0].rows.filter(r => r.length === 1).length`); gaps < killed {
			t.Errorf("%d gaps, want %d: %s", gaps, killed, eval[string](tb, `JSON.stringify(rings[0].rows.map(r => r[0]))`))
		}
		if facts := tb.text("#facts"); !strings.Contains(facts, fmt.Sprintf("%d×, last ", killed)) {
			t.Errorf("the head says %q", facts)
		}
	}
	tb.do(chromedp.Click("//button[text()='5 min']"))
	tb.until(inked + ` === 3`)
	checkReport(t, url)
}

// checkReport opens the report from a file, with scripts forbidden.
func checkReport(t *testing.T, url string) {
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, get(t, url+"report.html"), 0o644); err != nil {
		t.Fatal(err)
	}
	tb := newTab(t, "file://")
	if _, err := chromedp.Call(tb.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	tb.do(chromedp.Navigate("file://" + file))
	text, err := chromedp.Run(tb.ctx, chromedp.TextContent("body"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shop", "running", "Finished", "resumed", "2xx"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q: %s", want, text)
		}
	}
}
