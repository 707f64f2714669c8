package statsd

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// each runs a test against every server.
func each(t *testing.T, test func(t *testing.T, srv server)) {
	t.Run("etsy", func(t *testing.T) { test(t, startEtsy(t, time.Hour)) })
	t.Run("exporter", func(t *testing.T) { test(t, startExporter(t)) })
}

// eachNetwork runs a test against every server over every network it speaks.
func eachNetwork(t *testing.T, test func(t *testing.T, srv server, network string)) {
	for _, network := range []string{"udp", "tcp", "unix"} {
		t.Run("etsy "+network, func(t *testing.T) { test(t, startEtsy(t, time.Hour), network) })
	}
	for _, network := range []string{"udp", "tcp", "unixgram"} {
		t.Run("exporter "+network, func(t *testing.T) { test(t, startExporter(t), network) })
	}
}

func push(t *testing.T, src stats.Source, srv server, network string, cfg statsdpush.Config) *statsdpush.Pusher {
	t.Helper()
	cfg.Network, cfg.Address = network, srv.address(network)
	cfg.CloseTimeout = time.Minute // what arrives is asked for, not how soon
	p, err := statsdpush.Start(src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func closed(t *testing.T, p *statsdpush.Pusher) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if h := p.Health(); h.Errors+h.Dropped+h.Unconfirmed != 0 {
		t.Errorf("health: %+v", h)
	}
}

// arrived waits until the server shows the counters.
func arrived(t *testing.T, srv server, want map[string]int64) {
	t.Helper()
	await(t, "counters arrive", func() error {
		got, err := srv.counters()
		if err != nil {
			return err
		}
		var differ []string
		for name, n := range want {
			if v, ok := got[srv.name(name)]; !ok || v != float64(n) {
				differ = append(differ, fmt.Sprintf("%s is %v, want %d", srv.name(name), v, n))
			}
		}
		if len(differ) > 0 {
			slices.Sort(differ)
			return fmt.Errorf("%d of %d counters differ: %.2000s", len(differ), len(want), strings.Join(differ, "; "))
		}
		return nil
	})
}

func content(t *testing.T, srv server) {
	t.Helper()
	if complaints, err := srv.complaints(); complaints != "" || err != nil {
		t.Errorf("the server complains: %s, %v", complaints, err)
	}
}

// crawl records a seeded run of n requests on two goroutines.
func crawl(st *stats.Statistics, n int) {
	var wg sync.WaitGroup
	for g := range uint64(2) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, g))
			for range n / 2 {
				o := stats.Outcome{
					Request:    stats.Request{Retries: r.IntN(4)},
					Duration:   time.Duration(r.ExpFloat64() * float64(80*time.Millisecond)),
					QueueWait:  time.Duration(1 + r.IntN(int(time.Second))),
					StatusCode: []int{200, 200, 301, 404, 503}[r.IntN(5)],
				}
				switch r.IntN(10) {
				case 0:
					o.Err = stats.WithKind([]stats.ErrorKind{stats.KindTimeout, stats.KindDNS}[r.IntN(2)], errors.New("x"))
				case 1:
					o.Discard = "robots"
				}
				st.Observe(o)
				st.Counter("items", stats.Label{Key: "kind", Value: "page"}).Inc()
				st.Timer("parse").Observe(time.Duration(r.IntN(int(10 * time.Millisecond))))
				st.Unique("urls").Add(fmt.Sprint(r.IntN(1000)))
			}
		})
	}
	wg.Wait()
	st.Gauge("queue.length").Set(-17.5)
}

