package statsdpush_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"
	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// crawl records a seeded run of n requests on two goroutines.
func crawl(st *stats.Statistics, n int) {
	var wg sync.WaitGroup
	for g := range uint64(2) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, g))
			items := st.Counter("items", stats.Label{Key: "kind", Value: "page"})
			wire := st.ReservedCounter(adapter.Key{}, "wire.bytes.wire")
			dns := st.ReservedTimer(adapter.Key{}, "wire.phase.dns")
			for range n / 2 {
				o := stats.Outcome{
					Request:    stats.Request{Retries: r.IntN(4)},
					Duration:   time.Duration(r.ExpFloat64() * float64(80*time.Millisecond)),
					QueueWait:  time.Duration(r.IntN(int(time.Second))),
					StatusCode: []int{200, 200, 200, 301, 404, 503}[r.IntN(6)],
				}
				switch r.IntN(10) {
				case 0:
					o.Err = context.DeadlineExceeded
				case 1:
					o.Discard = "robots"
				}
				st.Observe(o)
				items.Inc()
				wire.Add(int64(r.IntN(100_000)))
				dns.Observe(time.Duration(r.IntN(int(time.Millisecond))))
			}
		})
	}
	wg.Wait()
}

// expected are the counters that a server must show after the whole of a.
func expected(prefix string, a stats.Snapshot) map[string]int64 {
	want := map[string]int64{
		"requests.started": a.Started, "requests.finished": a.Finished, "requests.failed": a.Failed,
		"requests.retries": a.Retries, "attempts": a.Attempts,
		"jobs.ok": a.Finished, "jobs.error": a.Failed,
		"requests.working.ok.count": a.FinishedDuration.Count, "requests.working.ok.sum_ms": a.FinishedDuration.Sum.Milliseconds(),
		"requests.working.error.count": a.FailedDuration.Count, "requests.working.error.sum_ms": a.FailedDuration.Sum.Milliseconds(),
		"jobs.working.count":   a.FinishedDuration.Count + a.FailedDuration.Count,
		"jobs.working.sum_ms":  (a.FinishedDuration.Sum + a.FailedDuration.Sum).Milliseconds(),
		"requests.queue.count": a.QueueWait.Count, "requests.queue.sum_ms": a.QueueWait.Sum.Milliseconds(),
		"requests.total.count": a.TotalDuration.Count, "requests.total.sum_ms": a.TotalDuration.Sum.Milliseconds(),
		"jobs.total.count": a.TotalDuration.Count, "jobs.total.sum_ms": a.TotalDuration.Sum.Milliseconds(),
		"bytes.wire":             a.Counters["wire.bytes.wire"],
		"phase.dns.count":        a.Timers["wire.phase.dns"].Count,
		"phase.dns.sum_ms":       a.Timers["wire.phase.dns"].Sum.Milliseconds(),
		"custom.items.kind.page": a.Counters[`items{kind="page"}`],
	}
	for code, n := range a.StatusCodes {
		want[fmt.Sprintf("responses.status.%d", code)] = n
		want[fmt.Sprintf("responses.class.%dxx", code/100)] += n
	}
	for reason, n := range a.Discards {
		want["requests.discarded."+string(reason)] = n
	}
	for kind, n := range a.ErrorKinds {
		want["errors."+kind] = n
	}
	named := map[string]int64{}
	for name, n := range want {
		named[prefix+name] = n
	}
	return named
}

// equal checks that counters that are not zero, and not about statsd itself, are
// those of the snapshot.
func equal(t *testing.T, prefix string, a stats.Snapshot, counters map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	for name, n := range counters {
		if n != 0 && !strings.Contains(name, ".self.") && !strings.HasSuffix(name, ".resumed") {
			got[name] = n
		}
	}
	if diff := cmp.Diff(expected(prefix, a), got); diff != "" {
		t.Errorf("counters differ from the snapshot (-want +got):\n%s", diff)
	}
}

