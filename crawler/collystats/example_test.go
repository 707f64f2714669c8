package collystats_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/stats"
)

// shop is a small site. /new moves, /busy heals at the second attempt.
func shop() *httptest.Server {
	pages := http.NewServeMux()
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<a href="/new"><a href="/new"><a href="/gone"><a href="http://elsewhere.example/">`)
	})
	pages.Handle("/new", http.RedirectHandler("/page", http.StatusFound))
	pages.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })
	busy := true
	pages.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		if busy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		busy = false
	})
	return httptest.NewServer(pages)
}

func ExampleAttach() {
	site := shop()
	defer site.Close()
	st := stats.New()
	defer st.Close()

	c := colly.NewCollector(colly.Async(), colly.AllowedDomains("127.0.0.1"))
	a := collystats.Attach(c, st, collystats.Config{})
	c.OnHTML("a[href]", func(e *colly.HTMLElement) {
		a.CountVisit(e.Request.Visit(e.Attr("href")))
	})
	a.CountVisit(c.Visit(site.URL))
	a.Wait()

	s := st.Snapshot()
	fmt.Println(s.Started, "started,", s.Finished, "finished,", s.Failed, "failed,", s.Discarded, "discarded")
	fmt.Println(s.Discards)
	fmt.Println(s.StatusCodes)
	fmt.Println("balanced:", s.Balanced() == nil)
	// Output:
	// 5 started, 2 finished, 1 failed, 2 discarded
	// map[duplicate:1 out_of_scope:1]
	// map[200:2 302:1 404:1]
	// balanced: true
}

func ExampleAdapter_Retry() {
	site := shop()
	defer site.Close()
	st := stats.New()
	defer st.Close()

	c := colly.NewCollector()
	a := collystats.Attach(c, st, collystats.Config{})
	c.OnError(func(r *colly.Response, _ error) {
		if r.StatusCode == http.StatusServiceUnavailable {
			a.Retry(r.Request)
		}
	})
	a.CountVisit(c.Visit(site.URL + "/busy"))
	a.Wait()

	s := st.Snapshot()
	fmt.Println(s.Finished, "finished in", s.Attempts, "attempts:", s.RetryErrors[0].Message)
	// Output:
	// 1 finished in 2 attempts: Service Unavailable
}

func ExampleAdapter_CountVisit() {
	st := stats.New()
	defer st.Close()

	c := colly.NewCollector(colly.AllowedDomains("shop.example"))
	a := collystats.Attach(c, st, collystats.Config{})
	err := a.CountVisit(c.Visit("http://elsewhere.example/"))
	fmt.Println(err)
	fmt.Println(st.Snapshot().Discards)
	// Output:
	// Forbidden domain
	// map[out_of_scope:1]
}

// A clone has none of the callbacks of its original, and has to be attached too.
func ExampleAdapter_Attach() {
	site := shop()
	defer site.Close()
	st := stats.New()
	defer st.Close()

	list := colly.NewCollector()
	a := collystats.Attach(list, st, collystats.Config{IgnoreHead: true})
	details := list.Clone()
	details.CheckHead = true
	a.Attach(details)
	list.OnHTML("a[href='/gone']", func(e *colly.HTMLElement) {
		a.CountVisit(details.Visit(e.Request.AbsoluteURL(e.Attr("href"))))
	})
	a.CountVisit(list.Visit(site.URL))
	a.Wait()

	s := st.Snapshot()
	fmt.Println(s.Finished, "finished,", s.Failed, "failed:", s.Errors[0].Message)
	// Output:
	// 1 finished, 1 failed: Not Found
}
