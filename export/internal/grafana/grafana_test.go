package grafana_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/grafana"
)

const folder = "../../../docs/grafana"

func TestTheFilesAreUpToDate(t *testing.T) {
	files, err := grafana.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date, run go generate ./export/internal/grafana:\n%s", name, diff)
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if files[f.Name()] == nil {
			t.Errorf("nothing writes %s any more", f.Name())
		}
	}
}

type dashboard struct {
	ID            *int
	UID           string
	SchemaVersion int
	GraphTooltip  int
	Templating    struct{ List []variable }
	Annotations   struct {
		List []struct {
			Datasource source
			Expr       string
		}
	}
	Panels []panel
}

type variable struct {
	Name, Type string
	AllValue   string
	Datasource *source
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ H, W, X, Y int }
	Datasource               *source
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		RefID        string
		Datasource   source
		Expr, Target string
	}
}

func read(t *testing.T, name string) (d dashboard, text string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		t.Fatal(err)
	}
	if string(top["id"]) != "null" {
		t.Errorf("%s: id is %s, want null", name, top["id"])
	}
	if _, asks := top["__inputs"]; asks {
		t.Errorf("%s has __inputs: it could not be provisioned", name)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(raw)
}

func TestDashboards(t *testing.T) {
	for name, want := range map[string]struct {
		uid, kind string
		variables []string
	}{
		"crawl-prometheus.json": {"crawlstats-prometheus", "prometheus", []string{"datasource", "job", "crawl", "member", "host"}},
		"crawl-graphite.json":   {"crawlstats-graphite", "graphite", []string{"datasource", "prefix", "crawl"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := read(t, name)
			if d.UID != want.uid || d.SchemaVersion != 39 || d.GraphTooltip != 1 {
				t.Errorf("uid %s, schema %d, tooltip %d", d.UID, d.SchemaVersion, d.GraphTooltip)
			}
			chosen := source{want.kind, "${datasource}"}
			var names []string
			for _, v := range d.Templating.List {
				names = append(names, v.Name)
				if v.Type == "query" && (v.Datasource == nil || *v.Datasource != chosen) {
					t.Errorf("variable %s: data source %v", v.Name, v.Datasource)
				}
			}
			if !slices.Equal(names, want.variables) || d.Templating.List[0].Type != "datasource" {
				t.Errorf("variables %v, want %v", names, want.variables)
			}
			for _, a := range d.Annotations.List {
				if a.Datasource != chosen {
					t.Errorf("annotation of %v", a.Datasource)
				}
			}
			ids, titles := map[int]bool{}, map[string]bool{}
			for i, p := range d.Panels {
				if ids[p.ID] || titles[p.Title] || p.Title == "" {
					t.Errorf("panel %d, %q: its id or its title is not the only one", p.ID, p.Title)
				}
				ids[p.ID], titles[p.Title] = true, true
				checkGrid(t, d.Panels[:i], p)
				if p.Type == "row" {
					continue
				}
				if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
					t.Errorf("%s: description, unit or targets are missing", p.Title)
				}
				if p.Datasource == nil || *p.Datasource != chosen {
					t.Errorf("%s: data source %v", p.Title, p.Datasource)
				}
				refs := map[string]bool{}
				for _, target := range p.Targets {
					if refs[target.RefID] || target.RefID == "" || target.Datasource != chosen || target.Expr+target.Target == "" {
						t.Errorf("%s: target %+v", p.Title, target)
					}
					refs[target.RefID] = true
				}
			}
		})
	}
}

func checkGrid(t *testing.T, others []panel, p panel) {
	t.Helper()
	g := p.GridPos
	if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
		t.Errorf("%s does not fit the grid: %+v", p.Title, g)
	}
	for _, q := range others {
		o := q.GridPos
		if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
			t.Errorf("%s lies on %s", p.Title, q.Title)
		}
	}
}

var (
	ranged = regexp.MustCompile(`\b(?:rate|increase)\([^\[]*\[([^\]]+)\]`)
	family = regexp.MustCompile(`\b(?:crawler|process|go|http)_[a-z_]+`)
)