func TestTotalsArriveOverEveryTransport(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			srv := serve(t, network)
			st := stats.New()
			p := push(t, st, statsdpush.Config{Network: network, Address: srv.address, Prefix: "acme.crawl", Interval: 10 * time.Millisecond})
			crawl(st, 5000)
			closed(t, p)
			counters, gauges := srv.got().values(t)
			equal(t, "acme.crawl.", st.Live(), counters)

			d := st.Live().FinishedDuration
			for name, want := range map[string]time.Duration{"p50": d.Quantile(.5), "p95": d.Quantile(.95), "p99": d.Quantile(.99), "max": d.Max} {
				if got := gauges["acme.crawl.requests.working.ok."+name]; got != float64(want)/1e6 {
					t.Errorf("%s: got %v ms, want %v", name, got, want)
				}
			}
			if h := p.Health(); h.Err != nil || h.Errors+h.Dropped+h.Unconfirmed != 0 || h.Lines == 0 || h.Packets == 0 || h.Bytes == 0 || h.LastSuccess.IsZero() {
				t.Errorf("health: %+v", h)
			}
			for _, n := range srv.sizes {
				if limit := map[string]int{"udp": 1432, "unixgram": 8192}[network]; n > limit {
					t.Errorf("a packet of %d bytes, want at most %d", n, limit)
				}
			}
		})
	}
}

func TestEveryNameIsInTheCatalogueAndEveryListedNameIsSent(t *testing.T) {
	srv := serve(t, "tcp")
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: kvstore.NewMemory(), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, name := range []string{"http.conn.accept.success", "wire.bytes.wire", "wire.bytes.content", "wire.redirects", "wire.error.tls"} {
		st.ReservedCounter(adapter.Key{}, name).Inc()
	}
	st.ReservedTimer(adapter.Key{}, "wire.phase.ttfb").Observe(time.Millisecond)
	st.Counter("a").Inc()
	st.Gauge("b").Set(1)
	st.Timer("c").Observe(time.Millisecond)
	crawl(st, 100)

	p := push(t, remembering{st}, statsdpush.Config{Network: "tcp", Address: srv.address, Interval: never, Sets: true})
	st.Unique("d").Add("x")
	closed(t, p)

	sent := map[catalogue.ID]bool{}
	for _, line := range srv.got() {
		name, rest, _ := strings.Cut(line, ":")
		name = strings.TrimPrefix(name, "crawler.shop.")
		id, ok := catalogue.FindStatsd(name)
		if !ok {
			t.Errorf("%s is sent and not listed", line)
			continue
		}
		switch { // the four kinds of a custom name look alike
		case !strings.HasPrefix(name, "custom."):
		case strings.HasSuffix(rest, "|s"):
			id = catalogue.CustomUniqueSet
		case strings.HasSuffix(name, ".unique"):
			id = catalogue.CustomUnique
		case strings.HasPrefix(name, "custom.c."):
			id = catalogue.CustomTimer
		case strings.HasSuffix(rest, "|g"):
			id = catalogue.CustomGauge
		}
		sent[id] = true
		kind := map[catalogue.Type]string{catalogue.Counter: "c", catalogue.Gauge: "g", catalogue.Set: "s"}[id.Metric().Statsd.Type]
		if kind != "" && !strings.HasSuffix(rest, "|"+kind) {
			t.Errorf("%s is not of the type listed, %s", line, id.Metric().Statsd.Type)
		}
	}
	for id, m := range catalogue.All() {
		if m.Statsd.Name != "" && !sent[catalogue.ID(id)] {
			t.Errorf("%s is listed and not sent", m.Statsd.Name)
		}
	}
}

// remembering is a Statistics with a History, for which one has to wait.
type remembering struct{ *stats.Statistics }

func (r remembering) Snapshot() stats.Snapshot {
	a := r.Statistics.Snapshot()
	a.History = stats.History{
		Seconds: []stats.Point{{At: time.Unix(300, 0)}},
		Minutes: []stats.Point{{At: time.Unix(120, 0), Finished: 1}, {At: time.Unix(180, 0), Finished: 1}, {At: time.Unix(240, 0)}},
	}
	return a
}

