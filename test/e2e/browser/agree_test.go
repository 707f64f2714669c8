package browser

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// still is a Source that never changes.
type still stats.Snapshot

func (s still) Snapshot() stats.Snapshot { return stats.Snapshot(s) }
func (s still) Live() stats.Snapshot     { return stats.Snapshot(s) }

// The page and the report write the same figures, also where they have to be
// rounded: shares that are almost nothing or almost all, ties, long latencies, and
// the width of the bars of 3,659 s.
func TestReportSaysTheSame(t *testing.T) {
	for name, p := range map[string]stats.Point{
		"slow": {Finished: 6000, Failed: 1, Retries: 7, P50: 9949 * time.Millisecond, P95: 12_340 * time.Millisecond, P99: 90 * time.Second},
		"fast": {Finished: 600, Failed: 1, Retries: 90, P50: 842 * time.Microsecond, P95: 9960 * time.Microsecond, P99: 994 * time.Millisecond},
		"hour": {Finished: 60, Failed: 0, Retries: 3, P50: time.Microsecond, P95: 5200 * time.Microsecond, P99: 3700 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now().Add(-time.Hour).Truncate(time.Minute)
			a := stats.Snapshot{
				StartedAt: begin.Add(time.Second), Runtime: time.Hour, Started: 10_000, Finished: 9_997, Failed: 3,
				RetryHistogram: []int64{9_998, 2},
				Hosts:          []stats.HostStats{{Host: "tie.example", Finished: 15, Failed: 1}, {Host: "all.example", Finished: 1, Failed: 9999}},
			}
			for i := range 61 {
				p.At, p.Status = begin.Add(time.Duration(i+1)*time.Minute), [6]int64{2: p.Finished}
				a.History.Minutes = append(a.History.Minutes, p)
			}
			url, _ := serve(t, still(a), dashboard.Config{})
			tb := newTab(t, url)
			tb.open(url)
			tb.do(chromedp.Click("//button[text()='All']"))
			tb.until(inked + ` === 3`)
			page := append(eval[[]string](tb, `[...document.querySelectorAll('.legend')].flatMap(l => [...l.querySelectorAll('li')].map(li => li.textContent))`),
				"per "+tb.text("#bucket"), tb.text("#retries em"), tb.text("#retries li:nth-child(2) em"))
			page = append(page, eval[[]string](tb, `[...document.querySelectorAll('#t-hosts td:nth-child(3)')].map(td => td.textContent)`)...)
			report := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(get(t, url+"report.html")), "")
			report = html.UnescapeString(strings.Join(strings.Fields(report), " "))
			for _, text := range page {
				text = regexp.MustCompile(`^(finished|failed|retried|p\d\d|.xx|other)`).ReplaceAllString(text, "$1 ")
				if !strings.Contains(report, text) {
					t.Errorf("the report does not say %q, as the page does", text)
				}
			}
			if len(page) != 3+3+5+3+2 || !slices.Contains(page, "per 1 min") || !slices.Contains(page, "<0.1 %") || !slices.Contains(page, "6.2 %") {
				t.Errorf("the page says %q", page)
			}
		})
	}
}
