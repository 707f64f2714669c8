package catalogue_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

func TestThePageIsUpToDate(t *testing.T) {
	const path = "../../docs/METRICS.md"
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := catalogue.WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("%s is out of date, run go generate ./export/catalogue:\n%s", path, diff)
	}
}

var (
	statsdName = regexp.MustCompile(`^(<[a-z]+>|[a-z_]+)(\.(<[a-z]+>|[a-z_]+))*$`)
	promName   = regexp.MustCompile(`^(<name>|[a-z])[a-z_]*(<[a-z]+>[a-z_]*)?$`)
)

func TestRows(t *testing.T) {
	for id, m := range catalogue.All() {
		if m.Help == "" || strings.HasSuffix(m.Help, ".") || m.Field == "" || m.Scope == "" {
			t.Errorf("row %d is incomplete: %+v", id, m)
		}
		if m.Statsd.Name == "" && m.Prom.Name == "" {
			t.Errorf("%s is exported nowhere", m.Help)
		}
		parts := map[string]bool{}
		for _, p := range m.Parts {
			parts[p.Name] = true
		}
		if s := m.Statsd; s.Name != "" {
			if !statsdName.MatchString(s.Name) || s.Type == "" || s.Type == catalogue.Histogram {
				t.Errorf("%+v is no metric of statsd", s)
			}
			checkPlaceholder(t, s.Name, parts)
		}
		if p := m.Prom; p.Name != "" {
			if !promName.MatchString(p.Name) {
				t.Errorf("%q is no family", p.Name)
			}
			if p.Type != "" && (p.Type == catalogue.Counter) != strings.HasSuffix(p.Name, "_total") {
				t.Errorf("%s: _total is for counters, and counters end in it", p.Name)
			}
			if p.Unit != "" && !strings.Contains(p.Name, p.Unit) {
				t.Errorf("%s does not name its unit, %s", p.Name, p.Unit)
			}
			checkPlaceholder(t, p.Name, parts)
			for _, l := range p.Labels {
				if !parts[l] {
					t.Errorf("%s: label %s is no part", p.Name, l)
				}
			}
			if (p.Buckets != nil) != (p.Type == catalogue.Histogram) {
				t.Errorf("%s: buckets belong to histograms", p.Name)
			}
		}
	}
}

func checkPlaceholder(t *testing.T, name string, parts map[string]bool) {
	t.Helper()
	if strings.Count(name, "<") > 1 {
		t.Errorf("%s has more than one placeholder", name)
	}
	if _, rest, ok := strings.Cut(name, "<"); ok {
		if part, _, _ := strings.Cut(rest, ">"); !parts[part] {
			t.Errorf("%s: %s is no part", name, part)
		}
	}
}

// OpenMetrics takes families for equal once these suffixes are stripped.
func TestFamiliesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, m := range catalogue.All() {
		base := m.Prom.Name
		for _, suffix := range []string{"_total", "_created", "_info"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if base == "" || strings.Contains(base, "<") {
			continue
		}
		if other := seen[base]; other != "" {
			t.Errorf("%s and %s are one family", other, m.Prom.Name)
		}
		seen[base] = m.Prom.Name
	}
}

func TestEveryNameIsFoundAgain(t *testing.T) {
	for i, m := range catalogue.All() {
		id := catalogue.ID(i)
		values := []string{"x"}
		if len(m.Parts) > 0 && m.Parts[0].Values != nil {
			values = m.Parts[0].Values
		}
		for _, v := range values {
			if m.Statsd.Name != "" {
				name := id.StatsdName(v)
				if got, ok := catalogue.FindStatsd(name); !ok || got.Metric().Statsd.Name != m.Statsd.Name && !strings.HasPrefix(name, "custom.") {
					t.Errorf("%s is found as %v, %v", name, got, ok)
				}
			}
			if m.Prom.Name != "" && !strings.HasPrefix(m.Prom.Name, "<") {
				name := strings.NewReplacer("<cause>", v, "<what>", v).Replace(m.Prom.Name)
				if got, ok := catalogue.FindProm(name); !ok || got != id {
					t.Errorf("%s is found as %v, %v", name, got, ok)
				}
			}
		}
	}
	for _, name := range []string{"", "x", "requests", "errors.", "errors.x", "requests.working.ok.p42", "requests.working", "responses.class.200"} {
		if id, ok := catalogue.FindStatsd(name); ok {
			t.Errorf("%q is found as %v", name, id.Metric().Statsd.Name)
		}
	}
	for _, name := range []string{"", "crawler_x", "items_total"} {
		if id, ok := catalogue.FindProm(name); ok {
			t.Errorf("%q is found as %v", name, id.Metric().Prom.Name)
		}
	}
}