// counted are the counters of a snapshot by the names of docs/METRICS.md.
func counted(prefix string, a stats.Snapshot) map[string]int64 {
	want := map[string]int64{
		"requests.started": a.Started, "requests.finished": a.Finished, "requests.failed": a.Failed,
		"requests.retries": a.Retries, "attempts": a.Attempts, "jobs.ok": a.Finished, "jobs.error": a.Failed,
		"custom.items.kind.page": a.Counters[`items{kind="page"}`],
		"self.unmatched":         a.Unmatched, "resumed": 0,
	}
	timing := func(name string, ds ...stats.Durations) {
		var sum time.Duration
		for _, d := range ds {
			want[name+".count"] += d.Count
			sum += d.Sum
		}
		want[name+".sum_ms"] = sum.Milliseconds()
	}
	timing("requests.working.ok", a.FinishedDuration)
	timing("requests.working.error", a.FailedDuration)
	timing("jobs.working", a.FinishedDuration, a.FailedDuration)
	timing("requests.queue", a.QueueWait)
	timing("requests.total", a.TotalDuration)
	timing("jobs.total", a.TotalDuration)
	timing("custom.parse", a.Timers["parse"])
	for _, n := range []int{1, 2, 3, 4, 5} {
		want[fmt.Sprintf("responses.class.%dxx", n)] = 0
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
		named[prefix+"."+name] = n
	}
	return named
}

func TestEveryCounterEqualsTheSnapshot(t *testing.T) {
	eachNetwork(t, func(t *testing.T, srv server, network string) {
		st := stats.New()
		p := push(t, st, srv, network, statsdpush.Config{Prefix: "source_a.source_b", Interval: 100 * time.Millisecond})
		crawl(st, 50_000)
		closed(t, p)
		arrived(t, srv, counted("source_a.source_b", st.Snapshot()))
		content(t, srv)

		gauges, err := srv.gauges()
		if err != nil {
			t.Fatal(err)
		}
		live := st.Live()
		for name, want := range map[string]float64{
			"lifetime.finished": float64(live.Finished), "requests.in_flight": 0, "custom.queue.length": -17.5,
			"custom.urls.unique":         float64(live.Uniques["urls"]),
			"requests.working.ok.p99":    float64(live.FinishedDuration.Quantile(0.99)) / 1e6,
			"requests.working.ok.max":    float64(live.FinishedDuration.Max) / 1e6,
			"requests.working.error.p50": float64(live.FailedDuration.Quantile(0.5)) / 1e6,
		} {
			if got, ok := gauges[srv.name("source_a.source_b."+name)]; !ok || got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	})
}

func TestARunThatGoesOnIsNotCountedTwice(t *testing.T) {
	each(t, func(t *testing.T, srv server) {
		store := kvstore.NewMemory()
		for _, n := range []int{100, 5} {
			st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			p := push(t, st, srv, "tcp", statsdpush.Config{})
			for range n {
				j := st.Begin()
				j.Finish()
			}
			closed(t, p)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		arrived(t, srv, map[string]int64{"crawler.shop.requests.finished": 105, "crawler.shop.jobs.ok": 105, "crawler.shop.resumed": 1})
		gauges, err := srv.gauges()
		if got := gauges[srv.name("crawler.shop.lifetime.finished")]; got != 105 || err != nil {
			t.Errorf("lifetime.finished is %v, %v", got, err)
		}
	})
}

// many is a Source of more names than a Statistics keeps.
type many struct{ counters map[string]int64 }

func (m many) Live() stats.Snapshot     { return stats.Snapshot{Counters: m.counters} }
func (m many) Snapshot() stats.Snapshot { return m.Live() }

func TestTwentyThousandNamesInOneFlush(t *testing.T) {
	each(t, func(t *testing.T, srv server) {
		src, want := many{map[string]int64{}}, map[string]int64{}
		for i := range 20_000 {
			src.counters[fmt.Sprintf("name_%d", i)] = int64(i)
			want[fmt.Sprintf("crawler.custom.name_%d", i)] = int64(i)
		}
		closed(t, push(t, src, srv, "udp", statsdpush.Config{Interval: time.Hour}))
		arrived(t, srv, want)
		content(t, srv)
	})
}

func TestAMillionIncrementsFlatOut(t *testing.T) {
	each(t, func(t *testing.T, srv server) {
		st := stats.New()
		items := st.Counter("items")
		p := push(t, st, srv, "udp", statsdpush.Config{Interval: 100 * time.Millisecond})
		start := time.Now()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 500_000 {
					items.Inc()
				}
			})
		}
		wg.Wait()
		took := time.Since(start)
		closed(t, p)
		arrived(t, srv, map[string]int64{"crawler.custom.items": 1_000_000})
		content(t, srv)
		h := p.Health()
		t.Logf("%v for 1,000,000 increments; %d lines in %d packets", took, h.Lines, h.Packets)
		if flushes := int64(took/(100*time.Millisecond)) + 3; h.Packets > flushes*(h.Lines/30+1) {
			t.Errorf("%d packets for %d lines in %d flushes", h.Packets, h.Lines, flushes)
		}
	})
}

