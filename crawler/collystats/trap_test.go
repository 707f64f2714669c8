package collystats_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocolly/colly/v2"
	"github.com/gocolly/colly/v2/queue"
	"github.com/gocolly/colly/v2/storage"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte("<p>page</p>"))
}

// Colly calls OnError for every status from 203 on.
func TestErrorBoundary(t *testing.T) {
	status := func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.WriteHeader(code)
	}
	visitAll := func(l *lab) {
		for _, path := range []string{"/200", "/203", "/204", "/206", "/304", "/404", "/500"} {
			l.visit(path)
		}
	}
	codes := map[int]int64{200: 1, 203: 1, 204: 1, 206: 1, 304: 1, 404: 1, 500: 1}
	eachAdapter(t, status, visitAll, func(t *testing.T, l *lab) {
		expect{Started: 7, Finished: 5, Failed: 2, Attempts: 7}.check(t, l)
		wantCodes(t, l, codes)
		wantKinds(t, l, map[string]int64{"http": 2})
	}, func(t *testing.T, l *lab) {
		expect{Started: 7, Finished: 1, Failed: 6, Attempts: 7}.check(t, l)
	})
	t.Run("ParseHTTPErrorResponse", func(t *testing.T) {
		eachAdapter(t, status, func(l *lab) {
			l.ParseHTTPErrorResponse = true
			visitAll(l)
		}, func(t *testing.T, l *lab) {
			expect{Started: 7, Finished: 5, Failed: 2, Attempts: 7}.check(t, l)
			wantCodes(t, l, codes)
		}, func(t *testing.T, l *lab) {
			expect{Started: 7, Finished: 7, Attempts: 7}.check(t, l)
		})
	})
}

// A LimitRule sleeps before it calls OnResponse, and lets others wait.
func TestDurationIsNotPoliteness(t *testing.T) {
	const delay = 300 * time.Millisecond
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/404" {
			w.WriteHeader(http.StatusNotFound)
		}
		page(w, r)
	}, func(l *lab) {
		l.Async = true
		l.Limit(&colly.LimitRule{DomainGlob: "*", Delay: delay})
		l.visit("/1")
		l.visit("/404")
	}, func(t *testing.T, l *lab) {
		s := l.st.Snapshot()
		for _, d := range []stats.Durations{s.FinishedDuration, s.FailedDuration} {
			if d.Count != 1 || d.Max >= delay || d.Sum <= 0 {
				t.Errorf("working time: %+v, must be without %v", d, delay)
			}
		}
		// Both pause, and one has waited for the other.
		if p := s.Timers["wire.phase.politeness"]; p.Count != 2 || p.Min < delay || p.Sum < 3*delay {
			t.Errorf("politeness: %d times, %v to %v", p.Count, p.Min, p.Max)
		}
	}, func(t *testing.T, l *lab) {
		if d := l.st.Snapshot().FinishedDuration; d.Min < delay {
			t.Errorf("took %v, should have taken the delay for working time", d.Min)
		}
	})
}

// Without a LimitRule nobody waits.
func TestNoRuleNoPoliteness(t *testing.T) {
	l := newLab(t, page)
	l.counting = collystats.Attach(l.Collector, l.st, collystats.Config{})
	l.run(func(l *lab) { l.visit("/") })
	if p := l.st.Snapshot().Timers["wire.phase.politeness"]; p.Sum > 100*time.Millisecond {
		t.Errorf("politeness: %+v", p)
	}
}

// What is aborted in OnRequest is never heard of again.
func TestAbortInOnRequest(t *testing.T) {
	for _, first := range []string{"user", "adapter"} {
		t.Run("callback of the "+first+" first", func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(page))
			defer server.Close()
			abort := func(r *colly.Request) { r.Abort() }
			for name, attach := range map[string]func(*colly.Collector, *stats.Statistics) counting{"ours": ours, "naive": naively} {
				c, st := colly.NewCollector(), stats.New()
				if first == "user" {
					c.OnRequest(abort)
				}
				a := attach(c, st)
				if first == "adapter" {
					c.OnRequest(abort)
				}
				a.CountVisit(c.Visit(server.URL))
				l := &lab{st: st}
				if name == "ours" && first == "user" {
					expect{Started: 1, Discarded: 1}.check(t, l) // at once
				}
				a.Wait()
				if name == "ours" {
					expect{Started: 1, Discarded: 1}.check(t, l)
					wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardAborted: 1})
				} else {
					expect{Started: 1, InFlight: 1, Attempts: 1}.check(t, l)
				}
			}
		})
	}
}

