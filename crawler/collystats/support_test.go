package collystats_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// counting is what an adapter does for a test: ours, or the naive one.
type counting interface {
	Attach(c *colly.Collector)
	Retry(r *colly.Request) error
	CountVisit(err error) error
	Wait()
}

// lab is a server with a collector whose requests are counted.
type lab struct {
	*colly.Collector
	t      *testing.T
	origin string
	st     *stats.Statistics
	counting
}

// eachAdapter runs one scenario with ours, and then with the naive one, which has
// to get it wrong.
func eachAdapter(t *testing.T, handler http.HandlerFunc, scenario func(l *lab), right, wrong func(t *testing.T, l *lab), transport ...http.RoundTripper) {
	t.Helper()
	t.Run("ours", func(t *testing.T) {
		l := newLab(t, handler, transport...)
		l.counting = collystats.Attach(l.Collector, l.st, collystats.Config{})
		l.run(scenario)
		statstest.Balanced(t, l.st)
		if c := statstest.Count(l.st); c.InFlight != 0 || c.Unmatched != 0 {
			t.Errorf("left over: %+v", c)
		}
		right(t, l)
	})
	t.Run("naive", func(t *testing.T) {
		l := newLab(t, handler, transport...)
		n := &naive{st: l.st}
		n.Attach(l.Collector)
		l.counting = n
		l.run(scenario)
		wrong(t, l)
	})
}

func newLab(t *testing.T, handler http.HandlerFunc, transport ...http.RoundTripper) *lab {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := colly.NewCollector()
	c.WithTransport(append(transport, newTransport(t))[0])
	return &lab{Collector: c, t: t, origin: server.URL, st: stats.New()}
}

// newTransport returns one that leaves no connection behind.
func newTransport(t *testing.T) *http.Transport {
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func (l *lab) run(scenario func(l *lab)) {
	scenario(l)
	l.counting.Wait()
}

func (l *lab) Wait() { l.counting.Wait() }

// visit visits a path of the server.
func (l *lab) visit(path string) error { return l.CountVisit(l.Collector.Visit(l.origin + path)) }

// expect compares the numbers that matter in a scenario.
type expect struct {
	Started, Finished, Failed, Discarded, InFlight int64
	Attempts                                       int64
}

func (e expect) check(t *testing.T, l *lab) {
	t.Helper()
	s := l.st.Snapshot()
	got := expect{s.Started, s.Finished, s.Failed, s.Discarded, s.InFlight, s.Attempts}
	if got != e {
		t.Errorf("counted %+v\n   want %+v", got, e)
	}
}

func wantCodes(t *testing.T, l *lab, want map[int]int64) {
	t.Helper()
	equal(t, "status codes", l.st.Snapshot().StatusCodes, want)
}

func wantDiscards(t *testing.T, l *lab, want map[stats.DiscardReason]int64) {
	t.Helper()
	equal(t, "discards", l.st.Snapshot().Discards, want)
}

func wantKinds(t *testing.T, l *lab, want map[string]int64) {
	t.Helper()
	equal(t, "error kinds", l.st.Snapshot().ErrorKinds, want)
}

// equal compares maps; what is 0 need not be there.
func equal[K comparable](t *testing.T, what string, got, want map[K]int64) {
	t.Helper()
	for k, n := range got {
		if n != want[k] {
			t.Errorf("%s: %v is %d, want %d", what, k, n, want[k])
		}
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: %v is %d, want %d", what, k, got[k], n)
		}
	}
}

func (l *lab) counter(name string) int64 { return l.st.Snapshot().Counters[name] }
