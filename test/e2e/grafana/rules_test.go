package grafana

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

func promtool(t *testing.T, args ...string) {
	t.Helper()
	binary := tool.Program(t, "promtool", "prometheus")
	if out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	promtool(t, "check", "rules", shipped(t, "crawl-alerts.yml"))
}

// series are the values of 30 minutes by name and labels, in the notation of
// promtool: 0+60x30 grows by 60 a minute.
type series map[string]string

// with returns s and what differs in more.
func (s series) with(more series) series {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

// well is a crawl without a care.
var well = series{
	`crawler_requests_started_total`:                    "0+60x30",
	`crawler_requests_finished_total`:                   "0+58x30",
	`crawler_requests_failed_total{kind="timeout"}`:     "0+1x30",
	`crawler_requests_failed_total{kind="dns"}`:         "0x30",
	`crawler_requests_discarded_total{reason="robots"}`: "0+1x30",
	`crawler_requests_discarded_total{reason="depth"}`:  "0x30",
	`crawler_requests_in_flight`:                        "3x30",
	`queue_pending`:                                     "40x30",
	`crawler_responses_total{code="200"}`:               "0+58x30",
	`crawler_responses_total{code="403"}`:               "0+1x30",
	`crawler_responses_total{code="429"}`:               "0+1x30",
	`crawler_state_persists_total{result="ok"}`:         "0+60x30",
	`crawler_state_persists_total{result="error"}`:      "0x30",
	`crawler_self_total{what="superseded"}`:             "0x30",
	`crawler_self_total{what="unmatched"}`:              "0+5x30",
}

// idle is a crawl in which nothing happens.
var idle = well.with(series{
	`crawler_requests_started_total`:                    "1000x30",
	`crawler_requests_finished_total`:                   "970x30",
	`crawler_requests_failed_total{kind="timeout"}`:     "20x30",
	`crawler_requests_discarded_total{reason="robots"}`: "7x30",
	`crawler_responses_total{code="200"}`:               "970x30",
	`crawler_responses_total{code="403"}`:               "0x30",
	`crawler_responses_total{code="429"}`:               "0x30",
	`crawler_state_persists_total{result="ok"}`:         "90x30",
})

// The alerts that fire after 25 minutes, with what they say; and no others do.
func TestAlerts(t *testing.T) {
	fired := map[string]bool{}
	for name, c := range map[string]struct {
		given series
		want  map[string]string
	}{
		"well": {well, nil},
		"a tenth fails, and no more": {
			well.with(series{`crawler_requests_finished_total`: "0+90x30", `crawler_requests_failed_total{kind="timeout"}`: "0+10x30"}), nil,
		},
		"a fifth fails, of two kinds": {
			well.with(series{
				`crawler_requests_finished_total`:               "0+48x30",
				`crawler_requests_failed_total{kind="timeout"}`: "0+6x30", `crawler_requests_failed_total{kind="dns"}`: "0+6x30",
			}),
			map[string]string{"CrawlFailureRatio": "shop: 20% of the requests fail"},
		},
		"everything fails": {
			well.with(series{`crawler_requests_finished_total`: "0x30", `crawler_requests_failed_total{kind="dns"}`: "0+60x30"}),
			map[string]string{"CrawlFailureRatio": "shop: 100% of the requests fail"},
		},
		"few requests, all of which fail": {
			well.with(series{`crawler_requests_finished_total`: "0x30", `crawler_requests_failed_total{kind="timeout"}`: "0+3x30"}), nil,
		},
		"failures that are over": {
			well.with(series{`crawler_requests_failed_total{kind="timeout"}`: "0+60x10 600x19"}), nil,
		},
		"stalled with requests in flight": {
			idle.with(series{`queue_pending`: "0x30"}),
			map[string]string{"CrawlStalled": "shop is stalled"},
		},
		"stalled with a queue": {
			idle.with(series{`crawler_requests_in_flight`: "0x30"}),
			map[string]string{"CrawlStalled": "shop is stalled"},
		},
		"stalled, and the queue is not reported": {
			without(idle, `queue_pending`),
			map[string]string{"CrawlStalled": "shop is stalled"},
		},
		"nothing left to do": {
			idle.with(series{`crawler_requests_in_flight`: "0x30", `queue_pending`: "0x30"}), nil,
		},
		"stalled for eight minutes": {
			idle.with(series{`crawler_requests_finished_total`: "0+58x17 986x12"}), nil,
		},
		"only discards": {
			idle.with(series{`crawler_requests_discarded_total{reason="depth"}`: "0+9x30"}), nil,
		},
		"the state is not saved": {
			well.with(series{`crawler_state_persists_total{result="ok"}`: "7x30"}),
			map[string]string{"CrawlStateNotSaved": "shop a does not save its state"},
		},
		"the state was never saved": {
			well.with(series{`crawler_state_persists_total{result="ok"}`: "0x30", `crawler_state_persists_total{result="error"}`: "0+12x30"}),
			map[string]string{"CrawlStateNotSaved": "shop a does not save its state", "CrawlSaveFails": "shop a: saves fail"},
		},
		"nothing to save": {
			idle.with(series{`crawler_requests_in_flight`: "0x30", `queue_pending`: "0x30"}), nil,
		},
		"no store": {
			without(without(well, `crawler_state_persists_total{result="ok"}`), `crawler_state_persists_total{result="error"}`), nil,
		},
		"every other save fails": {
			well.with(series{`crawler_state_persists_total{result="error"}`: "0+60x30"}),
			map[string]string{"CrawlSaveFails": "shop a: saves fail"},
		},
		"one save failed": {
			well.with(series{`crawler_state_persists_total{result="error"}`: "0x21 1x8"}), nil,
		},
		"superseded": {
			well.with(series{`crawler_self_total{what="superseded"}`: "0x24 1x5"}),
			map[string]string{"CrawlSuperseded": "shop a runs twice"},
		},
		"a quarter is 429": {
			well.with(series{`crawler_responses_total{code="200"}`: "0+45x30", `crawler_responses_total{code="429"}`: "0+14x30"}),
			map[string]string{"CrawlBlocked": "shop: 25% of the responses are 403 or 429"},
		},
		"few responses, all of which are 403": {
			well.with(series{
				`crawler_responses_total{code="200"}`: "0x30", `crawler_responses_total{code="429"}`: "0x30", `crawler_responses_total{code="403"}`: "0+3x30",
			}), nil,
		},
		"three quarters are forbidden by robots.txt": {
			well.with(series{`crawler_requests_discarded_total{reason="robots"}`: "0+45x30"}),
			map[string]string{"CrawlForbiddenByRobots": "shop: robots.txt forbids 75% of the requests"},
		},
		"a third is forbidden by robots.txt": {
			well.with(series{`crawler_requests_discarded_total{reason="robots"}`: "0+20x30"}), nil,
		},
	} {
		t.Run(name, func(t *testing.T) { testRules(t, c.given, c.want) })
		for alert := range c.want {
			fired[alert] = true
		}
	}
	for _, r := range readRules(t) {
		if !fired[r.Alert] {
			t.Errorf("nothing makes %s fire", r.Alert)
		}
	}
}

func without(s series, name string) series {
	all := maps.Clone(s)
	delete(all, name)
	return all
}

// own are the labels of the series of the crawl.
var own = map[string]string{"job": "crawler", "instance": "w1", "crawler": "shop", "member": "a"}

// testRules has promtool find the alerts, with the summaries, that want names. Its
// test file is JSON, which is YAML.
func testRules(t *testing.T, given series, want map[string]string) {
	t.Helper()
	const after = "25m"
	var input []map[string]any
	for _, name := range slices.Sorted(maps.Keys(given)) {
		family, more, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		labels := []string{`job="crawler"`, `instance="w1"`, `crawler="shop"`, `member="a"`}
		if more != "" {
			labels = append(labels, more)
		}
		input = append(input, map[string]any{"series": family + "{" + strings.Join(labels, ",") + "}", "values": given[name]})
	}
	var alerts []map[string]any
	for _, r := range readRules(t) {
		expected := []map[string]any{}
		if summary, fires := want[r.Alert]; fires {
			labels := maps.Clone(r.Labels)
			for l, v := range own {
				if byMember := strings.Contains(r.Expr, "instance"); byMember || l == "job" || l == "crawler" {
					labels[l] = v
				}
			}
			description := strings.ReplaceAll(r.Annotations["description"], "{{ $labels.instance }}", own["instance"])
			expected = append(expected, map[string]any{
				"exp_labels":      labels,
				"exp_annotations": map[string]string{"summary": summary, "description": description},
			})
		}
		alerts = append(alerts, map[string]any{"alertname": r.Alert, "eval_time": after, "exp_alerts": expected})
	}
	file, err := json.Marshal(map[string]any{
		"rule_files":          []string{shipped(t, "crawl-alerts.yml")},
		"evaluation_interval": "1m",
		"tests":               []map[string]any{{"interval": "1m", "input_series": input, "alert_rule_test": alerts}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", path)
}
