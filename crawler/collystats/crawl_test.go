package collystats_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/crawler/example/site"
	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

// crawl is a crawl of the example site, and what is known of it without the
// adapter: the access log of the site, and the calls of the crawler.
type crawl struct {
	t      *testing.T
	site   *site.Site
	origin string
	base   *http.Transport
	st     *stats.Statistics
	counting

	requested atomic.Pointer[func()]
	visits    atomic.Int64 // calls of Visit
	heads     atomic.Int64 // that came with them
	hits      atomic.Int64 // answers out of the cache
	bytes     atomic.Int64 // of bodies
	followed  atomic.Int64 // redirects
	robots    atomic.Int64
}

func newCrawl(t *testing.T) *crawl {
	k := &crawl{t: t, site: site.New(), base: newTransport(t), st: stats.New()}
	server := httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(server.Close)
	k.origin = server.URL
	return k
}

// serve is the site. Its pages that hang do so for a short time only.
func (k *crawl) serve(w http.ResponseWriter, r *http.Request) {
	if requested := k.requested.Load(); requested != nil {
		(*requested)()
	}
	if r.Referer() != "" { // http.Client sets it when it follows a redirect, Colly never
		k.followed.Add(1)
	}
	switch {
	case r.URL.Path == "/robots.txt":
		k.robots.Add(1)
	case strings.HasPrefix(r.URL.Path, "/hang/"):
		ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
		defer cancel()
		r = r.WithContext(ctx)
	}
	k.site.ServeHTTP(&tally{w, k, r}, r)
}

// tally counts the bytes of bodies.
type tally struct {
	http.ResponseWriter
	crawl   *crawl
	request *http.Request
}

func (t *tally) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tally) Write(p []byte) (int, error) {
	if t.request.Method != http.MethodHead && t.request.URL.Path != "/robots.txt" {
		t.crawl.bytes.Add(int64(len(p)))
	}
	return t.ResponseWriter.Write(p)
}

// few of the pages of each kind: what a synchronous crawl has time for.
var few = regexp.MustCompile(`^http://[^/]+/(c/0|p/[0-4]|404/[0-4]|410/.|500/[01]|503/[0-5]|rst/[0-2]|go/[0-4]|to/.*|copy/0|no/[0-3]|evil|<.*|%.*)?$`)

// simple paths need no escape.
var simple = regexp.MustCompile(`^/[a-z0-9/]*$`)

// collector returns one that crawls the site as people do: it follows links, and
// tries again what may heal.
func (k *crawl) collector(options ...colly.CollectorOption) *colly.Collector {
	c := colly.NewCollector(options...)
	c.AllowedDomains = []string{"127.0.0.1"}
	c.SetRequestTimeout(time.Minute)
	k.follow(c, c)
	return c
}

// follow gives the callbacks of a crawler to c. Links are visited with next.
func (k *crawl) follow(c, next *colly.Collector) {
	c.OnHTML("a[href]", func(e *colly.HTMLElement) {
		// Request.Visit of the page would stay with its own collector.
		k.visits.Add(1)
		if next == c {
			k.CountVisit(e.Request.Visit(e.Attr("href")))
			return
		}
		k.CountVisit(next.Visit(e.Request.AbsoluteURL(e.Attr("href"))))
	})
	c.OnError(func(r *colly.Response, err error) {
		tries, _ := strconv.Atoi(r.Request.Headers.Get(site.AttemptHeader))
		if tries < 3 && (broken(err) || r.StatusCode >= 500) {
			r.Request.Headers.Set(site.AttemptHeader, strconv.Itoa(tries+1))
			k.Retry(r.Request)
		}
	})
}

// broken reports errors of the network.
func broken(err error) bool {
	failed, visited := (*url.Error)(nil), (*colly.AlreadyVisitedError)(nil)
	return errors.As(err, &failed) && !errors.As(err, &visited) && !errors.Is(err, context.Canceled)
}