// Ranges are Grafana's, so that they fit the picture and the scrape interval.
func TestRanges(t *testing.T) {
	d, _ := read(t, "crawl-prometheus.json")
	n := 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for _, m := range ranged.FindAllStringSubmatch(target.Expr, -1) {
				n++
				if m[1] != "$__rate_interval" && m[1] != "$__range" {
					t.Errorf("%s: a range of %s", p.Title, m[1])
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("%d ranges were found", n)
	}
}

// What is on no panel of the dashboard for Prometheus, and why.
var exempt = map[catalogue.ID]string{
	catalogue.CustomCounter: "the crawler's own", catalogue.CustomGauge: "the crawler's own",
	catalogue.CustomTimer: "the crawler's own", catalogue.CustomUnique: "the crawler's own",
	catalogue.GoInfo:  "crawler_build_info tells the version of Go",
	catalogue.GoOther: "of client_golang", catalogue.ProcessOther: "of client_golang", catalogue.ScrapeOther: "of client_golang",
}

func TestEveryFamilyIsShownOrExempt(t *testing.T) {
	d, _ := read(t, "crawl-prometheus.json")
	shown := map[catalogue.ID]bool{}
	show := func(expr string) {
		for _, name := range family.FindAllString(expr, -1) {
			id, ok := catalogue.FindProm(strings.TrimSuffix(name, "_bucket"))
			if !ok {
				t.Errorf("%s is not in the catalogue", name)
			}
			shown[id] = true
		}
	}
	for _, a := range d.Annotations.List {
		show(a.Expr)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			show(target.Expr)
		}
	}
	for i, m := range catalogue.All() {
		id := catalogue.ID(i)
		if m.Prom.Name == "" {
			continue
		}
		if why, listed := exempt[id]; shown[id] == listed {
			t.Errorf("%s is on a panel: %v; exempt: %q", m.Prom.Name, shown[id], why)
		}
	}
}

// What is on no panel of the dashboard for Graphite, and why.
var exemptStatsd = map[catalogue.ID]string{
	catalogue.CustomCounter: "the crawler's own", catalogue.CustomTimer: "the crawler's own",
	catalogue.CustomUnique: "the crawler's own", catalogue.CustomUniqueSet: "the crawler's own",
	catalogue.JobsOK: "the same as requests.finished", catalogue.JobsError: "the same as requests.failed",
	catalogue.JobsTotal: "the same as requests.total", catalogue.JobsWorking: "requests.working, both outcomes",
}

func TestEveryStatsdNameIsShownOrExempt(t *testing.T) {
	_, text := read(t, "crawl-graphite.json")
	path := regexp.MustCompile(`stats\.(?:counters|gauges)\.\$prefix\.\$crawl\.((?:[a-z0-9_*.]|\{[^}]*\})+)`)
	var paths []*regexp.Regexp
	for _, m := range path.FindAllStringSubmatch(text, -1) {
		glob := regexp.QuoteMeta(strings.TrimSuffix(strings.TrimSuffix(m[1], ".rate"), ".count"))
		glob = strings.NewReplacer(`\*`, `[^.]+`, `\{`, `(?:`, `\}`, `)`, `,`, `|`).Replace(glob)
		paths = append(paths, regexp.MustCompile("^"+glob+"$"))
	}
	for i, m := range catalogue.All() {
		if m.Statsd.Name == "" {
			continue
		}
		id, suffix := catalogue.ID(i), ""
		if m.Statsd.Type == catalogue.Timing {
			suffix = ".p95"
		}
		values := []string{"200"}
		if len(m.Parts) > 0 && m.Parts[0].Values != nil {
			values = m.Parts[0].Values
		}
		if id == catalogue.CustomGauge {
			values = []string{"queue.pending"}
		}
		for _, v := range values {
			name := id.StatsdName(v) + suffix
			shown := slices.ContainsFunc(paths, func(p *regexp.Regexp) bool { return p.MatchString(name) })
			if why, listed := exemptStatsd[id]; shown == listed {
				t.Errorf("%s is on a panel: %v; exempt: %q", name, shown, why)
			}
		}
	}
}

func Example() {
	files, err := grafana.Files()
	fmt.Println(len(files), err)
	// Output: 4 <nil>
}
