package otelbridge_test

import (
	"context"
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

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/readingtest"
	"github.com/crawlstats/crawlstats/export/otelbridge"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// collection is what one collection of a reader returned, by name.
type collection map[string]metricdata.Metrics

func collect(t testing.TB, p sdkmetric.Producer) collection {
	t.Helper()
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(p))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer provider.Shutdown(context.Background())
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	c := collection{}
	for _, s := range rm.ScopeMetrics {
		if s.Scope.Name != otelbridge.ScopeName || s.Scope.Version != stats.Version {
			continue // the SDK tells of itself
		}
		for _, m := range s.Metrics {
			if _, twice := c[m.Name]; twice {
				t.Errorf("%s is there twice", m.Name)
			}
			c[m.Name] = m
		}
	}
	return c
}

// point is a data point of any kind.
type point struct {
	attributes  map[string]string
	since, at   time.Time
	value       float64 // of a histogram: its count
	explicit    *metricdata.HistogramDataPoint[float64]
	exponential *metricdata.ExponentialHistogramDataPoint[float64]
}

func pointsOf(m metricdata.Metrics) (points []point) {
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			points = append(points, point{since: p.StartTime, at: p.Time, value: float64(p.Value), attributes: attributesOf(p.Attributes)})
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			points = append(points, point{since: p.StartTime, at: p.Time, value: p.Value, attributes: attributesOf(p.Attributes)})
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			points = append(points, point{since: p.StartTime, at: p.Time, value: float64(p.Count), explicit: &p, attributes: attributesOf(p.Attributes)})
		}
	case metricdata.ExponentialHistogram[float64]:
		for _, p := range d.DataPoints {
			points = append(points, point{since: p.StartTime, at: p.Time, value: float64(p.Count), exponential: &p, attributes: attributesOf(p.Attributes)})
		}
	}
	return points
}

func attributesOf(set attribute.Set) map[string]string {
	m := map[string]string{}
	for _, kv := range set.ToSlice() {
		m[string(kv.Key)] = kv.Value.AsString()
	}
	return m
}

// point returns the data point with these attributes among its own, given as
// key=value.
func (c collection) point(t testing.TB, name string, attributes ...string) point {
	t.Helper()
	for _, p := range pointsOf(c[name]) {
		if !slices.ContainsFunc(attributes, func(a string) bool {
			k, v, _ := strings.Cut(a, "=")
			return p.attributes[k] != v
		}) {
			return p
		}
	}
	t.Errorf("there is no %s%v", name, attributes)
	return point{explicit: &metricdata.HistogramDataPoint[float64]{}, exponential: &metricdata.ExponentialHistogramDataPoint[float64]{}}
}

func (c collection) sum(name string) (sum float64) {
	for _, p := range pointsOf(c[name]) {
		sum += p.value
	}
	return sum
}

// elsewhere are the rows that OpenTelemetry has a place of its own for.
var elsewhere = []catalogue.ID{
	catalogue.Info, catalogue.BuildInfo,
	catalogue.HandlerDuration, catalogue.HandlerRequests, catalogue.HandlerExceptions,
	catalogue.GoGCObjects, catalogue.GoGCCycles, catalogue.GoInfo, catalogue.GoOther,
	catalogue.ProcessVirtual, catalogue.ProcessResident, catalogue.ProcessStart, catalogue.ProcessCPU,
	catalogue.ProcessOpenFDs, catalogue.ProcessMaxFDs, catalogue.ProcessOther, catalogue.ScrapeOther,
}

// Every metric stands in the catalogue with its type, unit, help and labels, and
// every row of the catalogue is exported. Translated to Prometheus, each has the
// name of its family.
func TestCatalogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := map[string]catalogue.ID{
			"mutate_requests_total": catalogue.CustomCounter, "queue_length": catalogue.CustomGauge,
			"parse_seconds": catalogue.CustomTimer, "urls_unique": catalogue.CustomUnique,
		}
		seen := map[catalogue.ID]bool{}
		for name, m := range collect(t, otelbridge.New(readingtest.Full(t), otelbridge.Config{Hosts: 3})) {
			family := promName(m)
			id, ok := own[family]
			if !ok {
				id, ok = catalogue.FindProm(family)
			}
			if !ok {
				t.Errorf("%s is %s in Prometheus, which is not in the catalogue", name, family)
				continue
			}
			seen[id] = true
			row := id.Metric()
			if m.Description != row.Help {
				t.Errorf("%s: %q, want %q", name, m.Description, row.Help)
			}
			kind := catalogue.Gauge
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				if kind = catalogue.Counter; !d.IsMonotonic || d.Temporality != metricdata.CumulativeTemporality {
					t.Errorf("%s is not a monotonic cumulative sum", name)
				}
			case metricdata.Histogram[float64]:
				if kind = catalogue.Histogram; d.Temporality != metricdata.CumulativeTemporality {
					t.Errorf("%s is not cumulative", name)
				}
				for _, p := range d.DataPoints {
					if !slices.Equal(p.Bounds, row.Prom.Buckets) {
						t.Errorf("%s has the bounds %v", name, p.Bounds)
					}
				}
			}
			if kind != row.Prom.Type {
				t.Errorf("%s is a %s, want a %s", name, kind, row.Prom.Type)
			}
			for _, p := range pointsOf(m) {
				if p.attributes["crawler"] != "shop" || p.attributes["member"] != "a" {
					t.Errorf("%s has the attributes %v", name, p.attributes)
				}
				for _, label := range row.Prom.Labels {
					if p.attributes[label] == "" {
						t.Errorf("%s has no %s", name, label)
					}
				}
				if _, isOwn := own[family]; !isOwn && len(p.attributes) != 2+len(row.Prom.Labels) {
					t.Errorf("%s has the attributes %v", name, p.attributes)
				}
			}
		}
		for i, m := range catalogue.All() {
			if id := catalogue.ID(i); m.Prom.Name != "" && seen[id] == slices.Contains(elsewhere, id) {
				t.Errorf("%s: exported %t", m.Prom.Name, seen[id])
			}
		}
	})
}

