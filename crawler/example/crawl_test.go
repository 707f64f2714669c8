package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/crawler/example/site"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

var quiet = slog.New(slog.DiscardHandler)

// crawling is a site, and what is needed to crawl it over and over.
type crawling struct {
	t       *testing.T
	site    *site.Site
	opts    options
	log     io.Writer
	request atomic.Pointer[func()] // called for each one
}

// newCrawling serves a site whose hanging pages end soon, so that the crawler can
// have all the patience in the world: on a busy machine any page may take long,
// and that must not change the totals.
func newCrawling(t *testing.T) *crawling {
	c := &crawling{t: t, site: site.New(), log: io.Discard}
	c.request.Store(&ignore)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*c.request.Load())()
		if strings.HasPrefix(r.URL.Path, "/hang/") {
			ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
			defer cancel()
			r = r.WithContext(ctx)
		}
		c.site.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c.opts = options{
		site: u, timeout: time.Minute, concurrency: 16, maxRequests: math.MaxInt,
		id: "example", state: t.TempDir(), logEvery: -1,
	}
	return c
}

var ignore = func() {}

// await returns a channel that is closed when n more requests have been made.
func (c *crawling) await(n int64) <-chan struct{} {
	made := make(chan struct{})
	var count atomic.Int64
	request := func() {
		if count.Add(1) == n {
			close(made)
		}
	}
	c.request.Store(&request)
	return made
}

func (c *crawling) run() {
	c.t.Helper()
	if code := c.exit(); code != 0 {
		c.t.Fatalf("exit status %d", code)
	}
}

// exit runs the crawler and returns its exit status.
func (c *crawling) exit() int {
	line := logging.NewProgress(c.log)
	return run(c.opts, line, logging.New(line))
}

// saved reads the statistics and the ledger that a run has left.
func (c *crawling) saved() (stats.Snapshot, ledger) {
	c.t.Helper()
	store, err := badgerstore.Open(badgerstore.Config{Dir: c.opts.state})
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close(c.t.Context())
	s, err := stats.Load(c.t.Context(), store, stats.Key(c.opts.id, ""))
	if err != nil {
		c.t.Fatal(err)
	}
	if s.Extensions["frontier"] != nil {
		l, err := stats.ExtensionOf[ledger](s, "frontier", nil)
		if err != nil {
			c.t.Fatal(err)
		}
		return s, l
	}
	j, err := openJournal(c.t.Context(), kvstore.Named(store, "queue"), c.opts.id)
	if err != nil {
		c.t.Fatal(err)
	}
	return s, j.ledger
}

// totals are the numbers that both sides know.
type totals struct {
	Finished, Failed, Retried, Attempts int64
	Discards                            map[stats.DiscardReason]int64
	Codes                               map[int]int64
}

func counted(s stats.Snapshot) totals {
	return totals{s.Finished, s.Failed, s.Retries, s.Attempts, s.Discards, s.StatusCodes}
}

// expected makes them of the access log and of what a crawler should make of
// the pages that it is to leave alone.
func expected(l site.Log) totals {
	want := totals{
		Attempts: l.Requests,
		Discards: map[stats.DiscardReason]int64{stats.DiscardRobots: 10, stats.DiscardDuplicate: 12, stats.DiscardMalformed: 3},
		Codes:    map[int]int64{},
	}
	for status, n := range l.Status {
		if status != site.NoResponse {
			want.Codes[status] = n
		}
	}
	for path, answers := range l.Paths {
		switch last := answers[len(answers)-1]; {
		case strings.HasPrefix(path, "/copy/"):
			continue
		case last == site.NoResponse || last >= 400:
			want.Failed++
		default:
			want.Finished++
		}
		if len(answers) > 1 {
			want.Retried++
		}
	}
	return want
}

// reachable is the number of pages that links lead to and robots.txt allows.
const reachable = 670

func (c *crawling) check() {
	c.t.Helper()
	s, _ := c.saved()
	l := c.site.Log()
	if err := s.Balanced(); err != nil {
		c.t.Error(err)
	}
	if diff := cmp.Diff(expected(l), counted(s)); diff != "" {
		c.t.Error("access log and statistics differ:", diff)
	}
	if n := len(l.Paths); n != reachable {
		c.t.Errorf("%d pages crawled, want %d", n, reachable)
	}
	for path, answers := range l.Paths {
		if strings.HasPrefix(path, "/no/") {
			c.t.Errorf("%s was crawled in spite of robots.txt", path)
		}
		if len(answers) > 1+maxRetries {
			c.t.Errorf("%s: %d attempts", path, len(answers))
		}
	}
}

// TestCrawl compares the statistics of a crawl with the access log of the site,
// looks through all that was logged, and runs again.
func TestCrawl(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := newCrawling(t)
	c.log = &log
	c.run()
	c.check()
	first, _ := c.saved()

	frontier, err := json.Marshal(first.Extensions["frontier"])
	if err != nil {
		t.Fatal(err)
	}
	if len(frontier) > 12<<10 {
		t.Errorf("the frontier has %d bytes: of 16 KB there should be some to spare", len(frontier))
	}
	if r := strings.IndexFunc(log.String(), func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); r >= 0 {
		t.Errorf("the log has a character that does not show: %q", log.String()[max(r-50, 0):r+10])
	}
	if !strings.Contains(log.String(), `java\\x1bscript`) {
		t.Error("the log does not tell of the hostile links")
	}

	requests := c.site.Log().Requests
	log.Reset()
	c.run()
	if n := c.site.Log().Requests; n != requests {
		t.Errorf("the second run made %d requests, want none", n-requests)
	}
	for _, want := range []string{"resumed", "nothing left to crawl"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the second run does not say %q: %s", want, &log)
		}
	}
	second, _ := c.saved()
	if diff := cmp.Diff(counted(first), counted(second)); diff != "" {
		t.Error("the second run changed the totals:", diff)
	}

	c.opts.fresh = true
	c.opts.maxRequests = 1
	c.run()
	if s, _ := c.saved(); s.Started != 1 {
		t.Errorf("%d requests after -fresh -max-requests 1, want 1", s.Started)
	}
}

// TestCrawlInParts reaches the same totals in several runs, with the queue in
// the record of the statistics and with one of its own.
func TestCrawlInParts(t *testing.T) {
	t.Parallel()
	for name, journal := range map[string]bool{"extension": false, "journal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrawling(t)
			if journal {
				c.opts.start = c.opts.site.JoinPath("/")
			}
			c.opts.maxRequests = 250
			for range 3 {
				c.run()
			}
			c.check()
		})
	}
}

func TestServesItsOwnSite(t *testing.T) {
	t.Parallel()
	c := newCrawling(t)
	c.opts.site = nil
	c.opts.maxRequests = 5 // the home page, the hostile one, and three that hang
	c.opts.timeout = 300 * time.Millisecond
	c.run()
	s, _ := c.saved()
	if s.Started < 5 {
		t.Errorf("%d requests, want 5", s.Started)
	}
	if n := s.ErrorKinds[string(stats.KindTimeout)]; n < 1+maxRetries {
		t.Errorf("%d timeouts, want at least those of /hang/0", n)
	}
	if n := c.site.Log().Requests; n != 0 {
		t.Errorf("%d requests to another site", n)
	}
}

func TestUnreachableSite(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := newCrawling(t)
	c.log = &log
	c.opts.site = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	if code := c.exit(); code != 1 || !strings.Contains(log.String(), "connection refused") {
		t.Errorf("exit status %d, want 1 for a refused connection: %s", code, &log)
	}
}
