package grafana

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/view"
)

// mapping gives the lines that fit a family and labels in statsd_exporter.
type mapping struct {
	Match  string // behind the prefix and the crawl
	Type   string // counter, gauge or observer
	Name   string // "": drop them
	Scale  string
	Labels []catalogue.Label
	Bounds string // of the histogram that events make
}

// mappings are those of every row of the catalogue that is sent to statsd; of the
// crawler's own instruments, of the queue alone.
func mappings() (all []mapping) {
	for i, m := range catalogue.All() {
		switch id := catalogue.ID(i); {
		case m.Statsd.Name == "" || strings.HasPrefix(m.Statsd.Name, "custom."):
		case id == catalogue.HTTPEvents:
			all = append(all, eventMappings(m)...)
		case m.Statsd.Type == catalogue.Timing:
			all = append(all, timingMappings(m)...)
		default:
			all = append(all, mapping{
				Match: glob(m.Statsd.Name), Type: string(m.Statsd.Type), Name: exporterName(id), Scale: scale(m.Statsd.Name, m.Prom), Labels: partLabels(m),
			})
		}
	}
	all = append(all, mapping{
		Match: catalogue.CustomGauge.StatsdName(view.PendingGauge), Type: string(catalogue.Gauge), Name: catalogue.PromName(view.PendingGauge),
	})
	// A match that goes on where another ends hides it, unless it comes later.
	slices.SortStableFunc(all, func(a, b mapping) int {
		return cmp.Compare(strings.Count(a.Match, "."), strings.Count(b.Match, "."))
	})
	return all
}

// exporterName is the family of a row: that of promcollect where there is one.
// What another row tells already is dropped.
func exporterName(id catalogue.ID) string {
	if id == catalogue.Resumed {
		return "crawler_resumed_total"
	}
	return id.Metric().Prom.Name
}

// glob lets * stand for the part of a name that varies.
func glob(name string) string {
	if head, rest, ok := strings.Cut(name, "<"); ok {
		_, tail, _ := strings.Cut(rest, ">")
		return head + "*" + tail
	}
	return name
}

// partLabels makes the part of a name that varies a label. $1 is the crawl.
func partLabels(m catalogue.Metric) []catalogue.Label {
	if !strings.Contains(m.Statsd.Name, "<") {
		return nil
	}
	return []catalogue.Label{{Key: m.Parts[0].Name, Value: "$2"}}
}

// milli is what statsd's milliseconds are multiplied by.
const milli = "0.001"

// scale makes seconds of milliseconds.
func scale(name string, p catalogue.Prom) string {
	if strings.HasSuffix(name, "_ms") && p.Unit == "seconds" {
		return milli
	}
	return ""
}

// timingMappings are of both forms that a timing is sent in. Percentiles, count
// and sum, and the histogram that events make have three names: beside a family
// that is no counter, statsd_exporter refuses its _count and _sum to others.
func timingMappings(m catalogue.Metric) []mapping {
	match, labels := glob(m.Statsd.Name), partLabels(m)
	if m.Prom.Name == "" {
		return []mapping{{Match: match, Type: "observer"}, {Match: match + ".*", Type: "counter"}, {Match: match + ".*", Type: "gauge"}}
	}
	all := []mapping{{Match: match, Type: "observer", Name: m.Prom.Name, Labels: labels, Bounds: strings.ReplaceAll(fmt.Sprint(m.Prom.Buckets), " ", ", ")}}
	base := strings.TrimSuffix(m.Prom.Name, "_seconds")
	for _, t := range catalogue.Timings() {
		one := mapping{Match: match + "." + t.Suffix, Type: string(t.Type), Labels: labels}
		switch {
		case t.Suffix == "sum_ms":
			one.Name, one.Scale = base+"_summary_seconds_sum", milli
		case t.Type == catalogue.Counter:
			one.Name = base + "_summary_seconds_" + t.Suffix
		default:
			one.Name, one.Scale = base+"_quantile_seconds", milli
			one.Labels = append(slices.Clone(labels), catalogue.Label{Key: "quantile", Value: quantileOf(t.Suffix)})
		}
		all = append(all, one)
	}
	return all
}

// quantileOf is 0.95 of p95, and 1 of the longest.
func quantileOf(suffix string) string {
	if digits, ok := strings.CutPrefix(suffix, "p"); ok {
		return "0." + strings.TrimRight(digits, "0")
	}
	return "1"
}

// eventMappings are one for each event: the dots in them would make several parts.
func eventMappings(m catalogue.Metric) (all []mapping) {
	for _, event := range m.Parts[0].Values {
		all = append(all, mapping{Match: event, Type: "counter", Name: m.Prom.Name, Labels: []catalogue.Label{{Key: m.Parts[0].Name, Value: event}}})
	}
	return all
}

var mappingFile = template.Must(template.New("mapping").Funcs(template.FuncMap{"quote": quote}).Parse(
	`# Written by go generate ./export/internal/grafana. Do not edit.
#
# A mapping for statsd_exporter (--statsd.mapping-config): what statsdpush sends
# gets the names and labels that promcollect has, so that the dashboard and the
# alert rules fit. Where statsdpush.Config.Prefix is another one, replace it:
#
#   sed "s/match: 'crawler\./match: 'acme.prod.crawler./" statsd-exporter-mapping.yml
#
# Instruments of the crawler's own (custom.…) are not mapped, but for the queue:
# statsd_exporter shows them as crawler_<crawler>_custom_<name>.
defaults:
  observer_type: histogram
mappings:
{{- range .}}
  - match: 'crawler.*.{{.Match}}'
    match_metric_type: {{.Type}}
{{- if .Name}}
    name: '{{.Name}}'
{{- with .Scale}}
    scale: {{.}}
{{- end}}
{{- with .Bounds}}
    histogram_options:
      buckets: {{.}}
{{- end}}
    labels:
      crawler: $1
{{- range .Labels}}
      {{.Key}}: {{quote .Value}}
{{- end}}
{{- else}}
    # another name tells the same
    action: drop
    name: dropped
{{- end}}
{{- end}}
`))

func exporterMapping() []byte { return fill(mappingFile, mappings()) }
