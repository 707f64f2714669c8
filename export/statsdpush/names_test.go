package statsdpush_test

import (
	"strings"
	"testing"

	"github.com/cactus/go-statsd-client/v5/statsd"
	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/internal/adapter"
	"github.com/crawlstats/crawlstats/stats"
)

type statsdTag = statsd.Tag

// The line of bjoern's documentation, byte for byte.
func TestTheLineOfBjoern(t *testing.T) {
	for tags, want := range map[string]string{
		"app:my-app-name,zone:central-europe": "bjoern.conn.accept.success:1|c|#app:my-app-name,zone:central-europe",
		"":                                    "bjoern.conn.accept.success:1|c",
	} {
		srv := serve(t, "udp")
		st := stats.New()
		p := push(t, st, statsdpush.Config{Address: srv.address, Prefix: "bjoern", OmitID: true, Tags: must(statsdpush.ParseTags(tags)), Interval: never})
		st.ReservedCounter(adapter.Key{}, "http.conn.accept.success").Inc()
		closed(t, p)
		if got := srv.got().with("accept.success:1"); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestThePrefixIsExact(t *testing.T) {
	for _, c := range []struct {
		cfg  statsdpush.Config
		want string
	}{
		{statsdpush.Config{}, "crawler.shop"},
		{statsdpush.Config{OmitID: true}, "crawler"},
		{statsdpush.Config{Prefix: "source_a.source-b.C3"}, "source_a.source-b.C3.shop"},
		{statsdpush.Config{Prefix: "a.b", OmitID: true}, "a.b"},
		{statsdpush.Config{Prefix: "a", Crawler: "b.c:8080|x"}, "a.b_c_8080_x"},
		{statsdpush.Config{Prefix: ".a..b\nc:1|c."}, "a._.b_c_1_c.shop"},
		{statsdpush.Config{Prefix: "..."}, "crawler.shop"},
	} {
		srv := serve(t, "udp")
		c.cfg.Address = srv.address
		closed(t, push(t, named{}, c.cfg))
		if got := srv.got(); len(got.with(c.want+".requests.started:0|c")) != 1 {
			t.Errorf("%+v: no line of %s", c.cfg, c.want)
		}
	}
}

type named struct{ frozen }

func (named) ID() string { return "shop" }

func TestParseTags(t *testing.T) {
	for s, want := range map[string][]statsd.Tag{
		"":                       nil,
		" ":                      nil,
		"app:my-app,zone:eu":     {{"app", "my-app"}, {"zone", "eu"}},
		" app:my-app , zone:eu ": {{"app", "my-app"}, {"zone", "eu"}},
		"url:http://x:80":        {{"url", "http://x:80"}},
		"Team-1:ä":               {{"Team-1", "ä"}},
	} {
		got, err := statsdpush.ParseTags(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
	for s, want := range map[string]string{
		"app":                           "key:value",
		"a:b,":                          "key:value",
		":v":                            `key ""`,
		"a:":                            "no value",
		"1a:v":                          `key "1a"`,
		"a b:v":                         `key "a b"`,
		"le:1":                          "choose another",
		"Quantile:1":                    "choose another",
		"__name__:x":                    "choose another",
		"a:x|c":                         "value",
		"a:x\ny":                        "value",
		"a:#":                           "value",
		"a:x y":                         "value",
		"a:\xff":                        "value",
		"a:1,a:2":                       "twice",
		"a-b:1,a_b:2":                   "twice",
		"a:" + strings.Repeat("x", 201): "value",
	} {
		if got, err := statsdpush.ParseTags(s); err == nil || got != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
}

func TestLabels(t *testing.T) {
	tags := []statsd.Tag{{"app", "x"}}
	for _, c := range []struct {
		name string
		cfg  statsdpush.Config
		want string
	}{
		{"folded", statsdpush.Config{}, "crawler.custom.mutate.allowed.true.host.a_b.le.1.status.200:1|c"},
		{"dogstatsd", statsdpush.Config{TagFormat: statsd.SuffixOctothorpe}, "crawler.custom.mutate:1|c|#allowed:true,label_host:a.b,label_le:1,status:200"},
		{"with tags", statsdpush.Config{Tags: tags}, "crawler.custom.mutate:1|c|#app:x,allowed:true,label_host:a.b,label_le:1,status:200"},
		{"influx", statsdpush.Config{Tags: tags, TagFormat: statsd.InfixComma}, "crawler.custom.mutate,app=x,allowed=true,label_host=a.b,label_le=1,status=200:1|c"},
		{"graphite", statsdpush.Config{Tags: tags, TagFormat: statsd.InfixSemicolon}, "crawler.custom.mutate;app=x;allowed=true;label_host=a.b;label_le=1;status=200:1|c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := serve(t, "udp")
			st := stats.New()
			st.Counter("mutate", stats.Label{Key: "status", Value: "200"}, stats.Label{Key: "allowed", Value: "true"},
				stats.Label{Key: "le", Value: "1"}, stats.Label{Key: "host", Value: "a.b"}).Inc()
			c.cfg.Address = srv.address
			closed(t, push(t, st, c.cfg))
			got := srv.got()
			got.values(t)
			if got = got.with("custom"); len(got) != 1 || got[0] != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNamesThatMeetAreKeptApart(t *testing.T) {
	srv := serve(t, "udp")
	st := stats.New()
	st.Counter("a.b").Add(1)
	st.Counter("a_b").Add(2)
	st.Counter("a:b").Add(4)
	st.Gauge("a.b").Set(8)
	st.Timer("a").Observe(1)
	st.Counter("a.count").Add(16)
	st.Counter("x", stats.Label{Key: "k", Value: "v"}).Add(32)
	st.Counter("x.k.v").Add(64)
	st.Gauge("t").Set(1)
	st.Timer("t").Observe(1)
	st.Unique("u").Add("v")
	st.Gauge("u.unique").Set(1)
	st.Counter("c").Add(128)
	st.Counter("c.count").Add(256) // both are counters: that is fine
	closed(t, push(t, st, statsdpush.Config{Address: srv.address}))

	got := srv.got().with(".custom.")
	if len(got.with(".custom.c:128|c"))+len(got.with(".custom.c.count:256|c")) != 2 {
		t.Error("counters were renamed without need")
	}
	lines := map[string]string{} // by what statsd_exporter makes of the name
	for _, line := range got {
		name, rest, _ := strings.Cut(line, ":")
		full := name + rest[strings.Index(rest, "|"):]
		folded := strings.NewReplacer(".", "_", "-", "_").Replace(name)
		if o := lines[folded]; o != "" && o != full {
			t.Errorf("%s and %s meet in %s", o, full, folded)
		}
		lines[folded] = full
	}
	for folded, full := range lines {
		for _, suffix := range []string{"_count", "_sum", "_bucket"} {
			if base := lines[strings.TrimSuffix(folded, suffix)]; base != full && strings.HasSuffix(base, "|g") {
				t.Errorf("statsd_exporter refuses %s beside %s", full, base)
			}
		}
	}
	counters, _ := got.values(t)
	var sum int64
	for name, n := range counters {
		if !strings.Contains(name, ".sum_ms") {
			sum += n
		}
	}
	if want := int64(1 + 2 + 4 + 16 + 32 + 64 + 128 + 256 + 2); sum != want {
		t.Errorf("the counters add up to %d, want %d", sum, want)
	}
}

// What strangers and careless callers may put where a name is made of it.
var hostile = []string{
	"\nconstructor:1|ms", "x\nvalueOf:1|s", "a\r\nb:1|c", "injected:999|c", "host:8080", "a|b", "a|#b:c", "a,b", "a@0.1", "a#b",
	"a b", "a/b", "u@h", "", ".", "..", "...a", "a..b", "\x00", "a\x00b", "\xff\xfe", "a\u202eb", "ü", "日本", "😀", "a;b=c", "a=b",
	"__name__", "le", "quantile", "go_goroutines", "statsd_exporter_lines_total", "statsd.bad_lines_seen", "constructor", "__proto__",
	"{}", `{a="b"}`, `a{b="c"}`, "_e{1,1}:a|b", "_sc|a|0", `\`, `"`, "custom.other", strings.Repeat("x", 10_000), strings.Repeat("a.", 5000),
}

func TestHostileTextIsHarmless(t *testing.T) {
	for name, cfg := range map[string]statsdpush.Config{
		"plain":    {},
		"octo":     {TagFormat: statsd.SuffixOctothorpe},
		"comma":    {TagFormat: statsd.InfixComma},
		"graphite": {TagFormat: statsd.InfixSemicolon},
		"events":   {Timings: statsdpush.TimingEvents, Sets: true},
		"packed":   {Timings: statsdpush.TimingEvents, Sets: true, Profile: statsdpush.Datadog, TagFormat: statsd.SuffixOctothorpe},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, "tcp")
			st := stats.New()
			cfg.Network, cfg.Address, cfg.Prefix, cfg.Crawler, cfg.Interval = "tcp", srv.address, hostile[0], hostile[1], never
			cfg.Jobs = hostile[2]
			p := push(t, st, cfg)
			for _, h := range hostile {
				record(st, h)
			}
			closed(t, p)
			got := srv.got()
			got.values(t) // which checks the grammar
			for _, line := range got {
				if !strings.HasPrefix(line, "_constructor_1_ms.x_valueOf_1_s.") {
					t.Errorf("a line outside of the prefix: %q", line)
				}
			}
			if h := p.Health(); h.Dropped != 0 {
				t.Errorf("%d lines had to be dropped", h.Dropped)
			}
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
	j.Fail(stats.WithKind(stats.ErrorKind(text), errText(text)))
}

type errText string

func (e errText) Error() string { return string(e) }