func TestParseInstrument(t *testing.T) {
	for key, want := range map[string]catalogue.Instrument{
		"items":                {Name: "items"},
		`items{k="v"}`:         {Name: "items", Labels: []catalogue.Label{{"k", "v"}}},
		`a.b{k="v",l="w x,y"}`: {Name: "a.b", Labels: []catalogue.Label{{"k", "v"}, {"l", "w x,y"}}},
		`a{k="\"\\n"}`:         {Name: "a", Labels: []catalogue.Label{{"k", `"\n`}}},
		`a{k="}"}`:             {Name: "a", Labels: []catalogue.Label{{"k", "}"}}},
		`a{k=="v"}`:            {Name: "a", Labels: []catalogue.Label{{"k=", "v"}}},
		`a{k="ä"}`:             {Name: "a", Labels: []catalogue.Label{{"k", "ä"}}},
		`a{`:                   {Name: `a{`},
		`a{k="v"`:              {Name: `a{k="v"`},
		`a{k="v}`:              {Name: `a{k="v}`},
		`a{k="v"x`:             {Name: `a{k="v"x`},
		`a{k="v",}`:            {Name: `a{k="v",}`},
		`a{k=v}`:               {Name: `a{k=v}`},
		"":                     {},
	} {
		if diff := cmp.Diff(want, catalogue.ParseInstrument(key)); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestAdapter(t *testing.T) {
	for name, want := range map[string]string{
		"http.conn.accept.success": "conn.accept.success",
		"wire.bytes.wire":          "bytes.wire",
		"wire.bytes.content":       "bytes.content",
		"wire.phase.ttfb":          "phase.ttfb",
		"wire.redirects":           "redirects",
		"wire.error.timeout":       "wire.errors.timeout",
	} {
		id, part, ok := catalogue.Adapter(name)
		if got := id.StatsdName(part); !ok || got != want {
			t.Errorf("%s: got %s, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "http.", "http.x", "wire.x", "wire.phase.x", "wire.error.", "wire.redirects.x", "wire.bytes.wires", "items", "bytes.wire"} {
		if id, _, ok := catalogue.Adapter(name); ok {
			t.Errorf("%s is %s", name, id.Metric().Statsd.Name)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ab.", 100)
	for _, c := range []struct {
		rule     func(string) string
		in, want string
	}{
		{catalogue.Segment, "a-B_9", "a-B_9"},
		{catalogue.Segment, "a.b:c|d@e#f\n", "a_b_c_d_e_f_"},
		{catalogue.Segment, "ü\xff", "__"},
		{catalogue.Segment, "", "_"},
		{catalogue.Path, "a.b-C.d", "a.b-C.d"},
		{catalogue.Path, "..a..b.", "a._.b"},
		{catalogue.Path, "...", ""},
		{catalogue.Path, long, strings.Repeat("ab.", 63) + "ab_" + catalogue.Hash(long)},
		{catalogue.PromName, "pages.Fetched-ok", "pages_fetched_ok"},
		{catalogue.PromName, "9lives", "_9lives"},
		{catalogue.PromName, "", "_"},
		{catalogue.PromName, "a\nb", "a_b"},
		{catalogue.PromLabel, "le", "label_le"},
		{catalogue.PromLabel, "quantile", "label_quantile"},
		{catalogue.PromLabel, "__name__", "label_name__"},
		{catalogue.PromLabel, "Status Code", "status_code"},
		{catalogue.LabelValue, "a b\nc", "a b\nc"},
		{catalogue.LabelValue, "a\xffb", "a\uFFFDb"},
	} {
		if got := c.rule(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("a\nb:1|c")
	f.Add(strings.Repeat("ä.", 200))
	f.Add(strings.Repeat("a", 29) + strings.Repeat("."+strings.Repeat("b", 80), 3)) // is cut behind a whole segment
	segment := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	path := regexp.MustCompile(`^([A-Za-z0-9_-]{1,80}(\.[A-Za-z0-9_-]{1,80})*)?$`)
	prom := regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := catalogue.Segment(s); !segment.MatchString(got) {
			t.Errorf("Segment(%q) = %q", s, got)
		}
		if got := catalogue.Path(s); !path.MatchString(got) || len(got) > 200 {
			t.Errorf("Path(%q) = %q", s, got)
		}
		if got := catalogue.PromName(s); !prom.MatchString(got) || len(got) > 200 {
			t.Errorf("PromName(%q) = %q", s, got)
		}
		if got := catalogue.PromLabel(s); !prom.MatchString(got) || len(got) > 64 || catalogue.ReservedLabel(got) {
			t.Errorf("PromLabel(%q) = %q", s, got)
		}
		if got := catalogue.LabelValue(s); !utf8.ValidString(got) || len(got) > 200 {
			t.Errorf("LabelValue(%q) = %q", s, got)
		}
	})
}

func ExampleID_StatsdName() {
	fmt.Println(catalogue.Errors.StatsdName("timeout"))
	fmt.Println(catalogue.Errors.Metric().Prom.Name)
	// Output:
	// errors.timeout
	// crawler_errors_total
}

func ExampleFindStatsd() {
	id, ok := catalogue.FindStatsd("requests.working.ok.p95")
	fmt.Println(ok, id.Metric().Statsd.Name)
	// Output: true requests.working.<outcome>
}

func ExampleParseInstrument() {
	i := catalogue.ParseInstrument(`mutate_requests{allowed="true",status_code="202"}`)
	fmt.Println(i.Name, i.Labels)
	// Output: mutate_requests [{allowed true} {status_code 202}]
}
