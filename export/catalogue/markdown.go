package catalogue

import (
	"fmt"
	"io"
	"strings"
)

const preamble = `<!-- Written by go generate ./export/catalogue. Do not edit. -->

# Metrics

Every name that the exporters send. This page is written from the catalogue in
` + "`export/catalogue`" + `; a test fails when it is out of date, when an exporter sends a
name that is not here, and when a name that is here is not sent.

- **statsd** names stand behind ` + "`<prefix>.<crawler>.`" + `: see [STATSD.md](STATSD.md).
- **Prometheus** families carry the constant labels ` + "`crawler`" + ` (the ID) and
  ` + "`member`" + `; OpenTelemetry gets the same families. With OpenMetrics each counter
  and histogram has a ` + "`_created`" + ` time; in classic text that is
  ` + "`Config.CreatedGauges`" + `.
- **Scope**: *this process* counts since Open or the last Reset and starts at
  zero after a restart; *lifetime* covers all runs; *now* is the state of the
  moment. Counters are always of this process: a lifetime total in a counter
  would look like a jump at each restart.
- **Answers** names the counterpart elsewhere: in Crawlee's
  Statistics, bjoern, the job example of statsd, the Flask exporter's page.

`

// WriteMarkdown writes docs/METRICS.md.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(preamble)
	b.WriteString("| Meaning | From | Scope | statsd | Prometheus | Answers |\n|---|---|---|---|---|---|\n")
	for _, m := range table {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", m.Help, code(m.Field), m.Scope, m.Statsd.markdown(), m.Prom.markdown(), code(m.Answers))
	}

	b.WriteString("\n## Timings in statsd\n\nA timing `<name>` is these metrics:\n\n| Name | Type | Meaning |\n|---|---|---|\n")
	for _, t := range timings {
		fmt.Fprintf(&b, "| `<name>.%s` | %s | %s |\n", t.Suffix, t.Type, t.Help)
	}
	b.WriteString("\nWith `Timings: statsdpush.TimingEvents` it is one line `<name>:<ms>|ms` for each event instead.\n")

	b.WriteString("\n## What varies\n\nA closed set counts what it does not hold as `other`, where it has one.\n\n| Part | In | Values |\n|---|---|---|\n")
	for _, m := range table {
		for _, p := range m.Parts {
			if p.Values != nil {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, m.Help, strings.Join(p.Values, ", "))
			}
		}
	}

	b.WriteString("\n## Buckets of classic histograms\n\n| Family | Upper bounds |\n|---|---|\n")
	for _, m := range table {
		if m.Prom.Buckets != nil {
			fmt.Fprintf(&b, "| `%s` | %s |\n", m.Prom.Name, strings.Trim(fmt.Sprint(m.Prom.Buckets), "[]"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const none = "-"

func code(s string) string {
	if s == "" {
		return none
	}
	return "`" + s + "`"
}

func (s Statsd) markdown() string {
	if s.Name == "" {
		return none
	}
	return fmt.Sprintf("%s %s", code(s.Name), s.Type)
}

func (p Prom) markdown() string {
	if p.Name == "" {
		return none
	}
	name := p.Name
	if len(p.Labels) > 0 {
		name += "{" + strings.Join(p.Labels, ",") + "}"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", code(name), p.Type))
}
