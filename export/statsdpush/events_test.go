package statsdpush_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/stats"
)

// observe records a request of 1.5 s, 300 ms of them in the queue, and one that
// failed after 20 ms.
func observe(st *stats.Statistics) {
	st.Observe(stats.Outcome{Duration: 1200 * time.Millisecond, QueueWait: 300 * time.Millisecond})
	st.Observe(stats.Outcome{Duration: 20 * time.Millisecond, Err: errText("x")})
}

func TestTimingEvents(t *testing.T) {
	srv := serve(t, "tcp")
	st := stats.New()
	st.Timer("early").Observe(1) // before Start: there is no event of it
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.address, Timings: statsdpush.TimingEvents, Interval: never})
	observe(st)
	st.Observe(stats.Outcome{Discard: "robots", Duration: 1})
	st.Timer("parse", stats.Label{Key: "kind", Value: "html"}).Observe(1500 * time.Microsecond)
	st.ReservedTimer(adapter.Key{}, "wire.phase.dns").Observe(3 * time.Millisecond)
	st.Unique("urls").Add("x")
	closed(t, p)
	got := srv.got()
	got.values(t)
	want := lines{
		"crawler.requests.working.ok:1200|ms",
		"crawler.jobs.working:1200|ms",
		"crawler.requests.queue:300|ms",
		"crawler.requests.total:1500|ms",
		"crawler.jobs.total:1500|ms",
		"crawler.requests.working.error:20|ms",
		"crawler.jobs.working:20|ms",
		"crawler.custom.parse.kind.html:1.5|ms",
		"crawler.phase.dns:3|ms",
	}
	if diff := cmp.Diff(want, got.with("|ms")); diff != "" {
		t.Error(diff)
	}
	if more := slices.Concat(got.with(".sum_ms"), got.with(".p50"), got.with("|s")); len(more) != 0 {
		t.Errorf("summaries or sets are sent as well: %q", more)
	}
}

// listening is a Statistics that knows who listens.
type listening struct {
	*stats.Statistics
	taps int
}

func (l *listening) Tap(fn func(stats.Tapped)) (remove func()) {
	l.taps++
	untap := l.Statistics.Tap(fn)
	return func() { l.taps--; untap() }
}

func TestNobodyListensAfterClose(t *testing.T) {
	srv := serve(t, "udp")
	for cfg, want := range map[*statsdpush.Config]int{{}: 0, {Sets: true}: 1, {Timings: statsdpush.TimingEvents}: 1} {
		st := &listening{Statistics: stats.New()}
		cfg.Address = srv.address
		p := push(t, st, *cfg)
		if st.taps != want {
			t.Errorf("%d taps, want %d", st.taps, want)
		}
		closed(t, p)
		if st.taps != 0 {
			t.Errorf("%d taps after Close", st.taps)
		}
	}
}

func TestTimingsArePackedAsTheServerReadsThem(t *testing.T) {
	for profile, want := range map[statsdpush.Profile]string{
		statsdpush.Portable: "x.custom.t:1|ms x.custom.t:2.5|ms x.custom.t:3|ms",
		statsdpush.Statsite: "x.custom.t:1|ms x.custom.t:2.5|ms x.custom.t:3|ms",
		statsdpush.Etsy:     "x.custom.t:1|ms:2.5|ms:3|ms",
		statsdpush.Telegraf: "x.custom.t:1|ms:2.5|ms:3|ms",
		statsdpush.Exporter: "x.custom.t:1:2.5:3|ms",
		statsdpush.Datadog:  "x.custom.t:1:2.5:3|ms",
	} {
		srv := serve(t, "udp")
		st := stats.New()
		p := push(t, st, statsdpush.Config{Address: srv.address, Prefix: "x", Timings: statsdpush.TimingEvents, Profile: profile, Interval: never})
		settled(t, p)
		for _, us := range []time.Duration{1000, 2500, 3000} {
			st.Timer("t").Observe(us * time.Microsecond)
		}
		closed(t, p)
		if got := strings.Join(srv.got().with("|ms"), " "); got != want {
			t.Errorf("profile %d: got %s, want %s", profile, got, want)
		}
	}
}