func (k *crawl) visit(c *colly.Collector, path string) {
	k.visits.Add(1)
	if c.CheckHead {
		k.heads.Add(1)
	}
	k.CountVisit(c.Visit(k.origin + path))
}

func (k *crawl) attach(c *colly.Collector) {
	k.counting = collystats.Attach(c, k.st, collystats.Config{Transport: k.base})
}

func (k *crawl) attachNaive(c *colly.Collector) {
	c.WithTransport(k.base)
	k.counting = naively(c, k.st)
}

// faults compares what was counted with what is known.
func (k *crawl) faults() (found []string) {
	check := func(what string, got, want int64) {
		if got != want {
			found = append(found, fmt.Sprintf("%s: %d, want %d", what, got, want))
		}
	}
	s, log := k.st.Snapshot(), k.site.Log()
	if err := s.Balanced(); err != nil {
		found = append(found, err.Error())
	}
	check("in flight", s.InFlight, 0)
	check("unmatched", s.Unmatched, 0)

	var failed int64
	for _, statuses := range log.Paths {
		if last := statuses[len(statuses)-1]; last == site.NoResponse || last >= 400 {
			failed++
		}
	}
	check("started", s.Started, k.visits.Load()+k.heads.Load())
	check("finished", s.Finished, log.Status[200])
	check("failed", s.Failed, failed)
	check("attempts", s.Attempts, log.Requests-k.followed.Load())
	check("redirects", s.Counters["wire.redirects"], k.followed.Load())
	check("bytes", s.Counters["wire.bytes.content"], k.bytes.Load())
	check("robots.txt", s.Counters["colly.robots"], k.robots.Load())
	check("cache hits", s.Counters["colly.cache.hits"], k.hits.Load())
	check("durations", s.FinishedDuration.Count, log.Status[200])
	check("transport lost", s.Counters["colly.transport.lost"], 0)
	check("unattached", s.Counters["colly.unattached"], 0)
	delete(log.Status, site.NoResponse)
	for code := range 1000 {
		check(fmt.Sprint("status ", code), s.StatusCodes[code], log.Status[code])
	}
	for _, host := range s.Hosts {
		check(host.Host+" finished", host.Finished, s.Finished)
		check(host.Host+" failed", host.Failed, s.Failed)
	}
	check("hosts", int64(len(s.Hosts)), 1)
	return found
}

