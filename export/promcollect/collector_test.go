package promcollect_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/readingtest"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// Every family of the page stands in the catalogue with its type, its help and
// its labels, and every family of the catalogue is on the page.
func TestCatalogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := promcollect.Handler(readingtest.Full(t), promcollect.Config{Hosts: 3})
		get(t, h, "") // the page is among its own metrics from the second time on
		p := fetch(t, h, protobuf)
		own := map[string]catalogue.ID{
			"mutate_requests_total": catalogue.CustomCounter, "queue_length": catalogue.CustomGauge,
			"parse_seconds": catalogue.CustomTimer, "urls_unique": catalogue.CustomUnique,
		}
		seen := map[catalogue.ID]bool{}
		for name, f := range p {
			id, ok := own[name]
			if !ok {
				id, ok = catalogue.FindProm(name)
			}
			if !ok {
				t.Errorf("%s is not in the catalogue", name)
				continue
			}
			seen[id] = true
			m := id.Metric()
			if m.Prom.Type == "" {
				continue // of client_golang
			}
			if got := strings.ToLower(f.GetType().String()); got != string(m.Prom.Type) {
				t.Errorf("%s is a %s, not a %s", name, got, m.Prom.Type)
			}
			if strings.HasPrefix(name, "crawler_") && f.GetHelp() != m.Help {
				t.Errorf("%s: help %q, want %q", name, f.GetHelp(), m.Help)
			}
			if strings.Contains(m.Prom.Name, "<") {
				continue
			}
			for _, metric := range f.Metric {
				var got []string
				for _, l := range metric.Label {
					if l.GetName() != "crawler" && l.GetName() != "member" {
						got = append(got, l.GetName())
					}
				}
				if want := slices.Sorted(slices.Values(m.Prom.Labels)); !slices.Equal(got, want) {
					t.Errorf("%s has the labels %v, want %v", name, got, want)
				}
				if h := metric.Histogram; h != nil {
					var bounds []float64
					for _, b := range h.Bucket {
						if !math.IsInf(b.GetUpperBound(), 1) {
							bounds = append(bounds, b.GetUpperBound())
						}
					}
					if !slices.Equal(bounds, m.Prom.Buckets) {
						t.Errorf("%s has the buckets %v, want %v", name, bounds, m.Prom.Buckets)
					}
				}
			}
		}
		for i, m := range catalogue.All() {
			if id := catalogue.ID(i); m.Prom.Name != "" && !seen[id] {
				t.Errorf("%s is not on the page", m.Prom.Name)
			}
		}
	})
}

// Closed sets are complete from the first scrape on.
func TestNewSetsBeginAtZero(t *testing.T) {
	p := gather(t, stats.New(), promcollect.Config{})
	for family, n := range map[string]int{
		"crawler_requests_failed_total": 12, "crawler_requests_discarded_total": 11, "crawler_errors_total": 12,
		"crawler_request_duration_seconds": 2, "crawler_job_requests": 5,
	} {
		if got := len(p[family].GetMetric()); got != n {
			t.Errorf("%s has %d samples, want %d", family, got, n)
		}
		if got := p.sum(family); got != 0 {
			t.Errorf("%s adds up to %v, want 0", family, got)
		}
	}
}

func TestValuesAreThoseOfTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		live, whole := st.Live(), st.Snapshot()
		p := gather(t, st, promcollect.Config{Hosts: 50})
		check := func(want float64, family string, labels ...string) {
			t.Helper()
			if got := p.value(t, family, append(labels, "crawler=shop", "member=a")...); got != want {
				t.Errorf("%s%v is %v, want %v", family, labels, got, want)
			}
		}
		count := func(want int64, family string, labels ...string) {
			t.Helper()
			check(float64(want), family, labels...)
		}
		count(live.Started, "crawler_requests_started_total")
		count(live.Finished, "crawler_requests_finished_total")
		count(live.Retries, "crawler_requests_retried_total")
		count(live.Attempts, "crawler_attempts_total")
		count(live.InFlight, "crawler_requests_in_flight")
		for kind, n := range live.FailedKinds {
			count(n, "crawler_requests_failed_total", "kind="+kind)
		}
		for kind, n := range live.ErrorKinds {
			count(n, "crawler_errors_total", "kind="+kind)
		}
		for reason, n := range live.Discards {
			count(n, "crawler_requests_discarded_total", "reason="+string(reason))
		}
		for code, n := range live.StatusCodes {
			count(n, "crawler_responses_total", "code="+strconv.Itoa(code))
		}
		for _, h := range live.Hosts {
			count(h.Finished, "crawler_host_requests_total", "host="+h.Host, "outcome=ok")
			count(h.Failed, "crawler_host_requests_total", "host="+h.Host, "outcome=error")
		}
		for event, n := range live.Counters {
			if event, ok := strings.CutPrefix(event, "http."); ok {
				count(n, "crawler_http_events_total", "event="+event)
			}
		}
		count(1000, "crawler_response_wire_bytes_total")
		count(4000, "crawler_response_content_bytes_total")
		count(4, "mutate_requests_total", "allowed=False", "status_code=403")
		count(5, "mutate_requests_total", "allowed=True", "status_code=202")
		count(17, "queue_length")
		count(live.Uniques["urls"], "urls_unique")
		count(live.Unmatched, "crawler_self_total", "what=unmatched")
		for state, n := range map[string]int64{
			"started": whole.Started, "finished": whole.Finished, "failed": whole.Failed,
			"discarded": whole.Discarded, "interrupted": whole.Interrupted,
		} {
			count(n, "crawler_job_requests", "state="+state)
		}
		check(whole.Runtime.Seconds(), "crawler_job_runtime_seconds")
		count(1, "crawler_job_segments")
		check(float64(whole.PersistedAt.UnixMilli())/1000, "crawler_state_last_persist_timestamp_seconds")
		check(float64(whole.History.Seconds[0].At.UnixMilli())/1000, "crawler_last_success_timestamp_seconds")
		count(st.Health().Saves, "crawler_state_persists_total", "result=ok")
		check(st.Health().Duration.Seconds(), "crawler_state_persist_duration_seconds")
		count(1, "crawler_info", "version="+stats.Version)

		for family, d := range map[string]stats.Durations{
			"crawler_request_duration_seconds outcome=ok":    live.FinishedDuration,
			"crawler_request_duration_seconds outcome=error": live.FailedDuration,
			"crawler_request_queue_seconds":                  live.QueueWait,
			"crawler_request_total_seconds":                  live.TotalDuration,
			"crawler_request_phase_seconds phase=tls":        live.Timers["wire.phase.tls"],
			"parse_seconds": live.Timers["parse"],
		} {
			family, label, labelled := strings.Cut(family, " ")
			m := p.metric(t, family)
			if labelled {
				m = p.metric(t, family, label)
			}
			if d.Count == 0 {
				t.Errorf("%s is empty: the test shows nothing", family)
			}
			if h := m.Histogram; int64(h.GetSampleCount()) != d.Count || h.GetSampleSum() != d.Sum.Seconds() {
				t.Errorf("%s %s: %d in %v s, want %d in %v", family, label, h.GetSampleCount(), h.GetSampleSum(), d.Count, d.Sum)
			}
			for _, b := range m.Histogram.Bucket {
				bound := time.Duration(b.GetUpperBound() * float64(time.Second))
				if got, want := int64(b.GetCumulativeCount()), d.CountBelow(bound); got != want {
					t.Errorf("%s %s: %d at most %v, want %d", family, label, got, bound, want)
				}
			}
		}
		var sum float64
		for n, count := range live.RetryHistogram {
			sum += float64(n) * float64(count)
		}
		retries := p.metric(t, "crawler_request_retries").Histogram
		if got, want := int64(retries.GetSampleCount()), live.Total(); got != want || retries.GetSampleSum() != sum {
			t.Errorf("retries: %d requests, %v retries, want %d, %v", got, retries.GetSampleSum(), want, sum)
		}
		if got, want := int64(retries.Bucket[0].GetCumulativeCount()), live.RetryHistogram[0]; got != want {
			t.Errorf("%d requests without a retry, want %d", got, want)
		}
	})
}