func ours(c *colly.Collector, st *stats.Statistics) counting {
	return collystats.Attach(c, st, collystats.Config{})
}

func naively(c *colly.Collector, st *stats.Statistics) counting {
	n := &naive{st: st}
	n.Attach(c)
	return n
}

// What is aborted later is told to OnError, with the status 0 even after a 200.
func TestAbortLater(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		l.OnRequestHeaders(func(r *colly.Request) {
			if r.URL.Path == "/before" {
				r.Abort()
			}
		})
		l.OnResponseHeaders(func(r *colly.Response) { r.Request.Abort() })
		l.visit("/before")
		l.visit("/after")
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Discarded: 2, Attempts: 1}.check(t, l)
		wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardAborted: 2})
		wantCodes(t, l, map[int]int64{200: 1})
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Failed: 2, Attempts: 2}.check(t, l)
		wantCodes(t, l, map[int]int64{0: 2})
	})
}

// A page that cannot be parsed goes through OnResponse, OnError and OnScraped.
func TestParseErrorIsNoSecondEnd(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.Write([]byte("<a><b></a>"))
	}, func(l *lab) {
		l.OnXML("//b", func(*colly.XMLElement) {})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1})
		if n := l.counter("colly.parse.errors"); n != 1 {
			t.Errorf("%d parse errors", n)
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		if c := l.st.Snapshot(); c.Unmatched != 1 {
			t.Errorf("should have ended twice: %d unmatched", c.Unmatched)
		}
	})
}

// After a charset that is not known no callback is called.
func TestCharsetFailure(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte{0x80})
	}, func(l *lab) {
		l.DetectCharset = true
		if err := l.visit("/"); err == nil {
			l.t.Fatal("the charset is known")
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		wantKinds(t, l, map[string]int64{"decode": 1})
		if d := l.st.Snapshot().FailedDuration; d.Max > 5*time.Second {
			t.Errorf("took %v", d.Max)
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, InFlight: 1, Attempts: 1}.check(t, l)
	})
}

// A Visit in OnHTML runs inside its parent, which is scraped after its children.
func TestSyncRecursion(t *testing.T) {
	const slow = 200 * time.Millisecond
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/child" {
			time.Sleep(slow)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(`<a href="/child">`))
	}, func(l *lab) {
		l.OnHTML("a", func(e *colly.HTMLElement) { l.CountVisit(e.Request.Visit("/child")) })
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 3, Finished: 2, Discarded: 1, Attempts: 2}.check(t, l)
		if d := l.st.Snapshot().FinishedDuration; d.Min >= slow {
			t.Errorf("the parent took %v", d.Min)
		}
	}, func(t *testing.T, l *lab) {
		if d := l.st.Snapshot().FinishedDuration; d.Min < slow {
			t.Errorf("the parent took %v, should have taken as long as its child", d.Min)
		}
	})
}