// Whatever Colly does, what is counted is what the site has in its log.
func TestCrawls(t *testing.T) {
	synchronously := func(k *crawl, attach func(*colly.Collector), options ...colly.CollectorOption) *colly.Collector {
		c := k.collector(append(options, colly.URLFilters(few))...)
		attach(c)
		k.visit(c, "/")
		k.Wait()
		return c
	}
	const politeness = 30 * time.Millisecond
	none := func(*testing.T, *crawl) {}
	variants := []struct {
		name  string
		run   func(k *crawl, attach func(*colly.Collector))
		check func(t *testing.T, k *crawl)
	}{
		{"sync", func(k *crawl, attach func(*colly.Collector)) { synchronously(k, attach) }, none},
		{"async", func(k *crawl, attach func(*colly.Collector)) {
			c := k.collector(colly.Async())
			attach(c)
			k.visit(c, "/")
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			if n := len(k.site.Log().Paths); n < 600 {
				t.Errorf("only %d pages", n)
			}
		}},
		{"cache", func(k *crawl, attach func(*colly.Collector)) {
			cache := k.t.TempDir()
			synchronously(k, attach, colly.CacheDir(cache))
			// Colly keeps all but what it got by a redirect and what a server is
			// to blame for.
			c := colly.NewCollector(colly.CacheDir(cache))
			attach(c)
			for path, statuses := range k.site.Log().Paths {
				if !strings.HasPrefix(path, "/to/") && simple.MatchString(path) && statuses[0] != site.NoResponse && statuses[0] < 500 {
					k.hits.Add(1)
					k.visit(c, path)
				}
			}
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			s := k.st.Snapshot()
			if n := k.hits.Load(); n < 20 || s.Discards[stats.DiscardDuplicate] < n {
				t.Errorf("%d hits, %d duplicates", n, s.Discards[stats.DiscardDuplicate])
			}
		}},
		{"retries", func(k *crawl, attach func(*colly.Collector)) {
			c := k.collector(colly.Async(), colly.URLFilters(regexp.MustCompile(`/(503/.*|500/.*|rst/.*|hang/.*)?$`)))
			attach(c)
			k.visit(c, "/")
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			// Half of the six that reset, one of the four that hang, all of the
			// eight with a 500 do not heal in three retries.
			s := k.st.Snapshot()
			if n := s.ErrorKinds["handler"]; n != 0 {
				t.Errorf("%d attempts failed for no reason: %v", n, s.RetryErrors)
			}
			if s.Failed != 3+1+8 || s.Retries != 21+8+6+4 || s.RetryHistogram[3] != 7+8+3+1 {
				t.Errorf("failed %d, retries %d, %v", s.Failed, s.Retries, s.RetryHistogram)
			}
		}},
		{"limit rules", func(k *crawl, attach func(*colly.Collector)) {
			c := colly.NewCollector(colly.Async(), colly.URLFilters(few))
			c.AllowedDomains = []string{"127.0.0.1"}
			c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: 4, Delay: politeness})
			attach(c)
			k.follow(c, c)
			k.visit(c, "/")
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			s := k.st.Snapshot()
			if p := s.Timers["wire.phase.politeness"]; p.Count != s.Attempts || p.Min < politeness {
				t.Errorf("politeness: %d of %d, %v to %v", p.Count, s.Attempts, p.Min, p.Max)
			}
		}},
		{"robots", func(k *crawl, attach func(*colly.Collector)) {
			c := k.collector(colly.URLFilters(few))
			c.IgnoreRobotsTxt = false
			attach(c)
			k.visit(c, "/")
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			if n := k.st.Snapshot().Discards[stats.DiscardRobots]; n != 4 {
				t.Errorf("%d discarded for robots.txt", n)
			}
		}},
		{"clones", func(k *crawl, attach func(*colly.Collector)) {
			c := colly.NewCollector(colly.Async(), colly.URLFilters(few))
			c.AllowedDomains = []string{"127.0.0.1"}
			attach(c)
			clone := c.Clone()
			k.Attach(clone)
			k.follow(c, clone)
			k.follow(clone, clone)
			k.visit(c, "/")
			k.Wait()
		}, none},
		{"max depth", func(k *crawl, attach func(*colly.Collector)) {
			synchronously(k, attach, colly.MaxDepth(2))
		}, func(t *testing.T, k *crawl) {
			if n := k.st.Snapshot().Discards[stats.DiscardDepth]; n == 0 {
				t.Error("nothing was too deep")
			}
		}},
		{"redirects to what was visited", func(k *crawl, attach func(*colly.Collector)) {
			c := colly.NewCollector()
			attach(c)
			for _, path := range []string{"/to/1", "/to/3", "/go/0", "/go/1", "/go/2", "/go/3", "/go/3"} {
				k.visit(c, path)
			}
			k.Wait()
		}, func(t *testing.T, k *crawl) {
			// Two by redirect, and /go/3 once more.
			if n := k.st.Snapshot().Discards[stats.DiscardDuplicate]; n != 3 {
				t.Errorf("%d duplicates", n)
			}
		}},
		{"HEAD checks", func(k *crawl, attach func(*colly.Collector)) {
			c := k.collector(colly.CheckHead(), colly.MaxDepth(1))
			attach(c)
			for n := range 5 {
				k.visit(c, fmt.Sprint("/p/", n))
			}
			k.visit(c, "/404/1")
			k.visits.Add(-1) // no GET follows a HEAD that fails
			k.Wait()
		}, none},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			k := newCrawl(t)
			v.run(k, k.attach)
			for _, fault := range k.faults() {
				t.Error(fault)
			}
			v.check(t, k)
		})
		t.Run(v.name+", naively", func(t *testing.T) {
			t.Parallel()
			k := newCrawl(t)
			v.run(k, k.attachNaive)
			if len(k.faults()) == 0 {
				t.Error("nothing is wrong")
			}
		})
	}
}