// promName translates as the exporters and the receiver of Prometheus do.
func promName(m metricdata.Metrics) string {
	name := strings.ReplaceAll(m.Name, ".", "_")
	if unit := map[string]string{"s": "_seconds", "By": "_bytes"}[m.Unit]; !strings.HasSuffix(name, unit) {
		name += unit
	}
	if sum, ok := m.Data.(metricdata.Sum[int64]); ok && sum.IsMonotonic {
		name += "_total"
	}
	return name
}

func TestValuesAreThoseOfTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		live, whole := st.Live(), st.Snapshot()
		c := collect(t, otelbridge.New(st, otelbridge.Config{Hosts: 50}))
		e := collect(t, otelbridge.New(st, otelbridge.Config{Exponential: true}))
		count := func(want int64, name string, attributes ...string) {
			t.Helper()
			p := c.point(t, name, attributes...)
			if p.value != float64(want) || !p.since.Equal(live.Since) || p.at.Before(p.since) {
				t.Errorf("%s%v is %v from %v to %v, want %d from %v", name, attributes, p.value, p.since, p.at, want, live.Since)
			}
		}
		count(live.Started, "crawler.requests_started")
		count(live.Finished, "crawler.requests_finished")
		count(live.Attempts, "crawler.attempts")
		for kind, n := range live.FailedKinds {
			count(n, "crawler.requests_failed", "kind="+kind)
		}
		for reason, n := range live.Discards {
			count(n, "crawler.requests_discarded", "reason="+string(reason))
		}
		for code, n := range live.StatusCodes {
			count(n, "crawler.responses", "code="+strconv.Itoa(code))
		}
		for _, h := range live.Hosts {
			count(h.Finished, "crawler.host_requests", "host="+h.Host, "outcome=ok")
		}
		count(1000, "crawler.response_wire")
		count(5, "mutate_requests", "allowed=True", "status_code=202")
		for state, n := range map[string]int64{"started": whole.Started, "finished": whole.Finished, "discarded": whole.Discarded} {
			if p := c.point(t, "crawler.job_requests", "state="+state); p.value != float64(n) || !p.since.IsZero() {
				t.Errorf("%s in all runs: %v since %v, want %d", state, p.value, p.since, n)
			}
		}
		if p := c.point(t, "crawler.state_persists", "result=ok"); p.value != float64(st.Health().Saves) || !p.since.IsZero() {
			t.Errorf("saves: %v since %v", p.value, p.since)
		}

		for name, d := range map[string]stats.Durations{
			"crawler.request_duration outcome=ok":    live.FinishedDuration,
			"crawler.request_duration outcome=error": live.FailedDuration,
			"crawler.request_queue":                  live.QueueWait,
			"crawler.request_total":                  live.TotalDuration,
			"crawler.request_phase phase=dns":        live.Timers["wire.phase.dns"],
			"parse_seconds":                          live.Timers["parse"],
		} {
			name, attribute, _ := strings.Cut(name, " ")
			attributes := strings.Fields(attribute)
			count(d.Count, name, attributes...)
			checkExplicit(t, name, c.point(t, name, attributes...), d)
			checkExponential(t, name, e.point(t, name, attributes...), d)
		}
		count(live.Total(), "crawler.request_retries")
		if p := e.point(t, "crawler.request_retries"); p.explicit == nil || p.explicit.BucketCounts[0] != uint64(live.RetryHistogram[0]) {
			t.Error("the retries are no histogram of whole numbers")
		}
	})
}