// What Colly refuses before it is sent has no callback.
func TestRejections(t *testing.T) {
	scenario := func(async bool) func(l *lab) {
		return func(l *lab) {
			l.Async = async
			l.DisallowedDomains = []string{"elsewhere.example"}
			l.DisallowedURLFilters = append(l.DisallowedURLFilters, regexp.MustCompile("/secret"))
			l.URLFilters = append(l.URLFilters, regexp.MustCompile("^http"))
			l.IgnoreRobotsTxt = false
			l.MaxDepth = 1
			l.OnHTML("p", func(e *colly.HTMLElement) { l.CountVisit(e.Request.Visit("/deeper")) })

			l.visit("/")
			l.visit("/")
			l.visit("/secret")
			l.visit("/no/robots")
			l.CountVisit(l.Collector.Visit("http://elsewhere.example/"))
			l.CountVisit(l.Collector.Visit("ftp://nowhere.example/"))
			l.CountVisit(l.Collector.Visit("http://[::1/"))
			l.CountVisit(l.Collector.Visit(""))
			l.CountVisit(l.Collector.Visit("http://127.0.0.1:1/")) // its robots.txt cannot be had
			l.CountVisit(nil)

			l.Collector.Wait()
			l.MaxRequests = 1
			l.visit("/one too many")

			q, err := queue.New(1, &queue.InMemoryQueueStorage{MaxSize: 1})
			if err != nil {
				l.t.Fatal(err)
			}
			l.CountVisit(q.AddURL(l.origin + "/fits"))
			l.CountVisit(q.AddURL(l.origin + "/does not fit"))
		}
	}
	site := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			w.Write([]byte("User-agent: *\nDisallow: /no/\n"))
			return
		}
		page(w, r)
	}
	for _, async := range []bool{false, true} {
		t.Run(fmt.Sprint("async ", async), func(t *testing.T) {
			eachAdapter(t, site, scenario(async), func(t *testing.T, l *lab) {
				expect{Started: 12, Finished: 1, Discarded: 11, Attempts: 1}.check(t, l)
				wantDiscards(t, l, map[stats.DiscardReason]int64{
					stats.DiscardDuplicate: 1, stats.DiscardFiltered: 2, stats.DiscardRobots: 2, stats.DiscardOutOfScope: 1,
					stats.DiscardMalformed: 2, stats.DiscardLimit: 1, stats.DiscardDepth: 1, stats.DiscardQueueFull: 1,
				})
			}, func(t *testing.T, l *lab) {
				expect{Started: 2, Finished: 1, Discarded: 1, Attempts: 1}.check(t, l)
			})
		})
	}
}

// brokenStorage is a store of visited pages that is down.
type brokenStorage struct{ storage.InMemoryStorage }

func (*brokenStorage) IsVisited(uint64) (bool, error) { return false, errors.New("down") }

// With Async, whatever error Visit returns is a refusal.
func TestBrokenStorage(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		l.Async = true
		l.SetStorage(new(brokenStorage))
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Discarded: 1}.check(t, l)
		wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardOther: 1})
	}, func(t *testing.T, l *lab) {
		expect{}.check(t, l)
	})
}

// A redirect to a page that was visited is told to OnError, and returned by Visit.
func TestDuplicateByRedirect(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/go" {
			http.Redirect(w, r, "/to", http.StatusFound)
			return
		}
		page(w, r)
	}, func(l *lab) {
		l.visit("/to")
		if err := l.visit("/go"); err == nil {
			l.t.Fatal("the redirect was followed")
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 1, Discarded: 1, Attempts: 2}.check(t, l)
		wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardDuplicate: 1})
		wantCodes(t, l, map[int]int64{200: 1, 302: 1})
	}, func(t *testing.T, l *lab) {
		expect{Started: 3, Finished: 1, Failed: 1, Discarded: 1, Attempts: 2}.check(t, l)
	})
}

// A redirect that leaves the scope of the crawl is no failure.
func TestRedirectOutOfScope(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
	}, func(l *lab) {
		l.DisallowedDomains = []string{"elsewhere.example"}
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Discarded: 1, Attempts: 1}.check(t, l)
		wantDiscards(t, l, map[stats.DiscardReason]int64{stats.DiscardOutOfScope: 1})
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
	})
}

// Robots.txt comes through the same client, and without a callback.
func TestRobotsFetchesApart(t *testing.T) {
	scenario := func(l *lab) {
		l.IgnoreRobotsTxt = false
		if n, ok := l.counting.(*naive); ok {
			l.WithTransport(n)
		}
		l.visit("/")
	}
	eachAdapter(t, page, scenario, func(t *testing.T, l *lab) {
		expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1})
		if n := l.counter("colly.robots"); n != 1 {
			t.Errorf("%d fetches of robots.txt", n)
		}
	}, func(t *testing.T, l *lab) {
		if n := l.counting.(*naive).trips.Load(); n != 2 {
			t.Errorf("counted %d, should have counted robots.txt too", n)
		}
	})
}