func TestLastSuccessIsInTheFinestRingThatHasOne(t *testing.T) {
	srv := serve(t, "tcp")
	closed(t, push(t, remembering{stats.New()}, statsdpush.Config{Network: "tcp", Address: srv.address}))
	if _, gauges := srv.got().values(t); gauges["crawler.last_success"] != 180 {
		t.Errorf("last_success is %v, want 180", gauges["crawler.last_success"])
	}
}

func TestClosedSetsAreThoseOfTheStatistics(t *testing.T) {
	for _, kind := range catalogue.Errors.Values("kind") {
		if got := stats.KindOf(stats.WithKind(stats.ErrorKind(kind), errors.New("x"))); string(got) != kind {
			t.Errorf("error kind %q is %q to stats", kind, got)
		}
	}
	st := stats.New()
	for _, reason := range catalogue.Discarded.Values("reason") {
		st.Observe(stats.Outcome{Discard: stats.DiscardReason(reason)})
	}
	if got, want := len(st.Live().Discards), len(catalogue.Discarded.Values("reason")); got != want {
		t.Errorf("%d of %d discard reasons are known to stats", got, want)
	}
}

func TestAFlushSendsWhatHasChanged(t *testing.T) {
	srv := serve(t, "unixgram")
	st := stats.New()
	items := st.Counter("items")
	p := push(t, st, statsdpush.Config{Network: "unixgram", Address: srv.address, Interval: never})
	for range 3 {
		items.Add(5)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, p)
	got := srv.got()
	sent := got.with(".custom.items:")
	sent = slices.DeleteFunc(sent, func(s string) bool { return s == "crawler.custom.items:0|c" }) // the zero of Start, if it came first
	if diff := cmp.Diff(lines{"crawler.custom.items:5|c", "crawler.custom.items:5|c", "crawler.custom.items:5|c"}, sent); diff != "" {
		t.Error(diff)
	}
	if zeros := got.with("requests.failed:0|c"); len(zeros) != 1 {
		t.Errorf("a counter at zero is sent %d times, want once", len(zeros))
	}
	if n := len(got.with("requests.in_flight:")); n != 8 {
		t.Errorf("a gauge is sent %d times in 8 flushes", n)
	}
}

func TestAMillionIncrements(t *testing.T) {
	srv := serve(t, "udp")
	st := stats.New()
	items := st.Counter("items")
	p := push(t, st, statsdpush.Config{Address: srv.address, Interval: 10 * time.Millisecond})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 500_000 {
				items.Inc()
			}
		})
	}
	wg.Wait()
	if n := testing.AllocsPerRun(1000, items.Inc); n != 0 {
		t.Errorf("%v allocations for each increment", n)
	}
	closed(t, p)
	counters, _ := srv.got().values(t)
	if got, want := counters["crawler.custom.items"], st.Live().Counters["items"]; got != want {
		t.Errorf("got %d of %d increments", got, want)
	}
}

