package grafana

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/export/internal/view"
)

// rule is an alert of Prometheus.
type rule struct {
	Alert, Severity      string
	For                  string // how long it has to be so
	Expr                 []string
	Summary, Description string
}

// A crawl, and a process of one. A store keeps one record for each member.
const (
	ofCrawl  = "job, crawler"
	ofMember = "job, instance, crawler, member"
)

// grown is what counters of a crawl have grown by.
func grown(labels string, s selector, window string) string {
	return by(labels, "increase("+s.String()+"["+window+"])")
}

// alerts are about what needs a human. All of them have to see enough requests to
// judge by.
func alerts() []rule {
	finished, failed, discarded := family(catalogue.Finished), family(catalogue.Failed), family(catalogue.Discarded)
	responses, persists := family(catalogue.ResponsesByCode), family(catalogue.Persists)
	queue := selector{id: catalogue.CustomGauge, name: catalogue.PromName(view.PendingGauge)}
	return []rule{
		{
			Alert: "CrawlFailureRatio", Severity: "warning", For: "5m",
			Expr: []string{
				grown(ofCrawl, failed, "5m"),
				"  / (" + grown(ofCrawl, failed, "5m") + " + " + grown(ofCrawl, finished, "5m") + " >= 20)",
				"  > 0.1",
			},
			Summary:     "{{ $labels.crawler }}: {{ $value | humanizePercentage }} of the requests fail",
			Description: "More than a tenth of the requests that ended within five minutes failed. Which kinds of errors: sum by (kind) (rate(" + failed.String() + "[5m])).",
		},
		{
			Alert: "CrawlStalled", Severity: "critical", For: "5m",
			Expr: []string{
				grown(ofCrawl, finished, "10m") + " + " + grown(ofCrawl, failed, "10m") + " + " + grown(ofCrawl, discarded, "10m") + " == 0",
				"and (" + by(ofCrawl, family(catalogue.InFlight).String()) + " > 0 or " + by(ofCrawl, queue.String()) + " > 0)",
			},
			Summary:     "{{ $labels.crawler }} is stalled",
			Description: "No request has ended for ten minutes, although some are in flight or the queue (the gauge " + view.PendingGauge + ") is not empty.",
		},
		{
			Alert: "CrawlStateNotSaved", Severity: "critical", For: "5m",
			Expr: []string{
				grown(ofMember, persists.where("result", "ok"), "5m") + " == 0",
				"and " + grown(ofMember, family(catalogue.Started), "5m") + " > 0",
			},
			Summary:     "{{ $labels.crawler }} {{ $labels.member }} does not save its state",
			Description: "Requests are counted, but the record has not been saved for five minutes: a crash would lose them. Where Config.PersistEvery is longer than this, so must this window be.",
		},
		{
			Alert: "CrawlSaveFails", Severity: "warning", For: "5m",
			Expr: []string{
				grown(ofMember, persists.where("result", "error"), "5m") + " > 0",
			},
			Summary:     "{{ $labels.crawler }} {{ $labels.member }}: saves fail",
			Description: "Saves of the record fail. The log and Health say why; counting goes on in memory.",
		},
		{
			Alert: "CrawlSuperseded", Severity: "critical", For: "0m",
			Expr: []string{
				by(ofMember, family(catalogue.Self).where("what", "superseded").String()) + " > 0",
			},
			Summary:     "{{ $labels.crawler }} {{ $labels.member }} runs twice",
			Description: "Another process has taken the record over. {{ $labels.instance }} goes on, but nothing that it counts is saved any more: end it, or give it a Member of its own.",
		},
		{
			Alert: "CrawlBlocked", Severity: "warning", For: "5m",
			Expr: []string{
				grown(ofCrawl, responses.where("code", "403", "429"), "5m"),
				"  / (" + grown(ofCrawl, responses, "5m") + " >= 20)",
				"  > 0.2",
			},
			Summary:     "{{ $labels.crawler }}: {{ $value | humanizePercentage }} of the responses are 403 or 429",
			Description: "Sites refuse the crawler or ask it to slow down.",
		},
		{
			Alert: "CrawlForbiddenByRobots", Severity: "warning", For: "5m",
			Expr: []string{
				grown(ofCrawl, discarded.where("reason", "robots"), "5m"),
				"  / (" + grown(ofCrawl, family(catalogue.Started), "5m") + " >= 20)",
				"  > 0.5",
			},
			Summary:     "{{ $labels.crawler }}: robots.txt forbids {{ $value | humanizePercentage }} of the requests",
			Description: "Most of what the crawler wants is forbidden. A site may have changed its robots.txt, or answers it with an error.",
		},
	}
}

var rulesFile = template.Must(template.New("rules").Funcs(template.FuncMap{"quote": quote}).Parse(
	`# Written by go generate ./export/internal/grafana. Do not edit.
#
# Alert rules of Prometheus: name this file under rule_files. See docs/GRAFANA.md.
groups:
  - name: crawlstats
    rules:
{{- range .}}
      - alert: {{.Alert}}
        expr: |
{{- range .Expr}}
          {{.}}
{{- end}}
        for: {{.For}}
        labels:
          severity: {{.Severity}}
        annotations:
          summary: {{quote .Summary}}
          description: {{quote .Description}}
{{- end}}
`))

// quote writes a scalar of YAML in single quotes, where only they mean something.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func alertRules() []byte { return fill(rulesFile, alerts()) }

func fill(t *template.Template, data any) []byte {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		panic(fmt.Sprintf("grafana: %s: %v", t.Name(), err)) // a field that is not there
	}
	return b.Bytes()
}