// CheckHead sends a HEAD before each GET, with callbacks of its own.
func TestCheckHead(t *testing.T) {
	site := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		page(w, r)
	}
	scenario := func(l *lab) {
		l.CheckHead = true
		l.visit("/")
		l.visit("/none")
	}
	eachAdapter(t, site, scenario, func(t *testing.T, l *lab) {
		expect{Started: 3, Finished: 2, Failed: 1, Attempts: 3}.check(t, l)
		if get, head := l.counter(`colly.attempts{method="GET"}`), l.counter(`colly.attempts{method="HEAD"}`); get != 1 || head != 2 {
			t.Errorf("%d GET and %d HEAD", get, head)
		}
	}, func(t *testing.T, l *lab) {
		for name := range l.st.Snapshot().Counters {
			t.Error(name)
		}
	})
	t.Run("IgnoreHead", func(t *testing.T) {
		l := newLab(t, site)
		l.counting = collystats.Attach(l.Collector, l.st, collystats.Config{IgnoreHead: true})
		l.run(scenario)
		expect{Started: 2, Finished: 1, Failed: 1, Attempts: 2}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1, 404: 1})
	})
	t.Run("IgnoreHead above a transport that does not", func(t *testing.T) {
		l := newLab(t, site)
		l.counting = collystats.Attach(l.Collector, l.st, collystats.Config{
			Transport:  httpstats.Transport(l.st, httpstats.Config{Base: newTransport(t)}),
			IgnoreHead: true,
		})
		l.run(scenario)
		expect{Started: 2, Finished: 1, Failed: 1, Attempts: 2}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 2, 404: 1})
	})
}

// A page out of the cache has OnRequest and OnResponse, and was not requested.
func TestCacheHit(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		l.CacheDir = l.t.TempDir()
		l.AllowURLRevisit = true
		l.visit("/")
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 1, Discarded: 1, Attempts: 1}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1})
		s := l.st.Snapshot()
		if s.FinishedDuration.Count != 1 || l.counter("wire.bytes.content") != int64(len("<p>page</p>")) || l.counter("colly.cache.hits") != 1 {
			t.Errorf("%d durations, %v", s.FinishedDuration.Count, s.Counters)
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 2})
	})
}

// What the cache keeps of an error is no failure of the server a second time.
func TestCachedError(t *testing.T) {
	eachAdapter(t, http.NotFound, func(l *lab) {
		l.CacheDir = l.t.TempDir()
		l.AllowURLRevisit = true
		l.visit("/")
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Failed: 1, Discarded: 1, Attempts: 1}.check(t, l)
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Failed: 2, Attempts: 2}.check(t, l)
	})
}

// A retry is a new Request with a new ID.
func TestRetryJoinsAttempts(t *testing.T) {
	for _, async := range []bool{false, true} {
		t.Run(fmt.Sprint("async ", async), func(t *testing.T) {
			var tries atomic.Int64
			eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1)%3 != 0 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				page(w, r)
			}, func(l *lab) {
				l.Async = async
				l.OnError(func(r *colly.Response, _ error) { l.Retry(r.Request) })
				l.visit("/")
			}, func(t *testing.T, l *lab) {
				expect{Started: 1, Finished: 1, Attempts: 3}.check(t, l)
				s := l.st.Snapshot()
				if s.Retries != 1 || len(s.RetryHistogram) != 3 || s.RetryHistogram[2] != 1 {
					t.Errorf("retries %d, %v", s.Retries, s.RetryHistogram)
				}
				wantCodes(t, l, map[int]int64{200: 1, 503: 2})
				wantKinds(t, l, map[string]int64{"http": 2})
				if n := l.counter("colly.parse.errors"); n != 0 {
					t.Errorf("%d parse errors", n)
				}
			}, func(t *testing.T, l *lab) {
				expect{Started: 3, Finished: 1, Failed: 2, Attempts: 3}.check(t, l)
			})
		})
	}
}

// The Ctx of a request, which its retry has too, is that of its children, and of
// theirs: they are no retries.
func TestChildrenAreNoRetries(t *testing.T) {
	var tries atomic.Int64
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/parent" && tries.Add(1)%2 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		page(w, r)
	}, func(l *lab) {
		l.Async = true
		l.OnError(func(r *colly.Response, _ error) {
			l.CountVisit(r.Request.Visit("/child"))
			l.Retry(r.Request)
			l.CountVisit(r.Request.Visit("/other"))
		})
		l.visit("/parent")
	}, func(t *testing.T, l *lab) {
		expect{Started: 3, Finished: 3, Attempts: 4}.check(t, l)
	}, func(t *testing.T, l *lab) {
		expect{Started: 4, Finished: 3, Failed: 1, Attempts: 4}.check(t, l)
	})
}