// In each of 200 scrapes, while a million updates run, the numbers add up.
func TestEveryScrapeIsConsistent(t *testing.T) {
	const updates, scrapes, workers = 1_000_000, 200, 2
	st := stats.New()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(promcollect.New(st, promcollect.Config{Hosts: 5}))

	var wg sync.WaitGroup
	scraped := make(chan struct{})
	for w := range workers {
		wg.Go(func() {
			boom := errors.New("boom")
			step := updates / workers / scrapes
			for i := range updates / workers {
				if i%step == 0 {
					<-scraped // so that the scrapes are spread over the updates
				}
				j := st.BeginWith(stats.Request{Host: []string{"a", "b"}[w], Retries: i % 3})
				switch i % 10 {
				case 0:
					j.Fail(boom)
				case 1:
					j.Discard("robots")
				default:
					j.Finish()
				}
			}
		})
	}
	var before page
	for range scrapes {
		for range workers {
			scraped <- struct{}{}
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		p := pageOf(families)
		checkBalance(t, p)
		for name, f := range before {
			if f.GetType().String() != "GAUGE" && p.sum(name) < before.sum(name) {
				t.Fatalf("%s fell from %v to %v", name, before.sum(name), p.sum(name))
			}
		}
		before = p
	}
	wg.Wait()
	p := gather(t, st, promcollect.Config{Hosts: 5})
	if got := p.sum("crawler_requests_started_total"); got != updates {
		t.Errorf("%v started, want %d", got, updates)
	}
	checkBalance(t, p)
}

func checkBalance(t *testing.T, p page) {
	t.Helper()
	finished, failed := p.sum("crawler_requests_finished_total"), p.sum("crawler_requests_failed_total")
	ended := finished + failed + p.sum("crawler_requests_discarded_total") + p.sum("crawler_requests_in_flight")
	if started := p.sum("crawler_requests_started_total"); started != ended {
		t.Fatalf("%v started, %v ended or in flight", started, ended)
	}
	if ok, bad := p.value(t, "crawler_request_duration_seconds", "outcome=ok"), p.value(t, "crawler_request_duration_seconds", "outcome=error"); ok != finished || bad != failed {
		t.Fatalf("histograms of %v and %v requests, %v finished and %v failed", ok, bad, finished, failed)
	}
	if retries := p.sum("crawler_request_retries"); retries != finished+failed {
		t.Fatalf("retries of %v requests, %v ended", retries, finished+failed)
	}
	if hosts := p.sum("crawler_host_requests_total"); hosts != finished+failed {
		t.Fatalf("%v requests by host, %v ended", hosts, finished+failed)
	}
	if job := p.value(t, "crawler_job_requests", "state=finished"); job < finished {
		t.Fatalf("%v finished in all runs, %v in this one", job, finished)
	}
	for _, f := range p {
		for _, m := range f.Metric {
			if h := m.Histogram; h != nil {
				below := uint64(0)
				for _, b := range h.Bucket {
					if b.GetCumulativeCount() < below || b.GetCumulativeCount() > h.GetSampleCount() {
						t.Fatalf("%s: bucket %v", f.GetName(), b)
					}
					below = b.GetCumulativeCount()
				}
			}
		}
	}
}

// After a Reset counters begin again, and tell so by a later created timestamp.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		c := promcollect.New(st, promcollect.Config{Hosts: 2})
		before := scrapeCollector(t, c)
		time.Sleep(time.Minute)
		if err := st.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := scrapeCollector(t, c)
		for name, f := range before {
			switch name {
			case "crawler_info", "crawler_job_segments", "crawler_state_persists_total",
				"crawler_state_persist_duration_seconds", "crawler_state_last_persist_timestamp_seconds":
				continue // not of what was counted
			}
			if got := after.sum(name); got != 0 {
				t.Errorf("%s is %v after Reset", name, got)
			}
			for _, m := range f.Metric {
				was, is := created(m), created(after.metric(t, "crawler_requests_started_total"))
				if m.Gauge == nil && is.Sub(was) < time.Minute {
					t.Errorf("%s was created at %v, after Reset at %v", name, was, is)
				}
			}
		}
		st.Observe(stats.Outcome{Request: stats.Request{Host: "new.example"}})
		if got := scrapeCollector(t, c).value(t, "crawler_host_requests_total", "host=new.example", "outcome=ok"); got != 1 {
			t.Errorf("%v requests of a host that came after Reset, want 1", got)
		}
	})
}

