package browser

import (
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// shop is a site that is crawled in the pictures.
type shop struct {
	host   string
	share  float64
	median time.Duration
	kind   stats.ErrorKind
	code   int
	err    string
	path   string
	trouble,
	rate float64 // of failed attempts, in the trouble and otherwise
}

var shops = []shop{
	{"shop.example.net", .24, 180 * time.Millisecond, stats.KindHTTP, 503, "Service Unavailable", "/p/88213?ref=list", .62, .03},
	{"api.example.com", .20, 90 * time.Millisecond, stats.KindHTTP, 429, "Too Many Requests", "/v2/items?page=311", .08, .08},
	{"img.example.org", .17, 240 * time.Millisecond, stats.KindTimeout, 0, "awaiting response headers", "/large/0041.jpg", .12, .05},
	{"docs.example.com", .14, 96 * time.Millisecond, stats.KindHTTP, 404, "Not Found", "/guide/old", .006, .006},
	{"forum.example.com", .11, 131 * time.Millisecond, stats.KindParse, 200, `unexpected <img src=x onerror="document.title='pwned'">`, "/t/<script>alert(1)</script>", .002, .002},
	{"news.example.org", .07, 88 * time.Millisecond, stats.KindReset, 0, "connection reset by peer", "/2026/11/21/", .004, .004},
	{"static.example.net", .04, 24 * time.Millisecond, stats.KindOther, 200, "", "/", 0, 0},
	{"mirror.example.io", .02, 310 * time.Millisecond, stats.KindTLS, 0, "x509: certificate has expired or is not yet valid", "/", .12, .12},
	{"old-blog.example.edu", .01, 45 * time.Millisecond, stats.KindDNS, 0, "no such host", "/feed", .30, .30},
}

// shopCrawl runs a crawl of a quarter of an hour, with a stop and a trouble in
// it, in no time, and returns what its dashboard says in the end.
func shopCrawl(t *testing.T) (view []byte) {
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now) - 880*time.Second)
		rng := rand.New(rand.NewPCG(7, 7))
		store := kvstore.NewMemory()
		start := func() *stats.Statistics {
			st, err := stats.Open(t.Context(), stats.Config{ID: "shop-catalogue", Store: store, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		st := start()
		for second := range 240 {
			crawlSecond(st, rng, second, 0, 0)
			time.Sleep(time.Second)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(45 * time.Second)
		st = start()
		d := dashboard.New(st, dashboard.Config{MetricsURL: "metrics"})
		for second := 285; second < 880; second++ {
			crawlSecond(st, rng, second, 285, trouble(second))
			time.Sleep(time.Second)
		}
		answer := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/stats.json", nil)
		d.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			t.Fatal(answer.Code)
		}
		view = answer.Body.Bytes()
		if err := errors.Join(d.Close(), st.Close()); err != nil {
			t.Fatal(err)
		}
	})
	return view
}

// trouble is how bad it is at the end of the crawl, from 0 to 1.
func trouble(second int) float64 {
	return math.Max(0, math.Min(1, float64(second-740)/20)) * math.Min(1, math.Max(.3, 1-float64(second-840)/60))
}

func crawlSecond(st *stats.Statistics, rng *rand.Rand, second, since int, bad float64) {
	st.Gauge("queue.pending").Set(float64(31000 - 22*second))
	bytes := st.ReservedCounter(adapter.Key{}, "wire.bytes.wire")
	ramp := math.Min(1, .2+float64(second-since)/40)
	requests := int(ramp * (48 + 6*math.Sin(float64(second)/70) + 3*rng.NormFloat64()) * (1 - .45*bad))
	inFlight := st.Snapshot().InFlight
	for ; inFlight < 46; inFlight++ {
		st.Begin()
	}
	for range requests {
		s := pick(rng)
		q := stats.Request{Host: s.host, URL: "https://" + s.host + s.path}
		took := time.Duration(float64(s.median) * math.Exp(.75*rng.NormFloat64()) * (1 + 5*bad*s.trouble))
		rate := s.rate + bad*(s.trouble-s.rate)
		bytes.Add(int64(18_000 + rng.IntN(70_000)))
		err := stats.WithKind(s.kind, errors.New(s.err))
		retries := 0
		for retries < 3 && rng.Float64() < rate {
			retries++
			if s.code > 0 {
				st.StatusCode(s.code)
			}
		}
		switch {
		case rng.Float64() < .006:
			st.Observe(stats.Outcome{Request: q, Discard: stats.DiscardRobots})
		case retries == 3 || s.code == 404 && retries > 0:
			q.Retries = retries - 1
			st.Observe(stats.Outcome{Request: q, Duration: took, Err: err})
		default:
			j := st.BeginWith(q)
			for range retries {
				j.Retry(err)
			}
			j.Took(took)
			j.StatusCode([]int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 206, 301, 304}[rng.IntN(14)])
			j.Finish()
		}
	}
}

func pick(rng *rand.Rand) shop {
	at := rng.Float64()
	for _, s := range shops {
		if at -= s.share; at < 0 {
			return s
		}
	}
	return shops[0]
}