// Retries need not be of failures.
func TestRetryOfAnAnswer(t *testing.T) {
	var tries atomic.Int64
	eachAdapter(t, page, func(l *lab) {
		l.OnResponse(func(r *colly.Response) {
			if tries.Add(1)%2 != 0 {
				l.Retry(r.Request)
			}
		})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Finished: 1, Attempts: 2}.check(t, l)
		wantKinds(t, l, map[string]int64{"handler": 1})
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
	})
}

// A retry that Colly refuses leaves the request failed.
func TestRetryRefused(t *testing.T) {
	eachAdapter(t, http.NotFound, func(l *lab) {
		l.Limit(&colly.LimitRule{DomainGlob: "*", Delay: 10 * time.Millisecond})
		l.OnError(func(r *colly.Response, _ error) {
			l.MaxRequests = 1
			if err := l.Retry(r.Request); !errors.Is(err, colly.ErrMaxRequests) {
				l.t.Errorf("retry: %v", err)
			}
		})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		wantKinds(t, l, map[string]int64{"http": 1})
		if p := l.st.Snapshot().Timers["wire.phase.politeness"]; p.Count != 1 {
			t.Errorf("waited %d times", p.Count)
		}
	}, func(*testing.T, *lab) {
		// Nothing to join, nothing to get wrong.
	})
}

// A retry whose headers were exchanged is not recognised; nothing is lost of it.
func TestRetryAstray(t *testing.T) {
	var tries atomic.Int64
	l := newLab(t, func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	l.OnRequest(func(r *colly.Request) {
		h := r.Headers.Clone()
		r.Headers = &h
	})
	l.OnError(func(r *colly.Response, _ error) { l.Retry(r.Request) })
	l.counting = ours(l.Collector, l.st)
	l.run(func(l *lab) { l.visit("/") })
	expect{Started: 2, Finished: 1, Failed: 1, Attempts: 2}.check(t, l)
	wantKinds(t, l, map[string]int64{"http": 1})
}

// A retry that comes too late is a request of its own, and ends like one.
func TestLateRetry(t *testing.T) {
	var tries atomic.Int64
	eachAdapter(t, page, func(l *lab) {
		l.OnScraped(func(r *colly.Response) {
			if tries.Add(1)%2 != 0 {
				l.Retry(r.Request)
			}
		})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
	}, func(*testing.T, *lab) {
		// It has no other retries.
	})
}

// The ID of a request is unique in its collector alone.
func TestIdentityAcrossClones(t *testing.T) {
	release := make(chan struct{})
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			<-release
		}
		page(w, r)
	}, func(l *lab) {
		release = make(chan struct{})
		l.Async = true
		clone := l.Collector.Clone()
		l.Attach(clone)
		done := make(chan struct{})
		clone.OnScraped(func(*colly.Response) { close(done) })
		l.visit("/first")
		l.CountVisit(clone.Visit(l.origin + "/second"))
		<-done
		close(release)
	}, func(t *testing.T, l *lab) {
		expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 2})
	}, func(t *testing.T, l *lab) {
		if s := l.st.Snapshot(); s.Started != 1 || s.Finished != 1 {
			t.Errorf("started %d, finished %d: should have taken two requests for one", s.Started, s.Finished)
		}
	})
}

// Wait ends when nothing is under way, in whatever order clones were attached.
func TestWaitForClones(t *testing.T) {
	l := newLab(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		page(w, r)
	})
	l.Async = true
	clone := l.Collector.Clone()
	l.counting = ours(clone, l.st)
	l.Attach(l.Collector)
	l.OnResponse(func(*colly.Response) { l.CountVisit(clone.Visit(l.origin + "/2")) })
	l.run(func(l *lab) { l.visit("/1") })
	expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
}

// Clones send through the same transport, whoever attaches them.
func TestAttachCloneApart(t *testing.T) {
	l := newLab(t, page)
	l.counting = ours(l.Collector, l.st)
	clone := l.Collector.Clone()
	other := ours(clone, l.st)
	l.visit("/1")
	other.CountVisit(clone.Visit(l.origin + "/2"))
	l.Wait()
	other.Wait()
	expect{Started: 2, Finished: 2, Attempts: 2}.check(t, l)
	wantCodes(t, l, map[int]int64{200: 2})
}