// Whoever counts the status codes, and wherever it stands, each fact is counted
// once.
func TestWithTransportOfHTTPStats(t *testing.T) {
	transports := map[string]func(k *crawl, c *colly.Collector){
		"in Config": func(k *crawl, c *colly.Collector) {
			counted := httpstats.Transport(k.st, httpstats.Config{Base: k.base, Requests: true})
			k.counting = collystats.Attach(c, k.st, collystats.Config{Transport: counted})
		},
		"in the collector before": func(k *crawl, c *colly.Collector) {
			c.WithTransport(httpstats.Transport(k.st, httpstats.Config{Base: k.base}))
			k.counting = collystats.Attach(c, k.st, collystats.Config{})
		},
		"with something in between": func(k *crawl, c *colly.Collector) {
			c.WithTransport(between{httpstats.Transport(k.st, httpstats.Config{Base: k.base})})
			k.counting = collystats.Attach(c, k.st, collystats.Config{})
		},
		"in place of ours": func(k *crawl, c *colly.Collector) {
			k.counting = collystats.Attach(c, k.st, collystats.Config{})
			c.WithTransport(httpstats.Transport(k.st, httpstats.Config{Base: k.base}))
		},
	}
	for name, attach := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newCrawl(t)
			c := k.collector(colly.URLFilters(few))
			attach(k, c)
			k.visit(c, "/")
			k.Wait()
			for _, fault := range k.faults() {
				if name == "in place of ours" && strings.HasPrefix(fault, "transport lost") {
					continue
				}
				t.Error(fault)
			}
		})
	}
}

// between is a RoundTripper that copies requests.
type between struct{ http.RoundTripper }

func (b between) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.RoundTripper.RoundTrip(r.Clone(r.Context()))
}

// A crawl that is cancelled has no failures of that.
func TestCancelledCrawl(t *testing.T) {
	for _, async := range []bool{false, true} {
		t.Run(fmt.Sprint("async ", async), func(t *testing.T) {
			k := newCrawl(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var count atomic.Int64
			requested := func() {
				if count.Add(1) == 20 {
					cancel()
				}
			}
			k.requested.Store(&requested)
			c := k.collector(colly.StdlibContext(ctx), colly.Async(async), colly.URLFilters(regexp.MustCompile(`/(c/.*|p/.*)?$`)))
			k.attach(c)
			k.visit(c, "/")
			k.Wait()

			s := k.st.Snapshot()
			if err := s.Balanced(); err != nil {
				t.Error(err)
			}
			if s.Failed != 0 || s.InFlight != 0 || s.Discards[stats.DiscardAborted] == 0 || s.Started != k.visits.Load() {
				t.Errorf("failed %d, in flight %d, aborted %d, started %d of %d",
					s.Failed, s.InFlight, s.Discards[stats.DiscardAborted], s.Started, k.visits.Load())
			}
		})
	}
}

// A crawl whose time is up is over, too; no request has timed out.
func TestCrawlPastItsDeadline(t *testing.T) {
	l := newLab(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	l.Context = ctx
	l.counting = ours(l.Collector, l.st)
	l.run(func(l *lab) { l.visit("/") })
	expect{Started: 1, Discarded: 1, Attempts: 1}.check(t, l)
	wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardAborted: 1})
}

// Requests are in flight from the time they are sent.
func TestInFlight(t *testing.T) {
	var inFlight atomic.Int64
	st := stats.New()
	l := newLab(t, func(w http.ResponseWriter, r *http.Request) {
		inFlight.Store(st.Live().InFlight)
		page(w, r)
	})
	l.st, l.counting = st, ours(l.Collector, st)
	l.run(func(l *lab) { l.visit("/") })
	if n := inFlight.Load(); n != 1 {
		t.Errorf("%d in flight while the server had it", n)
	}
}
