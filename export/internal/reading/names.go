package reading

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// names gives instruments of the crawler's own their families and labels. What
// one got it keeps: a series that changed hands would look like a restart.
type names struct {
	families map[string]instrument // by name as OpenMetrics has it: counters without _total
	series   map[string]instrument // by family and labels
	refused  map[instrument]bool
}

// instrument is a kind and a key of a Snapshot, or a kind and a name.
type instrument struct {
	kind catalogue.ID
	name string
}

func newNames() names {
	return names{
		families: make(map[string]instrument),
		series:   make(map[string]instrument),
		refused:  make(map[instrument]bool),
	}
}

// place returns the metric, the family and the labels of the instrument behind
// key. It reports false, and counts the instrument, when it cannot be shown: its
// name belongs to others or has an end that means something to Prometheus, or an
// earlier instrument has become the same family or the same series.
func (n *names) place(kind catalogue.ID, key string) (id catalogue.ID, family string, labels []catalogue.Label, ok bool) {
	i := catalogue.ParseInstrument(key)
	id = kind
	labels, ok = labelsOf(i.Labels)
	if listed, part, found := catalogue.Adapter(i.Name); found {
		id, family, labels = listed, listed.Metric().Prom.Name, partLabels(listed, part)
		ok = listed.Metric().Prom.Type == kind.Metric().Prom.Type
	} else if ok {
		family, ok = n.family(instrument{kind, i.Name})
	}
	ok = ok && claim(n.series, seriesName(family, labels), instrument{kind, key})
	if !ok {
		n.refused[instrument{kind, key}] = true
	}
	return id, family, labels, ok
}

func (n *names) family(i instrument) (family string, ok bool) {
	pattern := i.kind.Metric().Prom.Name
	_, suffix, _ := strings.Cut(pattern, "<name>")
	name := strings.TrimSuffix(catalogue.PromName(i.name), suffix) // pages_total is not pages_total_total
	family = name + suffix
	base := family
	if i.kind == catalogue.CustomCounter {
		base = name
	}
	if strings.Trim(name, "_") == "" || taken(family) || ambiguous(base) {
		return "", false
	}
	return family, claim(n.families, base, i)
}

// partLabels returns the label of an instrument of the adapters, if it has one.
func partLabels(id catalogue.ID, part string) (labels []catalogue.Label) {
	for _, name := range id.Metric().Prom.Labels {
		labels = append(labels, catalogue.Label{Key: name, Value: part})
	}
	return labels
}

// claim gives name to the first who asks, for ever.
func claim(owners map[string]instrument, name string, who instrument) bool {
	owner, taken := owners[name]
	if !taken {
		owners[name] = who
	}
	return !taken || owner == who
}

// taken reports names that belong to this module, to the collectors beside it on
// a page, or to Prometheus itself.
func taken(family string) bool {
	return family == "up" || slices.ContainsFunc([]string{
		"crawler_", "go_", "process_", "promhttp_", "http_request_", "scrape_", "alerts",
	}, func(prefix string) bool { return strings.HasPrefix(family, prefix) })
}

// ambiguous reports ends that the samples of other families have.
func ambiguous(base string) bool {
	return slices.ContainsFunc([]string{"_total", "_created", "_info", "_bucket", "_count", "_sum"},
		func(end string) bool { return strings.HasSuffix(base, end) })
}

// labelsOf reports false when two labels would get one name.
func labelsOf(raw []catalogue.Label) (labels []catalogue.Label, ok bool) {
	for _, l := range raw {
		key := catalogue.PromLabel(l.Key)
		if key == crawlerLabel || key == memberLabel {
			key = "label_" + key
		}
		if slices.ContainsFunc(labels, func(m catalogue.Label) bool { return m.Key == key }) {
			return nil, false
		}
		labels = append(labels, catalogue.Label{Key: key, Value: labelValue(l.Value)})
	}
	slices.SortFunc(labels, func(x, y catalogue.Label) int { return strings.Compare(x.Key, y.Key) })
	return labels, true
}

// labelValue makes text of strangers a label value. An empty one would mean that
// the label is not there, and a NUL ends the page for some parsers.
func labelValue(s string) string {
	if s == "" {
		return "none"
	}
	return catalogue.LabelValue(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, s))
}

// seriesName is unambiguous, whatever the values hold.
func seriesName(family string, labels []catalogue.Label) string {
	b := []byte(family)
	for _, l := range labels {
		b = append(append(b, ' '), l.Key...)
		b = strconv.AppendQuote(b, l.Value)
	}
	return string(b)
}
