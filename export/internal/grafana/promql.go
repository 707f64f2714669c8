package grafana

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// selector selects series of one family.
type selector struct {
	id       catalogue.ID
	name     string
	matchers []string
}

// family selects all series of a row of the catalogue.
func family(id catalogue.ID) selector {
	name := id.Metric().Prom.Name
	if name == "" || strings.Contains(name, "<") {
		panic(fmt.Sprintf("grafana: row %d of the catalogue, %s, has no family of its own", id, id.Metric().Help))
	}
	return selector{id: id, name: name}
}

// crawl selects the series of the chosen crawls.
func crawl(id catalogue.ID) selector {
	return family(id).with(`job=~"$job"`, `crawler=~"$crawl"`, `member=~"$member"`)
}

// process selects the series of the processes of the chosen jobs: what is not of
// the crawl itself does not carry its labels.
func process(id catalogue.ID) selector { return family(id).with(`job=~"$job"`) }

func (s selector) with(matchers ...string) selector {
	s.matchers = slices.Concat(s.matchers, matchers)
	return s
}

// buckets selects the classic buckets of a histogram.
func (s selector) buckets() selector {
	if got := s.id.Metric().Prom.Type; got != catalogue.Histogram {
		panic(fmt.Sprintf("grafana: %s is a %s and has no buckets", s.name, got))
	}
	s.name += "_bucket"
	return s
}

// where selects the series whose label is one of values, all of which have to be
// in the catalogue where their set is closed.
func (s selector) where(label string, values ...string) selector {
	if !slices.Contains(s.id.Metric().Prom.Labels, label) {
		panic(fmt.Sprintf("grafana: %s has no label %s", s.name, label))
	}
	known := s.id.Values(label)
	for _, v := range values {
		if known != nil && !slices.Contains(known, v) {
			panic(fmt.Sprintf("grafana: %s{%s} is never %s", s.name, label, v))
		}
	}
	if len(values) == 1 {
		return s.with(label + "=" + strconv.Quote(values[0]))
	}
	return s.with(label + "=~" + strconv.Quote(strings.Join(values, "|")))
}

func (s selector) String() string {
	if len(s.matchers) == 0 {
		return s.name
	}
	return s.name + "{" + strings.Join(s.matchers, ",") + "}"
}

// rate is by second, over a range that Grafana fits to the picture.
func rate(s selector) string { return "rate(" + s.String() + "[$__rate_interval])" }

// increase is over the time that is looked at.
func increase(s selector) string { return "increase(" + s.String() + "[$__range])" }

func sum(expr string) string { return "sum(" + expr + ")" }

func by(labels, expr string) string { return "sum by (" + labels + ") (" + expr + ")" }

// quantile of the durations in the buckets of a histogram.
func quantile(q float64, s selector, labels ...string) string {
	le := strings.Join(append([]string{"le"}, labels...), ", ")
	return fmt.Sprintf("histogram_quantile(%v, %s)", q, by(le, rate(s.buckets())))
}

// share is the part that is of all, and nothing while there is nothing.
func share(part, all string) string { return part + " / (" + all + " > 0)" }

func top(n int, expr string) string { return fmt.Sprintf("topk(%d, %s)", n, expr) }

// query is a target of Prometheus over time.
func query(expr, legend string) target {
	return target{Expr: expr, LegendFormat: legend, Range: true}
}

// now is a target of Prometheus at the end of the time that is looked at.
func now(expr, legend string) target {
	return target{Expr: expr, LegendFormat: legend, Instant: true}
}

// rows is now for tables.
func rows(expr string) []target { return []target{{Expr: expr, Instant: true, Format: "table"}} }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// filled is the name of a family that varies, with one of its values.
func filled(id catalogue.ID, part, value string) string {
	name := strings.Replace(id.Metric().Prom.Name, "<"+part+">", value, 1)
	if found, ok := catalogue.FindProm(name); !ok || found != id {
		panic(fmt.Sprintf("grafana: %s is no family of the catalogue", name))
	}
	return name
}