func TestPackedLinesFitAPacket(t *testing.T) {
	srv := serve(t, "udp")
	st := stats.New()
	p := push(t, st, statsdpush.Config{Address: srv.address, Timings: statsdpush.TimingEvents, Profile: statsdpush.Datadog, Tags: []statsdTag{{"app", "x"}}, Interval: never})
	settled(t, p)
	timer := st.Timer("t", stats.Label{Key: "k", Value: "v"})
	for i := range 5000 {
		timer.Observe(time.Duration(i) * time.Microsecond)
	}
	closed(t, p)
	got := srv.got()
	got.values(t)
	values := 0
	for _, line := range got.with("|ms") {
		_, rest, _ := strings.Cut(line, ":")
		values += strings.Count(rest[:strings.Index(rest, "|")], ":") + 1
	}
	if values != 5000 {
		t.Errorf("%d of 5000 values", values)
	}
	if n := slices.Max(srv.sizes); n > 1432 || n < 1300 {
		t.Errorf("the largest packet has %d bytes", n)
	}
}

func TestSets(t *testing.T) {
	srv := serve(t, "tcp")
	st := stats.New()
	urls := st.Unique("urls")
	urls.Add("early")
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.address, Sets: true, Interval: never})
	settled(t, p)
	for range 3 {
		urls.Add("a")
		urls.Add("b")
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	urls.Add("a")
	closed(t, p)
	got := srv.got()
	_, gauges := got.values(t)
	sets := got.with("|s")
	if len(sets) != 3 || sets[0] != sets[2] || sets[0] == sets[1] {
		t.Errorf("got %q, want the values of each flush once", sets)
	}
	if n := gauges["crawler.custom.urls.unique"]; n != 3 {
		t.Errorf("the gauge says %v, want 3", n)
	}
}

func TestEventsAreBounded(t *testing.T) {
	srv := serve(t, "tcp")
	st := stats.New()
	timer := st.Timer("t")
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.address, Timings: statsdpush.TimingEvents, MaxEvents: 100, Interval: never})
	settled(t, p)
	for range 130 {
		timer.Observe(1)
	}
	closed(t, p)
	if n := len(srv.got().with("|ms")); n != 100 {
		t.Errorf("got %d events, want 100", n)
	}
	if n := p.Health().Dropped; n != 30 {
		t.Errorf("%d are counted as dropped, want 30", n)
	}
}

func TestEventsSurviveAnOutage(t *testing.T) {
	srv := serve(t, "tcp")
	srv.stop()
	st := stats.New()
	timer := st.Timer("t")
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.address, Timings: statsdpush.TimingEvents, MaxEvents: 100, Interval: never})
	for i := range 10 {
		for range 100 {
			timer.Observe(1)
		}
		if err := p.Flush(t.Context()); err == nil {
			t.Errorf("flush %d: no error", i)
		}
	}
	srv.start()
	closed(t, p)
	sent, dropped := len(srv.got().with("|ms")), p.Health().Dropped
	if int64(sent)+dropped != 1000 || sent != 500 {
		t.Errorf("%d sent and %d dropped of 1000, want 500 to wait", sent, dropped)
	}
}

func TestHearingAnEventCostsNoAllocation(t *testing.T) {
	srv := serve(t, "unixgram")
	st := stats.New()
	timer := st.Timer("t")
	push(t, st, statsdpush.Config{Network: "unixgram", Address: srv.address, Timings: statsdpush.TimingEvents, Interval: never})
	if n := testing.AllocsPerRun(1000, func() { timer.Observe(1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAFlushEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clumsy{}
		p := push(t, stats.New(), statsdpush.Config{Client: counting{c}})
		time.Sleep(10*time.Second + 1)
		synctest.Wait()
		if n := c.lines; n != 11 { // at Start and each second
			t.Errorf("%d flushes, want 11", n)
		}
		closed(t, p)
	})
}

// counting counts flushes: each sends one gauge of requests in flight.
type counting struct{ *clumsy }

func (c counting) Inc(string, int64, float32, ...statsdTag) error { return nil }

func (c counting) Gauge(name string, _ int64, _ float32, _ ...statsdTag) error {
	if strings.HasSuffix(name, ".in_flight") {
		c.lines++
	}
	return nil
}