func TestGauges(t *testing.T) {
	each(t, func(t *testing.T, srv server) {
		st := stats.New()
		p := push(t, st, srv, "udp", statsdpush.Config{Interval: time.Hour})
		g := st.Gauge("g")
		for _, v := range []float64{-5, -5, 0, 1e15, -0.5} {
			g.Set(v)
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			await(t, "the gauge arrives", func() error {
				gauges, err := srv.gauges()
				if got := gauges[srv.name("crawler.custom.g")]; err == nil && got != v {
					err = fmt.Errorf("it is %v, want %v", got, v)
				}
				return err
			})
		}
		closed(t, p)
		content(t, srv)
	})
}

func TestTags(t *testing.T) {
	tags, err := statsdpush.ParseTags("app:my-app-name,zone:central-europe")
	if err != nil {
		t.Fatal(err)
	}
	label := stats.Label{Key: "allowed", Value: "true"}
	t.Run("exporter", func(t *testing.T) {
		for name, format := range map[string]client.TagFormat{"dogstatsd": 0, "influx": client.InfixComma} {
			t.Run(name, func(t *testing.T) {
				srv := startExporter(t)
				st := stats.New()
				st.Counter("mutate", label).Add(5)
				closed(t, push(t, st, srv, "tcp", statsdpush.Config{Tags: tags, TagFormat: format}))
				await(t, "counters arrive", func() error {
					samples, err := srv.samples()
					const want = `crawler_custom_mutate{allowed="true",app="my-app-name",zone="central-europe"}`
					if err == nil && samples[want] != 5 {
						err = fmt.Errorf("%s is %v", want, samples[want])
					}
					return err
				})
				content(t, srv)
			})
		}
	})
	t.Run("etsy", func(t *testing.T) {
		for name, format := range map[string]client.TagFormat{"dogstatsd": 0, "graphite": client.InfixSemicolon} {
			t.Run(name, func(t *testing.T) {
				srv := startEtsy(t, time.Hour)
				st := stats.New()
				st.Counter("mutate", label).Add(5)
				closed(t, push(t, st, srv, "tcp", statsdpush.Config{Tags: tags, TagFormat: format}))
				arrived(t, srv, map[string]int64{"crawler.custom.mutate;app=my-app-name;zone=central-europe;allowed=true": 5})
				content(t, srv)
			})
		}
	})
}

// Etsy statsd takes each event, packed or not, and each set as they are.
func TestEvents(t *testing.T) {
	for name, profile := range map[string]statsdpush.Profile{"portable": statsdpush.Portable, "packed": statsdpush.Etsy} {
		t.Run(name, func(t *testing.T) {
			srv := startEtsy(t, 200*time.Millisecond)
			st := stats.New()
			p := push(t, st, srv, "tcp", statsdpush.Config{
				Timings: statsdpush.TimingEvents, Sets: true, Profile: profile, Interval: 50 * time.Millisecond, MaxEvents: 100_000,
			})
			crawl(st, 2000)
			closed(t, p)
			live := st.Live()
			await(t, "events arrive", func() error {
				got, err := srv.recorded()
				if err != nil {
					return err
				}
				for name, want := range map[string]stats.Durations{
					"requests.working.ok":    live.FinishedDuration,
					"requests.working.error": live.FailedDuration,
					"requests.queue":         live.QueueWait,
					"requests.total":         live.TotalDuration,
					"custom.parse":           live.Timers["parse"],
				} {
					var sum, longest float64
					values := got.Timers["crawler."+name]
					for _, v := range values {
						sum += v
						longest = max(longest, v)
					}
					if int64(len(values)) != want.Count || longest != float64(want.Max)/1e6 || sum-float64(want.Sum)/1e6 > 1e-3 {
						return fmt.Errorf("%s: %d values, sum %v ms, longest %v ms, want %+v", name, len(values), sum, longest, want)
					}
				}
				values := got.Sets["crawler.custom.urls"]
				slices.Sort(values)
				if n := len(slices.Compact(values)); n < 850 || n > 1000 {
					return fmt.Errorf("%d distinct values in the set", n)
				}
				return nil
			})
			content(t, srv)
		})
	}
	t.Run("exporter", func(t *testing.T) {
		srv := startExporter(t)
		st := stats.New()
		p := push(t, st, srv, "tcp", statsdpush.Config{Timings: statsdpush.TimingEvents, Profile: statsdpush.Exporter, Interval: 50 * time.Millisecond, MaxEvents: 100_000})
		crawl(st, 2000)
		closed(t, p)
		arrived(t, srv, map[string]int64{
			"crawler_requests_working_ok_count":    st.Live().FinishedDuration.Count,
			"crawler_requests_working_error_count": st.Live().FailedDuration.Count,
			"crawler_custom_parse_count":           2000,
		})
		samples, err := srv.samples()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := samples["crawler_requests_working_ok_sum"], st.Live().FinishedDuration.Sum.Seconds(); got-want > 1e-6 || want-got > 1e-6 {
			t.Errorf("the sum is %v s, want %v", got, want)
		}
		content(t, srv)
	})
}

