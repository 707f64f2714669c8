package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
)

// hold returns a channel that is closed when n requests have been made. Further
// ones wait until the other one is closed.
func (c *crawling) hold(n int64) (made <-chan struct{}, release chan struct{}) {
	made, release = c.await(n), make(chan struct{})
	count := *c.request.Load()
	request := func() {
		count()
		select {
		case <-made:
			<-release
		default:
		}
	}
	c.request.Store(&request)
	return made, release
}

// TestPageAndReport looks at the page in the middle of a crawl and at the report
// after it.
func TestPageAndReport(t *testing.T) {
	t.Parallel()
	c := newCrawling(t)
	var log syncbuf.Buffer
	c.log = &log
	c.opts.listen = "127.0.0.1:0"
	c.opts.report = filepath.Join(t.TempDir(), "report.html")
	underWay, looked := c.hold(100)
	ended := make(chan int)
	go func() { ended <- c.exit() }()
	<-underWay
	at := regexp.MustCompile(`"at":"(http://[^"]+/)"`).FindStringSubmatch(log.String())
	if at == nil {
		t.Fatalf("the log does not say where the page is: %s", log.String())
	}

	if page := fetch(t, at[1]); !strings.Contains(page, "<!doctype html>") {
		t.Errorf("the page is %.100q", page)
	}
	var view struct {
		Progress struct {
			Known bool
			Total int64
		}
	}
	if err := json.Unmarshal([]byte(fetch(t, at[1]+"api/v1/stats.json")), &view); err != nil {
		t.Fatal(err)
	}
	if !view.Progress.Known || view.Progress.Total < 100 {
		t.Errorf("after 100 requests: %+v", view.Progress)
	}
	if metrics := fetch(t, at[1]+"metrics"); !strings.Contains(metrics, `queue_pending{`) {
		t.Errorf("no queue in the metrics:\n%s", metrics)
	}

	close(looked)
	if code := <-ended; code != 0 {
		t.Fatalf("exit status %d", code)
	}
	c.check()
	if text := log.String(); strings.Count(text, "Latency ") != 1 || !strings.Contains(text, "report in "+c.opts.report) {
		t.Errorf("not one summary, or none of the report: %s", text)
	}
	report, err := os.ReadFile(c.opts.report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(report), "finished") || bytes.Contains(report, []byte("<script>")) {
		t.Errorf("the report is %.300q", report)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(body)
}

// An address in use and a report that cannot be written are failures that cost
// no figure.
func TestNoPlaceForPageAndReport(t *testing.T) {
	t.Parallel()
	c := newCrawling(t)
	var log syncbuf.Buffer
	c.log = &log
	c.opts.listen = c.opts.site.Host // where the site is
	if code := c.exit(); code != 1 || !strings.Contains(log.String(), "address already in use") {
		t.Errorf("exit status %d: %s", code, log.String())
	}
	c.opts.listen = ""
	c.opts.report = filepath.Join(t.TempDir(), "missing", "report.html")
	if code := c.exit(); code != 1 || !strings.Contains(log.String(), "no such file") {
		t.Errorf("exit status %d: %s", code, log.String())
	}
	c.check()
}
