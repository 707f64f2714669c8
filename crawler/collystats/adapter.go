package collystats

import (
	"net/http"
	"slices"
	"sync"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/stats"
)

// Config of an Adapter. The zero value is ready.
type Config struct {
	// Transport is what the collector sends its requests through. Default: what
	// the collector has from WithTransport, SetProxy or SetClient, else
	// http.DefaultTransport. Of collectors that share a backend, as clones do, the
	// first one attached decides.
	Transport http.RoundTripper
	// IgnoreHead leaves out the HEAD requests that succeed, because Colly sends a
	// GET after each of them (CheckHead). One that fails is counted: no GET
	// follows it.
	IgnoreHead bool
}

// Adapter counts the requests of one or more collectors.
type Adapter struct {
	st  *stats.Statistics
	cfg Config

	politeness *stats.Timer
	content    *stats.Counter
	counts     counters

	mu         sync.Mutex
	collectors []*colly.Collector
	opened     int // requests ever put into open
	open       map[*colly.Request]*request
	retries    map[uintptr]*request // by identity, until their next fetch is asked for
}

// counters are named by what they count, after "colly.".
type counters struct {
	cacheHits     *stats.Counter
	parseErrors   *stats.Counter
	robots        *stats.Counter
	truncated     *stats.Counter
	unattached    *stats.Counter
	transportLost *stats.Counter
}

// Attach makes s count the requests of c. Call it once for each collector, before
// the first Visit and after SetClient, SetProxy, WithTransport and StdlibContext.
// It may stand anywhere among the callbacks of the crawler; the time of those
// before it may count as politeness.
//
// Attach panics when Config.Transport is nil and the version of Colly hides what
// the collector has.
func Attach(c *colly.Collector, s *stats.Statistics, cfg Config) *Adapter {
	a := &Adapter{
		st:         s,
		cfg:        cfg,
		politeness: s.ReservedTimer(adapter.Key{}, "wire.phase.politeness"),
		content:    s.ReservedCounter(adapter.Key{}, "wire.bytes.content"),
		counts: counters{
			cacheHits:     s.Counter("colly.cache.hits"),
			parseErrors:   s.Counter("colly.parse.errors"),
			robots:        s.Counter("colly.robots"),
			truncated:     s.Counter("colly.truncated"),
			unattached:    s.Counter("colly.unattached"),
			transportLost: s.Counter("colly.transport.lost"),
		},
		open:    make(map[*colly.Request]*request),
		retries: make(map[uintptr]*request),
	}
	a.Attach(c)
	return a
}

// Attach makes the adapter count the requests of another collector too: of a
// clone, for example, which has none of the callbacks of its original.
func (a *Adapter) Attach(c *colly.Collector) {
	a.mu.Lock()
	a.collectors = append(a.collectors, c)
	a.mu.Unlock()
	c.Context = httpstats.Watch(c.Context, a.st)
	t := a.install(c)
	h := &hooks{
		adapter: a, collector: c, transport: t,
		wire: httpstats.Transport(a.st, httpstats.Config{Base: t.base}),
	}
	h.registerFirst()
}

// Wait waits for the collectors, as their own Wait does, and then ends what
// Colly left open: requests that were aborted by a callback after that of the
// adapter, whose charset is not known, or whose callback panicked. Call it when
// nobody else starts requests, before st.Close. Attach a clone after the collector
// that hands requests to it: this is the order in which they are waited for.
func (a *Adapter) Wait() {
	// A collector may hand requests to one that was waited for before. Such a
	// request is seen one round later, and what it hands on yet another.
	for quiet, before := 0, -1; quiet < 2; quiet++ {
		collectors, _ := a.attached()
		for _, c := range collectors {
			c.Wait()
		}
		if _, opened := a.attached(); opened != before {
			quiet, before = -1, opened
		}
	}
	for _, q := range a.takeOpen() {
		q.end(q.leftOpen())
	}
}

func (a *Adapter) attached() (collectors []*colly.Collector, opened int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.collectors), a.opened
}

// takeOpen removes and returns the requests that did not end.
func (a *Adapter) takeOpen() (left []*request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.open {
		if !q.ended {
			left = append(left, q)
		}
	}
	for _, q := range a.retries {
		left = append(left, q)
	}
	clear(a.open)
	clear(a.retries)
	return left
}