// A clone that nobody attached is not counted, but said to be there.
func TestUnattachedClone(t *testing.T) {
	l := newLab(t, page)
	l.counting = ours(l.Collector, l.st)
	clone := l.Collector.Clone()
	l.visit("/1")
	clone.Visit(l.origin + "/2")
	l.Wait()
	expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
	wantCodes(t, l, map[int]int64{200: 1})
	if n := l.counter("colly.unattached"); n != 1 {
		t.Errorf("%d requests of unattached collectors", n)
	}
}

// A proxy that is set after a transport takes its place.
func TestTransportIsReplaced(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		if n, ok := l.counting.(*naive); ok {
			l.WithTransport(n)
		}
		l.SetProxyFunc(func(*http.Request) (*url.URL, error) { return nil, nil })
		l.Limit(&colly.LimitRule{DomainGlob: "*", Delay: 200 * time.Millisecond})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1})
		if d := l.st.Snapshot().FinishedDuration; d.Max >= 200*time.Millisecond {
			t.Errorf("took %v", d.Max)
		}
		if n := l.counter("colly.transport.lost"); n != 1 {
			t.Errorf("said %d times that the transport was replaced", n)
		}
		if n := l.counter("wire.bytes.content"); n != int64(len("<p>page</p>")) {
			t.Errorf("%d bytes", n)
		}
	}, func(t *testing.T, l *lab) {
		if n := l.counting.(*naive).trips.Load(); n != 0 {
			t.Errorf("went %d times through a transport that should have been replaced", n)
		}
	})
}

// A proxy that was set before is kept.
func TestProxyIsKept(t *testing.T) {
	var proxied atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Add(1)
		page(w, r)
	}))
	defer proxy.Close()
	c, st := colly.NewCollector(), stats.New()
	if err := c.SetProxy(proxy.URL); err != nil {
		t.Fatal(err)
	}
	a := collystats.Attach(c, st, collystats.Config{})
	if err := c.Visit("http://elsewhere.example/"); err != nil {
		t.Fatal(err)
	}
	a.Wait()
	if s := st.Snapshot(); proxied.Load() != 1 || s.Finished != 1 || s.StatusCodes[200] != 1 {
		t.Errorf("%d requests came through the proxy, %d finished", proxied.Load(), s.Finished)
	}
}

// MaxBodySize cuts a body and says nothing.
func TestTruncatedBody(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		size := map[string]int{"/short": 99, "/exact": 100, "/long": 101}[r.URL.Path]
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(strings.Repeat("x", size)))
	}, func(l *lab) {
		l.MaxBodySize = 100
		for _, path := range []string{"/short", "/exact", "/long"} {
			l.visit(path)
		}
	}, func(t *testing.T, l *lab) {
		expect{Started: 3, Finished: 3, Attempts: 3}.check(t, l)
		if n := l.counter("colly.truncated"); n != 1 {
			t.Errorf("%d truncated", n)
		}
		if n := l.counter("wire.bytes.content"); n != 299 {
			t.Errorf("%d bytes", n)
		}
	}, func(t *testing.T, l *lab) {
		if n := l.counter("colly.truncated"); n != 0 {
			t.Errorf("%d truncated", n)
		}
	})
}

// The time of a redirect is that of all its hops.
func TestRedirectTime(t *testing.T) {
	const slow = 50 * time.Millisecond
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(slow)
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/to", http.StatusFound)
		}
	}, func(l *lab) {
		l.Limit(&colly.LimitRule{DomainGlob: "*", Delay: 300 * time.Millisecond})
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		if d := l.st.Snapshot().FinishedDuration; d.Min < 2*slow || d.Max >= 300*time.Millisecond {
			t.Errorf("took %v", d.Max)
		}
	}, func(t *testing.T, l *lab) {
		if d := l.st.Snapshot().FinishedDuration; d.Min < 300*time.Millisecond {
			t.Errorf("took %v", d.Min)
		}
	})
}

// After a redirect, r.URL is that of the target.
func TestHostIsTheOneAskedFor(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(page))
	defer target.Close()
	target.URL = strings.Replace(target.URL, "127.0.0.1", "localhost", 1)
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusFound)
	}, func(l *lab) {
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
		wantCodes(t, l, map[int]int64{200: 1, 302: 1})
		hosts := l.st.Snapshot().Hosts
		if len(hosts) != 1 || hosts[0].Host != "127.0.0.1" || hosts[0].Finished != 1 {
			t.Errorf("hosts: %+v, want %s", hosts, l.origin)
		}
	}, func(t *testing.T, l *lab) {
		if host := l.counting.(*naive).host.Load(); host != any(strings.TrimPrefix(target.URL, "http://")) {
			t.Errorf("host: %s, should have taken the target of the redirect", host)
		}
	})
}

