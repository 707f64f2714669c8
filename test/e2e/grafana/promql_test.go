package grafana

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/promcollect"
)

// scraped is what Prometheus has after a scrape: the labels of the series of each
// name, and the names of the families.
type scraped struct {
	series   map[string][]map[string]string
	families []string
}

// scrape reads the page of a run, as the job crawler.
func scrape(t *testing.T) scraped {
	t.Helper()
	cfg := promcollect.Config{Hosts: 5, Registry: prometheus.NewRegistry()}
	page := promcollect.Handler(run(t), cfg)
	own := promcollect.Instrument(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), cfg)
	own.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/mutate", nil))
	page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)) // is on the next one
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))

	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	s := scraped{series: map[string][]map[string]string{}}
	for name, f := range families {
		s.families = append(s.families, name)
		for _, m := range f.Metric {
			own := map[string]string{"job": "crawler", "instance": "127.0.0.1:9464"}
			for _, l := range m.Label {
				own[l.GetName()] = l.GetValue()
			}
			s.series[name] = append(s.series[name], own)
			if m.Histogram == nil {
				continue
			}
			bucket := maps.Clone(own)
			bucket["le"] = "+Inf"
			s.series[name+"_bucket"] = append(s.series[name+"_bucket"], bucket)
		}
	}
	return s
}

// variables of the dashboards, as Grafana fills them when all is chosen.
var variables = strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h", "$job", "crawler", "$crawl", ".*", "$member", ".*", "$host", ".*")

var labelValues = regexp.MustCompile(`^label_values\((.*), ([a-z_]+)\)$`)

func TestEveryExpressionSelectsWhatIsExported(t *testing.T) {
	s := scrape(t)
	used := map[string]bool{}
	check := func(where, expr, legend string) {
		t.Helper()
		filled := variables.Replace(expr)
		tree, err := parser.NewParser(parser.Options{}).ParseExpr(filled)
		if err != nil {
			t.Errorf("%s: %s: %v", where, filled, err)
			return
		}
		s.walk(t, where, tree, legend, used)
	}
	d, panels := readDashboard(t, "crawl-prometheus.json"), 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr, target.LegendFormat)
			panels++
		}
	}
	for _, a := range d.Annotations.List {
		check("annotation", a.Expr, a.TextFormat)
	}
	for _, r := range readRules(t) {
		check(r.Alert, r.Expr, "")
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := labelValues.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Errorf("variable %s asks for %s", v.Name, v.Definition)
			continue
		}
		check("variable "+v.Name, "count by ("+m[2]+") ("+m[1]+")", "")
	}
	if panels < 40 {
		t.Errorf("%d expressions on panels", panels)
	}

	own := []string{"items_total", "parse_seconds", "urls_unique"}
	for _, name := range s.families {
		id, listed := catalogue.FindProm(name)
		if listed && id == catalogue.GoGCCycles {
			name = "go_gc_cycles_total_gc_cycles_total" // of the three, the sum of the others
		}
		exempt := slices.Contains(own, name) || listed && slices.Contains([]catalogue.ID{
			catalogue.GoInfo, catalogue.GoOther, catalogue.ProcessOther, catalogue.ScrapeOther,
		}, id)
		if shown := used[name] || used[name+"_bucket"]; shown == exempt {
			t.Errorf("%s is shown: %v, exempt: %v", name, shown, exempt)
		}
	}
}

var inLegend = regexp.MustCompile(`{{([a-z_]+)}}`)

// walk checks that each selector finds series, and that labels that are grouped
// or joined by, or stand in the legend, are on them.
func (s scraped) walk(t *testing.T, where string, tree parser.Expr, legend string, used map[string]bool) {
	t.Helper()
	made := map[string]bool{} // labels of the expression itself
	found := map[string]bool{}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.Call:
			if n.Func.Name == "label_replace" {
				made[n.Args[1].(*parser.StringLiteral).Val] = true
			}
		case *parser.VectorSelector:
			used[n.Name] = true
			hits := 0
			for _, series := range s.series[n.Name] {
				for _, m := range n.LabelMatchers {
					if _, there := series[m.Name]; m.Name != model.MetricNameLabel && !there && m.Value != ".*" {
						t.Errorf("%s: %s has no label %s", where, n.Name, m.Name)
					}
				}
				if !slices.ContainsFunc(n.LabelMatchers, func(m *labels.Matcher) bool {
					return m.Name != model.MetricNameLabel && !m.Matches(series[m.Name])
				}) {
					hits++
				}
				for l := range series {
					found[l] = true
				}
			}
			if hits == 0 {
				t.Errorf("%s: %s selects nothing that is exported", where, n)
			}
		}
		return nil
	})
	needs := func(names []string) {
		for _, l := range names {
			if !found[l] && !made[l] {
				t.Errorf("%s: nothing in %s has the label %s", where, tree, l)
			}
		}
	}
	for _, m := range inLegend.FindAllStringSubmatch(legend, -1) {
		needs(m[1:])
	}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			needs(n.Grouping)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				needs(n.VectorMatching.MatchingLabels)
			}
		}
		return nil
	})
}