// A crawl that is killed and resumed: its counters begin at zero with a later
// created timestamp, so that nothing jumps, and its lifetime goes on.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		first := readingtest.Open(t, store, "shop", "")
		for range 100 {
			first.Observe(stats.Outcome{Duration: time.Second})
		}
		first.Start("on its way")
		if err := first.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		opened := first.Live().Since
		before := gather(t, first, promcollect.Config{})

		// The first one is never closed before the second has the record: a kill.
		time.Sleep(time.Minute)
		second, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, LogEvery: -1, Persist: stats.PersistManual, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		second.Observe(stats.Outcome{Duration: time.Second})
		after := gather(t, second, promcollect.Config{})

		for name, want := range map[string][2]float64{
			"crawler_requests_started_total":   {101, 1},
			"crawler_requests_finished_total":  {100, 1},
			"crawler_attempts_total":           {101, 1},
			"crawler_request_duration_seconds": {100, 1},
			"crawler_requests_in_flight":       {1, 0},
		} {
			if got := [2]float64{before.sum(name), after.sum(name)}; got != want {
				t.Errorf("%s is %v before and after, want %v", name, got, want)
			}
		}
		for state, want := range map[string][2]float64{"started": {101, 102}, "finished": {100, 101}, "interrupted": {0, 1}} {
			got := [2]float64{
				before.value(t, "crawler_job_requests", "state="+state),
				after.value(t, "crawler_job_requests", "state="+state),
			}
			if got != want {
				t.Errorf("%s in all runs: %v before and after, want %v", state, got, want)
			}
		}
		was, is := created(before.metric(t, "crawler_requests_finished_total")), created(after.metric(t, "crawler_requests_finished_total"))
		if !was.Equal(opened) || is.Sub(was) < time.Minute || !is.Equal(second.Live().Since) {
			t.Errorf("created at %v and %v", was, is)
		}
	})
}

// Who has lost the record to another owner says so.
func TestSuperseded(t *testing.T) {
	store := kvstore.NewMemory()
	first, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, LogEvery: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() // which says again that it is superseded
	if got := gather(t, first, promcollect.Config{}).value(t, "crawler_self_total", "what=superseded"); got != 0 {
		t.Errorf("%v before, want 0", got)
	}
	readingtest.Open(t, store, "shop", "")
	if err := first.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
		t.Fatalf("got %v, want ErrSuperseded", err)
	}
	if got := gather(t, first, promcollect.Config{}).value(t, "crawler_self_total", "what=superseded"); got != 1 {
		t.Errorf("%v after, want 1", got)
	}
}

