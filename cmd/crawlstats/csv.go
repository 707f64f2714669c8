package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/stats"
)

// encodeCSV writes one table. Milliseconds are integers, times are in UTC, and
// what there is none of is empty.
func encodeCSV(c source.Crawl, what string) ([]byte, error) {
	rows := map[string]func(source.Crawl) [][]string{
		"totals": totalRows, "hosts": hostRows, "errors": errorRows, "history": historyRows,
	}[what](c)
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return out.Bytes(), nil
}

// text is a cell of strangers' text. A spreadsheet would compute one that begins
// like a formula; a quote before it shows the text.
func text(s string) string {
	s = terminal.Clean(s)
	if strings.HasPrefix(strings.TrimSpace(s), "'") || strings.IndexAny(strings.TrimSpace(s), "=+-@") == 0 {
		return "'" + s
	}
	return s
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func millis(d time.Duration) string { return count(wholeMillis(d)) }

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func totalRows(c source.Crawl) [][]string {
	rows := [][]string{{"figure", "value"}}
	for _, f := range figuresOf(c) {
		value := cell(f.value)
		if s, ok := f.value.(string); ok {
			value = text(s)
		}
		rows = append(rows, []string{f.name, value})
	}
	return rows
}

func hostRows(c source.Crawl) [][]string {
	rows := [][]string{{"host", "finished", "failed", "discarded", "retried", "errors", "p50_ms", "p95_ms", "max_ms"}}
	hosts := c.Snapshot.Hosts
	if other := c.Snapshot.HostsOther; other.Finished+other.Failed+other.Discarded > 0 {
		other.Host = "(other)"
		hosts = append(slices.Clone(hosts), other)
	}
	for _, h := range hosts {
		p50, p95, longest := "", "", ""
		if h.Duration.Count > 0 {
			p50, p95, longest = millis(h.Duration.Quantile(.5)), millis(h.Duration.Quantile(.95)), millis(h.Duration.Max)
		}
		rows = append(rows, []string{
			text(h.Host), count(h.Finished), count(h.Failed), count(h.Discarded), count(h.Retries), count(h.Errors), p50, p95, longest,
		})
	}
	return rows
}

func errorRows(c source.Crawl) [][]string {
	rows := [][]string{{"of", "kind", "message", "count", "first_seen", "last_seen", "example"}}
	for _, list := range []struct {
		of     string
		groups []stats.ErrorGroup
		other  int64
	}{{"failed", c.Snapshot.Errors, c.Snapshot.ErrorsOther}, {"retried", c.Snapshot.RetryErrors, c.Snapshot.RetryErrorsOther}} {
		for _, g := range list.groups {
			example := ""
			if len(g.Examples) > 0 {
				example = g.Examples[0]
			}
			rows = append(rows, []string{list.of, text(g.Kind), text(g.Message), count(g.Count), moment(g.FirstSeen), moment(g.LastSeen), text(example)})
		}
		if list.other > 0 {
			rows = append(rows, []string{list.of, "", "(other)", count(list.other), "", "", ""})
		}
	}
	return rows
}

// historyRows are the points of all rings, in one order of time for each step.
func historyRows(c source.Crawl) [][]string {
	rows := [][]string{{
		"at", "step_seconds", "finished", "failed", "discarded", "retries", "in_flight",
		"status_1xx", "status_2xx", "status_3xx", "status_4xx", "status_5xx", "status_other", "p50_ms", "p95_ms", "p99_ms",
	}}
	h := c.Snapshot.History
	for _, ring := range []struct {
		step   int64
		points []stats.Point
	}{{1, h.Seconds}, {10, h.TenSeconds}, {60, h.Minutes}, {3600, h.Hours}} {
		for _, p := range ring.points {
			row := []string{moment(p.At), count(ring.step), count(p.Finished), count(p.Failed), count(p.Discarded), count(p.Retries), count(p.InFlight)}
			for _, class := range []int{1, 2, 3, 4, 5, 0} {
				row = append(row, count(p.Status[class]))
			}
			rows = append(rows, append(row, millis(p.P50), millis(p.P95), millis(p.P99)))
		}
	}
	return rows
}