// What strangers and careless callers may put where a name is made of it.
var hostile = []string{
	"\nconstructor:1|ms", "x\nvalueOf:1|s", "a\r\nb:1|c", "x\ninjected:999|c", "host:8080", "a|b", "a|#b:c", "a,b", "a@0.1", "a#b",
	"a b", "a/b", "u@h", "", ".", "..", "...a", "a..b", "\x00", "a\x00b", "\xff\xfe", "a\u202eb", "ü", "日本", "😀", "a;b=c", "a=b",
	"__name__", "le", "quantile", "host", "go_goroutines", "statsd_exporter_lines_total", "statsd.bad_lines_seen", "constructor", "__proto__",
	"valueOf", "toString", "{}", `{a="b"}`, `a{b="c"}`, "_e{1,1}:a|b", "_sc|a|0", `\`, `"`, strings.Repeat("x", 10_000), strings.Repeat("a.", 5000),
}

func TestHostileTextHarmsNoServer(t *testing.T) {
	for name, cfg := range map[string]statsdpush.Config{
		"plain":  {},
		"tags":   {TagFormat: client.SuffixOctothorpe},
		"events": {Timings: statsdpush.TimingEvents},
		"both":   {Timings: statsdpush.TimingEvents, TagFormat: client.SuffixOctothorpe},
	} {
		t.Run(name, func(t *testing.T) {
			eachNetwork(t, func(t *testing.T, srv server, network string) {
				cfg.Prefix, cfg.Crawler, cfg.Jobs = "hostile", hostile[0], hostile[1]
				before, err := srv.counters()
				if err != nil {
					t.Fatal(err)
				}
				st := stats.New()
				p := push(t, st, srv, network, cfg)
				for _, text := range hostile {
					record(st, text)
				}
				st.Counter("last").Inc()
				closed(t, p)
				arrived(t, srv, map[string]int64{"hostile._constructor_1_ms.custom.last": 1})
				content(t, srv)
				after, err := srv.counters()
				if err != nil || !srv.alive() {
					t.Fatalf("the server has died: %v", err)
				}
				for name := range after {
					_, old := before[name]
					if !old && !strings.HasPrefix(name, "hostile") && !strings.HasPrefix(name, "statsd") {
						t.Errorf("a foreign metric: %s", name)
					}
				}
			})
		})
	}
}

// record puts text of strangers through every public door.
func record(st *stats.Statistics, text string) {
	l := stats.Label{Key: text, Value: text}
	st.Counter(text, l).Inc()
	st.Counter(text).Inc()
	st.Gauge(text, l).Set(-1)
	st.Timer(text, l).Observe(1)
	st.Unique(text, l).Add(text)
	st.StartWith(text, stats.Request{Host: text, URL: text})
	st.Discard(text, stats.DiscardReason(text))
	j := st.BeginWith(stats.Request{Host: text, URL: text})
	j.Fail(stats.WithKind(stats.ErrorKind(text), errors.New(text)))
}