// Names and values of strangers break neither the page nor another metric.
func TestHostileText(t *testing.T) {
	corpus := []string{
		"", " ", "\n", "a\ninjected_total 999", "\"", `\`, `a"} 1`, "{", "}", "a{b=\"c\"}", "#", "# TYPE x counter",
		"\x00", "\xff\xfe", "a\xffb", "le", "quantile", "__name__", "__", "crawler", "member", "job", "instance",
		"up", "go_goroutines", "process_cpu_seconds", "http_request", "crawler_requests_started", "crawler_self", "x_total", "x_created", "x_bucket",
		"constructor", "a:1|c|#le:1", "@0.1", "NaN", "+Inf", "𝒳", "\u202eevil", "e\u0301", strings.Repeat("h", 10_000), strings.Repeat("é", 5_000),
	}
	var st *stats.Statistics
	record := func(k, v string) {
		label := stats.Label{Key: k, Value: v}
		st.Counter(v, label).Inc()
		st.Counter("c", label).Inc()
		st.Gauge(v, label).Set(math.Inf(1))
		st.Gauge("g", label).Set(math.NaN())
		st.Timer(v, label).Observe(time.Second)
		st.Unique(v, label).Add(v)
		st.Observe(stats.Outcome{
			Request: stats.Request{Host: v, URL: v}, Err: stats.WithKind(stats.ErrorKind(v), errors.New(v)), StatusCode: len(v),
		})
		st.Observe(stats.Outcome{Discard: stats.DiscardReason(v)})
		st.StartWith(v, stats.Request{Host: v, URL: v})
		st.Finish(v)
	}
	for i, text := range corpus {
		st = stats.New()
		for _, key := range []string{"key", text, corpus[(i+1)%len(corpus)]} {
			record(key, text)
		}
		h := promcollect.Handler(st, promcollect.Config{Crawler: text, Member: text, Hosts: 50, CreatedGauges: true})
		for _, format := range []string{"", openMetrics, protobuf} {
			_, body := get(t, h, format)
			if format != protobuf && (len(lines(body, "injected_total")) > 0 || strings.Contains(string(body), "\x00")) {
				t.Errorf("%q: injected\n%s", text, body)
			}
		}
		p := fetch(t, h, "")
		if got := p.sum("promhttp_metric_handler_errors_total"); got != 0 {
			t.Errorf("%q: the page is not whole", text)
		}
		gather(t, st, promcollect.Config{Crawler: text, Member: text, Hosts: 50})
	}

	st = stats.New()
	for i := range corpus {
		record(corpus[i], corpus[(i*7+3)%len(corpus)])
	}
	if refused := gather(t, st, promcollect.Config{}).value(t, "crawler_self_total", "what=names_refused"); refused == 0 {
		t.Error("no name was refused")
	}
}

// promtool's rules, without promtool.
func TestLint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(promcollect.New(readingtest.Full(t), promcollect.Config{Hosts: 3}))
		problems, err := testutil.GatherAndLint(registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
}

// What other exporters count of themselves stands beside, if it is listed.
func TestSelf(t *testing.T) {
	p := gather(t, stats.New(), promcollect.Config{Self: func() map[string]int64 {
		return map[string]int64{"statsd_dropped": 7, "anything": 1}
	}})
	if got := p.value(t, "crawler_self_total", "what=statsd_dropped"); got != 7 {
		t.Errorf("%v lines dropped, want 7", got)
	}
	if got := p.sum("crawler_self_total"); got != 7 {
		t.Errorf("%v in all, want 7", got)
	}
}

func TestConstantLabels(t *testing.T) {
	st := readingtest.Open(t, kvstore.NewMemory(), "id", "m")
	for _, c := range []struct {
		src  stats.Source
		cfg  promcollect.Config
		want []string
	}{
		{stats.New(), promcollect.Config{}, nil},
		{st, promcollect.Config{}, []string{"crawler=id", "member=m"}},
		{st, promcollect.Config{Crawler: "other"}, []string{"crawler=other", "member=m"}},
	} {
		if got := labelsOf(gather(t, c.src, c.cfg).metric(t, "crawler_requests_started_total")); !slices.Equal(got, c.want) {
			t.Errorf("labels %v, want %v", got, c.want)
		}
	}
}

// No series by host unless asked for, and never more than the bound.
func TestHosts(t *testing.T) {
	st := stats.New()
	for i := range 200 {
		for range i + 1 {
			st.Observe(stats.Outcome{Request: stats.Request{Host: fmt.Sprintf("h%03d", i)}})
		}
	}
	if f := gather(t, st, promcollect.Config{})["crawler_host_requests_total"]; f != nil {
		t.Errorf("hosts that nobody asked for: %v", f)
	}
	p := gather(t, st, promcollect.Config{Hosts: 1000})
	if got := len(p["crawler_host_requests_total"].Metric); got != 2*(promcollect.MaxHosts+1) {
		t.Errorf("%d series", got)
	}
	if got := p.value(t, "crawler_host_requests_total", "host=h199", "outcome=ok"); got != 200 {
		t.Errorf("%v requests of the busiest host, want 200", got)
	}
	if got := p.value(t, "crawler_host_requests_total", "host=other", "outcome=ok"); got != 150*151/2 {
		t.Errorf("%v requests of other hosts, want %d", got, 150*151/2)
	}
}

func TestCollectIsSafeForManyScrapers(t *testing.T) {
	st := stats.New()
	c := promcollect.New(st, promcollect.Config{Hosts: 5})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 50 {
				st.Counter(fmt.Sprint("c", i, n)).Inc()
				st.Observe(stats.Outcome{Request: stats.Request{Host: fmt.Sprint(n)}})
				scrapeCollector(t, c)
			}
		})
	}
	wg.Wait()
	p := scrapeCollector(t, c)
	if got := p.sum("crawler_host_requests_total"); got != 200 {
		t.Errorf("%v requests by host, want 200", got)
	}
}