func checkExplicit(t *testing.T, name string, p point, d stats.Durations) {
	t.Helper()
	h := p.explicit
	least, _ := h.Min.Value()
	most, _ := h.Max.Value()
	if h.Sum != d.Sum.Seconds() || least != d.Min.Seconds() || most != d.Max.Seconds() {
		t.Errorf("%s: sum %v, from %v to %v, want %v", name, h.Sum, least, most, d)
	}
	var below int64
	for i, bound := range h.Bounds {
		below += int64(h.BucketCounts[i])
		if want := d.CountBelow(time.Duration(bound * float64(time.Second))); below != want {
			t.Errorf("%s: %d at most %v s, want %d", name, below, bound, want)
		}
	}
	if got := below + int64(h.BucketCounts[len(h.Bounds)]); got != d.Count || d.Count == 0 {
		t.Errorf("%s: %d in buckets, want %d", name, got, d.Count)
	}
}

func checkExponential(t *testing.T, name string, p point, d stats.Durations) {
	t.Helper()
	h := p.exponential
	total := h.ZeroCount
	for _, n := range h.PositiveBucket.Counts {
		total += n
	}
	if total != uint64(d.Count) || h.Count != total || h.Sum != d.Sum.Seconds() {
		t.Errorf("%s: %d in buckets, count %d, want %d", name, total, h.Count, d.Count)
	}
	base := math.Exp2(math.Exp2(-float64(h.Scale)))
	for _, q := range []float64{.5, .95, .99} {
		seen, rank := h.ZeroCount, q*float64(h.Count-1)
		for i, n := range h.PositiveBucket.Counts {
			if seen += n; float64(seen) > rank {
				upper := math.Pow(base, float64(int(h.PositiveBucket.Offset)+i+1))
				if want := d.Quantile(q).Seconds(); want > upper*1.01 || want < upper/base/1.01 {
					t.Errorf("%s: the %v quantile is in (%v, %v], want %v", name, q, upper/base, upper, want)
				}
				break
			}
		}
	}
}

// Start times move with a Reset, and with the next process; counters begin anew.
func TestStartTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		st := readingtest.Open(t, store, "shop", "")
		producer := otelbridge.New(st, otelbridge.Config{})
		st.Observe(stats.Outcome{})
		first := collect(t, producer).point(t, "crawler.requests_finished")
		time.Sleep(time.Minute)
		if err := st.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := collect(t, producer).point(t, "crawler.requests_finished")
		if first.value != 1 || second.value != 0 || second.since.Sub(first.since) < time.Minute {
			t.Errorf("%v since %v, after Reset %v since %v", first.value, first.since, second.value, second.since)
		}
		st.Observe(stats.Outcome{})
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		next := readingtest.Open(t, store, "shop", "")
		c := collect(t, otelbridge.New(next, otelbridge.Config{}))
		third := c.point(t, "crawler.requests_finished")
		if third.value != 0 || third.since.Sub(second.since) < time.Minute {
			t.Errorf("the next process: %v since %v", third.value, third.since)
		}
		if got := c.point(t, "crawler.job_requests", "state=finished").value; got != 1 {
			t.Errorf("%v finished in all runs, want 1", got)
		}
	})
}

// Every collection is consistent while others count.
func TestEveryCollectionIsConsistent(t *testing.T) {
	st := stats.New()
	producer := otelbridge.New(st, otelbridge.Config{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				j := st.Begin()
				j.Finish()
				j = st.Begin()
				j.Fail(errBoom)
			}
		})
	}
	for range 50 {
		c := collect(t, producer)
		ended := c.sum("crawler.requests_finished") + c.sum("crawler.requests_failed") + c.sum("crawler.requests_in_flight")
		if started := c.sum("crawler.requests_started"); started != ended {
			t.Errorf("%v started, %v ended or in flight", started, ended)
		}
		if got, want := c.sum("crawler.request_duration"), c.sum("crawler.requests_finished")+c.sum("crawler.requests_failed"); got != want {
			t.Errorf("%v durations of %v requests", got, want)
		}
	}
	close(stop)
	wg.Wait()
}

var errBoom = errors.New("boom")

func TestProduceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := otelbridge.New(stats.New(), otelbridge.Config{}).Produce(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func ExampleNew() {
	st := stats.New()
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(otelbridge.New(st, otelbridge.Config{Crawler: "shop"})))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer provider.Shutdown(context.Background())

	j := st.Begin()
	j.Finish()

	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		fmt.Println(err)
	}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "crawler.requests_finished" {
				fmt.Println(m.Name, sum.DataPoints[0].Value, sum.Temporality)
			}
		}
	}
	// Output: crawler.requests_finished 1 CumulativeTemporality
}

func ExampleConfig() {
	producer := otelbridge.New(stats.New(), otelbridge.Config{Crawler: "shop", Exponential: true})
	scopes, err := producer.Produce(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	for _, m := range scopes[0].Metrics {
		if _, ok := m.Data.(metricdata.ExponentialHistogram[float64]); ok {
			fmt.Println(m.Name, m.Unit)
		}
	}
	// Output:
	// crawler.request_duration s
	// crawler.request_queue s
	// crawler.request_total s
}