func TestARestoredTotalIsNotSentAgain(t *testing.T) {
	store := kvstore.NewMemory()
	open := func() *stats.Statistics {
		st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	srv := serve(t, "tcp")
	cfg := statsdpush.Config{Network: "tcp", Address: srv.address, Interval: never}
	for i, n := range []int{100, 10} {
		st := open()
		p := push(t, st, cfg)
		for range n {
			j := st.Begin()
			j.Finish()
		}
		st.Counter("items").Add(int64(n))
		closed(t, p)
		if i == 0 {
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		defer st.Close()
	}
	counters, gauges := srv.got().values(t)
	for name, want := range map[string]int64{"requests.finished": 110, "custom.items": 110, "resumed": 1} {
		if got := counters["crawler.shop."+name]; got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	if got := gauges["crawler.shop.lifetime.finished"]; got != 110 {
		t.Errorf("lifetime.finished: got %v, want 110", got)
	}
}

// Who has lost the record to another owner says so.
func TestSuperseded(t *testing.T) {
	store := kvstore.NewMemory()
	srv := serve(t, "tcp")
	open := func() *stats.Statistics {
		st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
	first := open()
	p := push(t, first, statsdpush.Config{Network: "tcp", Address: srv.address, Interval: never})
	open()
	if err := first.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
		t.Fatalf("got %v, want ErrSuperseded", err)
	}
	closed(t, p)
	counters, _ := srv.got().values(t)
	if got := counters["crawler.shop.self.superseded"]; got != 1 {
		t.Errorf("self.superseded: got %d, want 1", got)
	}
}

func TestAResetStartsFromZero(t *testing.T) {
	srv := serve(t, "tcp")
	st := stats.New()
	items := st.Counter("items")
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.address, Interval: never})
	items.Add(100)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	items.Add(7)
	closed(t, p)
	counters, _ := srv.got().values(t) // which fails on a negative count
	if got := counters["crawler.custom.items"]; got != 107 {
		t.Errorf("got %d, want 107", got)
	}
}

// scripted is a Source that shows one snapshot after the other, the last of them
// again and again.
type scripted struct{ live []stats.Snapshot }

func (s *scripted) Snapshot() stats.Snapshot { return s.live[0] }

func (s *scripted) Live() stats.Snapshot {
	a := s.live[0]
	if len(s.live) > 1 {
		s.live = s.live[1:]
	}
	return a
}

// Statistics puts instruments back to zero before it says so.
func TestAResetThatIsUnderWay(t *testing.T) {
	srv := serve(t, "tcp")
	items := func(generation uint64, n int64) stats.Snapshot {
		return stats.Snapshot{Generation: generation, Counters: map[string]int64{"items": n}}
	}
	p := push(t, &scripted{[]stats.Snapshot{items(1, 100), items(1, 0), items(1, 2), items(2, 3), items(2, 5)}}, statsdpush.Config{Network: "tcp", Address: srv.address, Interval: never})
	for range 5 {
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, p)
	want := lines{"crawler.custom.items:100|c", "crawler.custom.items:3|c", "crawler.custom.items:2|c"}
	if diff := cmp.Diff(want, srv.got().with("custom.items")); diff != "" {
		t.Error(diff)
	}
}

func TestALineThatDoesNotFitIsCounted(t *testing.T) {
	srv := serve(t, "udp")
	st := stats.New()
	var labels []stats.Label
	for i := range 8 {
		labels = append(labels, stats.Label{Key: fmt.Sprint("k", i), Value: strings.Repeat("😀", 100)})
	}
	st.Counter("items", labels...).Inc()
	p := push(t, st, statsdpush.Config{Address: srv.address, TagFormat: statsd.SuffixOctothorpe, Interval: never})
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed(t, p)
	counters, _ := srv.got().values(t)
	if h := p.Health(); h.Dropped != 1 || counters["crawler.self.statsd_dropped"] != 1 {
		t.Errorf("%d are dropped, and the server was told of %d; want 1", h.Dropped, counters["crawler.self.statsd_dropped"])
	}
}

func TestGauges(t *testing.T) {
	for _, c := range []struct {
		set     float64
		profile statsdpush.Profile
		want    lines
	}{
		{set: 0, want: lines{"x.custom.g:0|g"}},
		{set: 1e15, want: lines{"x.custom.g:1000000000000000|g"}},
		{set: 2.5, want: lines{"x.custom.g:2.5|g"}},
		{set: -5, want: lines{"x.custom.g:0|g", "x.custom.g:-5|g"}},
		{set: -5, profile: statsdpush.Datadog, want: lines{"x.custom.g:-5|g"}},
		{set: math.NaN(), want: lines{"x.custom.g:0|g"}},
		{set: math.Copysign(0, -1), want: lines{"x.custom.g:0|g"}},
	} {
		t.Run(fmt.Sprint(c.set), func(t *testing.T) {
			srv := serve(t, "udp")
			st := stats.New()
			st.Gauge("g").Set(c.set)
			closed(t, push(t, st, statsdpush.Config{Address: srv.address, Prefix: "x", Interval: never, Profile: c.profile}))
			if diff := cmp.Diff(slices.Concat(c.want, c.want), srv.got().with("x.custom.g:")); diff != "" { // of Start and Close
				t.Error(diff)
			}
		})
	}
	srv := serve(t, "udp")
	st := stats.New()
	st.Gauge("g").Set(math.Inf(-1))
	closed(t, push(t, st, statsdpush.Config{Address: srv.address}))
	srv.got().values(t)
}

func TestClosing(t *testing.T) {
	srv := serve(t, "tcp")
	p := push(t, stats.New(), statsdpush.Config{Network: "tcp", Address: srv.address})
	for range 2 {
		closed(t, p)
	}
	if err := p.Flush(t.Context()); !errors.Is(err, statsdpush.ErrClosed) {
		t.Errorf("Flush after Close: %v", err)
	}
	var none *statsdpush.Pusher
	if none.Close() != nil || none.Flush(t.Context()) != nil || none.Health() != (statsdpush.Health{}) {
		t.Error("a nil Pusher does something")
	}
}

func TestStartRefuses(t *testing.T) {
	st := stats.New()
	for want, cfg := range map[string]statsdpush.Config{
		"Config.Network is":      {Network: "sctp"},
		"Config.Address is":      {Network: "unix"},
		"Config.Prefix begins":   {Prefix: "go_goroutines"},
		"Config.Tags: key":       {Tags: []statsdTag{{"le", "1"}}},
		"Config.TagFormat is":    {TagFormat: 64},
		"Config.Timings is":      {Timings: 9},
		"Config.Profile is":      {Profile: -1},
		"Config.Tags: statsite":  {Profile: statsdpush.Statsite, Tags: []statsdTag{{"a", "b"}}},
		"Config.Sets:":           {Profile: statsdpush.Exporter, Sets: true},
		"Config.Interval is":     {Interval: -1},
		"Config.CloseTimeout is": {CloseTimeout: -1},
		"Config.MaxEvents is":    {MaxEvents: -1},
		"Config.PacketSize is":   {PacketSize: 100},
	} {
		p, err := statsdpush.Start(st, cfg)
		if err == nil || !strings.Contains(err.Error(), want) || p != nil {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if _, err := statsdpush.Start(nil, statsdpush.Config{}); err == nil {
		t.Error("no error without a Source")
	}
	if _, err := statsdpush.Start(frozen{}, statsdpush.Config{Sets: true}); err == nil || !strings.Contains(err.Error(), "single events") {
		t.Errorf("events of a Source that has none: %v", err)
	}
}

// frozen is a Source of nothing but snapshots.
type frozen struct{ live stats.Snapshot }

func (f frozen) Snapshot() stats.Snapshot { return f.live }
func (f frozen) Live() stats.Snapshot     { return f.live }

func TestKeysOfAForgedRecordAreFolded(t *testing.T) {
	srv := serve(t, "tcp")
	src := frozen{stats.Snapshot{
		StatusCodes: map[int]int64{-5: 1, 70_000: 2, 200: 3},
		ErrorKinds:  map[string]int64{"a\nb:1|c": 4, "dns": 5},
		Discards:    map[stats.DiscardReason]int64{"x": 6, "other": 7},
		Counters:    map[string]int64{"http.unlisted": 8, "wire.phase.unlisted": 9, `a{b="c`: 10},
	}}
	closed(t, push(t, src, statsdpush.Config{Network: "tcp", Address: srv.address}))
	counters, _ := srv.got().values(t)
	for name, want := range map[string]int64{
		"responses.status.0": 3, "responses.class.other": 3, "responses.status.200": 3,
		"errors.other": 4, "errors.dns": 5, "requests.discarded.other": 13,
		"custom.http.unlisted": 8, "custom.wire.phase.unlisted": 9, "custom.a_b__c": 10,
	} {
		if got := counters["crawler."+name]; got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}
