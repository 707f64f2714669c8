package reading

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// shown renders the families of the crawler's own as name{labels} and counts.
func shown(r Reading) map[string]int64 {
	m := map[string]int64{}
	for _, f := range r.Families {
		for _, s := range f.Samples {
			name := seriesName(f.Name, s.Labels)
			switch f.ID {
			case catalogue.CustomCounter:
				m[name] = s.Count
			case catalogue.CustomGauge, catalogue.CustomUnique:
				m[name] = int64(s.Value)
			case catalogue.CustomTimer:
				m[name] = int64(s.Histogram.Count)
			}
		}
	}
	return m
}

func refused(r Reading) int64 {
	for _, f := range r.Families {
		for _, s := range f.Samples {
			if f.ID == catalogue.Self && s.Labels[0].Value == "names_refused" {
				return s.Count
			}
		}
	}
	return -1
}

func TestInstrumentsAreFamilies(t *testing.T) {
	st := stats.New()
	st.Counter("mutate_requests", stats.Label{Key: "status_code", Value: "403"}, stats.Label{Key: "allowed", Value: "False"}).Add(4)
	st.Counter("mutate_requests", stats.Label{Key: "status_code", Value: "202"}, stats.Label{Key: "allowed", Value: "True"}).Add(5)
	st.Counter("Pages.Parsed").Add(1)
	st.Counter("seen_total").Add(2)
	st.Gauge("queue-length", stats.Label{Key: "le", Value: ""}).Set(3)
	st.Timer("parse").Observe(1)
	st.Timer("wait_seconds").Observe(1)
	st.Unique("urls", stats.Label{Key: "crawler", Value: "x"}).Add("a")
	got := New(st, Config{}).Read()
	want := map[string]int64{
		`mutate_requests_total allowed"False" status_code"403"`: 4,
		`mutate_requests_total allowed"True" status_code"202"`:  5,
		`pages_parsed_total`:           1,
		`seen_total`:                   2,
		`queue_length label_le"none"`:  3,
		`parse_seconds`:                1,
		`wait_seconds`:                 1,
		`urls_unique label_crawler"x"`: 1,
	}
	if d := cmp.Diff(want, shown(got)); d != "" {
		t.Error(d)
	}
	if n := refused(got); n != 0 {
		t.Errorf("%d names refused", n)
	}
}

func TestInstrumentsThatAreRefused(t *testing.T) {
	for _, create := range []func(st *stats.Statistics){
		func(st *stats.Statistics) { st.Counter("crawler_requests_started") },
		func(st *stats.Statistics) { st.Counter("process_cpu_seconds") },
		func(st *stats.Statistics) { st.Gauge("go_goroutines") },
		func(st *stats.Statistics) { st.Gauge("up") },
		func(st *stats.Statistics) { st.Gauge("ALERTS") },
		func(st *stats.Statistics) { st.Counter("http_request") },
		func(st *stats.Statistics) { st.Counter("promhttp.metric.handler.errors") },
		func(st *stats.Statistics) { st.Gauge("parse_seconds_count") },
		func(st *stats.Statistics) { st.Gauge("a_bucket") },
		func(st *stats.Statistics) { st.Gauge("a_total") },
		func(st *stats.Statistics) { st.Counter("a_created") },
		func(st *stats.Statistics) { st.Counter("→") },
		func(st *stats.Statistics) {
			st.Counter("a", stats.Label{Key: "k!", Value: "1"}, stats.Label{Key: "k?", Value: "2"})
		},
	} {
		st := stats.New()
		create(st)
		r := New(st, Config{})
		for range 2 { // counted once, however often it is met
			if got := r.Read(); len(shown(got)) != 0 || refused(got) != 1 {
				t.Errorf("%v: shown %v, refused %d", st.Snapshot(), shown(got), refused(got))
			}
		}
	}
}

// What came first keeps its name, also against one that sorts before it.
func TestNamesDoNotChangeHands(t *testing.T) {
	st := stats.New()
	r := New(st, Config{})
	st.Counter("pages.parsed").Add(100)
	st.Gauge("depth").Set(7)
	st.Gauge("d", stats.Label{Key: "k.", Value: "v"}).Set(1)
	want := map[string]int64{"pages_parsed_total": 100, "depth": 7, `d k_"v"`: 1}
	if d := cmp.Diff(want, shown(r.Read())); d != "" {
		t.Fatal(d)
	}
	st.Counter("pages-parsed").Add(1)
	st.Counter("depth").Add(1) // depth_total is depth to OpenMetrics
	st.Timer("pages_parsed.")  // another family
	st.Gauge("d", stats.Label{Key: "k!", Value: "v"}).Set(2)
	want["pages_parsed__seconds"] = 0
	got := r.Read()
	if d := cmp.Diff(want, shown(got)); d != "" {
		t.Error(d)
	}
	if n := refused(got); n != 3 {
		t.Errorf("%d names refused, want 3", n)
	}
	if err := st.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := refused(r.Read()); n != 3 {
		t.Errorf("%d names refused after Reset, want 3", n)
	}
}

// Whatever the text, names and values are such that Prometheus can hold them.
func FuzzNames(f *testing.F) {
	f.Add("a\n# TYPE x counter\nx 1", `le="`, "\x00\xff"+strings.Repeat("é", 5000))
	f.Add("__name__", "quantile", "")
	f.Add(`a{b="c"}`, "__name__", `"`)
	f.Fuzz(func(t *testing.T, name, key, value string) {
		st := stats.New()
		st.Counter(name, stats.Label{Key: key, Value: value}).Inc()
		st.Gauge(name, stats.Label{Key: value, Value: key}).Set(1)
		st.Timer(value, stats.Label{Key: key, Value: name}).Observe(1)
		st.Observe(stats.Outcome{Request: stats.Request{Host: value}})
		for _, family := range New(st, Config{Crawler: name, Member: value, Hosts: 5}).Read().Families {
			if !validName(family.Name) {
				t.Errorf("family %q", family.Name)
			}
			for _, s := range family.Samples {
				seen := map[string]bool{}
				for _, l := range s.Labels {
					if !validName(l.Key) || catalogue.ReservedLabel(l.Key) || seen[l.Key] {
						t.Errorf("%s: label %q", family.Name, l.Key)
					}
					if seen[l.Key] = true; !utf8.ValidString(l.Value) || len(l.Value) > 200 || l.Value == "" {
						t.Errorf("%s: value %q", family.Name, l.Value)
					}
				}
			}
		}
	})
}

func validName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && (s[0] < '0' || s[0] > '9')
}