// The count of Colly itself goes up twice for what comes from a queue.
func TestQueue(t *testing.T) {
	l := newLab(t, page)
	l.counting = ours(l.Collector, l.st)
	q, err := queue.New(2, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		q.AddURL(fmt.Sprint(l.origin, "/", n))
	}
	if err := q.Run(l.Collector); err != nil {
		t.Fatal(err)
	}
	l.Wait()
	expect{Started: 5, Finished: 5, Attempts: 5}.check(t, l)
	if text := l.Collector.String(); !strings.Contains(text, "Requests made: 10 (5 responses)") {
		t.Errorf("control: %s", text)
	}
}

// A panic of a callback takes the end of its request with it.
func TestPanicInCallback(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		l.OnResponse(func(*colly.Response) { panic("mine") })
		func() {
			defer func() { recover() }()
			l.visit("/")
		}()
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		wantKinds(t, l, map[string]int64{"handler": 1})
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, InFlight: 1, Attempts: 1}.check(t, l)
	})
}

// Errors keep their kind, whatever the client makes of them.
func TestErrorKinds(t *testing.T) {
	eachAdapter(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/slow body":
			w.Header().Set("Content-Length", "2")
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "2")
			w.Write([]byte("x"))
			panic(http.ErrAbortHandler)
		case "/gzip":
			w.Header().Set("Content-Type", "application/gzip")
			w.Write([]byte("no gzip at all"))
		}
	}, func(l *lab) {
		l.visit("/cut")
		l.visit("/gzip")
		l.CountVisit(l.Collector.Visit("http://127.0.0.1:1/"))
		l.SetRequestTimeout(200 * time.Millisecond)
		l.visit("/slow")
		l.visit("/slow body")
	}, func(t *testing.T, l *lab) {
		expect{Started: 5, Failed: 5, Attempts: 5}.check(t, l)
		wantKinds(t, l, map[string]int64{"timeout": 2, "reset": 1, "connect": 1, "decode": 1})
	}, func(t *testing.T, l *lab) {
		// The codes of the answers that it did not get to the end of.
		wantCodes(t, l, map[int]int64{0: 5})
	})
}

// cancels is a RoundTripper that says of a timeout what net/http often says.
type cancels struct{}

func (cancels) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, errors.New("net/http: request canceled while waiting for connection")
}

// A timeout of the client is a timeout, for whatever it is taken.
func TestTimeoutIsNotCancelled(t *testing.T) {
	eachAdapter(t, page, func(l *lab) {
		l.SetRequestTimeout(50 * time.Millisecond)
		l.visit("/")
	}, func(t *testing.T, l *lab) {
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		wantKinds(t, l, map[string]int64{"timeout": 1})
	}, func(t *testing.T, l *lab) {
		wantKinds(t, l, map[string]int64{"canceled": 1})
	}, cancels{})
	t.Run("of a HEAD that is ignored", func(t *testing.T) {
		l := newLab(t, page, cancels{})
		l.SetRequestTimeout(50 * time.Millisecond)
		l.counting = collystats.Attach(l.Collector, l.st, collystats.Config{IgnoreHead: true})
		l.CountVisit(l.Head(l.origin))
		l.Wait()
		expect{Started: 1, Failed: 1, Attempts: 1}.check(t, l)
		wantKinds(t, l, map[string]int64{"timeout": 1})
	})
}

// Colly unpacks some files itself; what it read is what counts.
func TestOwnGzip(t *testing.T) {
	l := newLab(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		z := gzip.NewWriter(w)
		z.Write([]byte("<urlset/>"))
		z.Close()
	})
	l.counting = ours(l.Collector, l.st)
	var body string
	l.OnResponse(func(r *colly.Response) { body = string(r.Body) })
	l.run(func(l *lab) { l.visit("/sitemap.xml.gz") })
	expect{Started: 1, Finished: 1, Attempts: 1}.check(t, l)
	if body != "<urlset/>" {
		t.Errorf("the page is %q", body)
	}
}
