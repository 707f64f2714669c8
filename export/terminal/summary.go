package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

// SummaryConfig says what a summary tells beside the snapshot. Its zero value is
// a crawl without a name, read from a record.
type SummaryConfig struct {
	// ID is the name of the crawl. Default "crawl".
	ID string
	// Live says that the snapshot comes from a Statistics that still runs. Default
	// false: it was read, and a crawl that has not saved for 30 s is interrupted.
	Live bool
	// Gone says that no process can be running the crawl, so that it is interrupted
	// at once.
	Gone bool
	// Members are the workers of a fleet. Default nil: one crawler.
	Members []stats.Member
	// SavedTo and Report say where the state and the report are. Default "": they
	// are not mentioned.
	SavedTo, Report string
	// Columns is the width that lists are cut to. Default 100.
	Columns int
	// Now is the time to tell ages by. Default time.Now().
	Now time.Time
}

const summaryLabel = 12 // columns

// WriteSummary writes the figures of a crawl in at most twelve lines. It returns
// the error of w.
func WriteSummary(w io.Writer, a stats.Snapshot, cfg SummaryConfig) error {
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	if cfg.Columns <= 0 {
		cfg.Columns = 100
	}
	v := view.Of(view.Input{Snapshot: a, ID: cfg.ID, Now: cfg.Now, Live: cfg.Live, Gone: cfg.Gone, Members: cfg.Members, MaxErrors: 4})
	var out strings.Builder
	fmt.Fprintf(&out, "\n  %s  %s\n\n", v.Name, headline(v, a, cfg.Now))
	row := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&out, "  %-*s%s\n", summaryLabel, label, text)
		}
	}
	room := cfg.Columns - summaryLabel - 2
	if v.State != view.Finished || v.Verdict.Level != view.OK {
		row("Verdict", firstSentences(v.Verdict.Text, room))
	}
	if v.Members.Fleet {
		row("Workers", firstOf(v.Members.Text, v.Members.Empty))
	}
	row("Requests", requests(v.Totals))
	row("Speed", speed(v, a.History))
	row("Latency", v.Latency.Text)
	row("Status", firstOf(list(bars(v.Status.Bars), " · ", room), v.Status.Empty))
	row("Discarded", list(bars(v.Discards.Bars), " · ", room))
	row("Errors", firstOf(list(errorItems(v.Errors), " · ", room), v.Errors.Empty))
	row("State", places(cfg))
	_, err := io.WriteString(w, out.String())
	return err
}

// firstSentences leaves sentences out from the end until there is room for the
// rest: what they say of errors stands in a row of its own.
func firstSentences(text string, room int) string {
	for utf8.RuneCountInString(text) > room {
		last := strings.LastIndex(text, ". ")
		if last < 0 {
			break
		}
		text = text[:last+1]
	}
	return text
}

func firstOf(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// headline says what became of the crawl and how long it took.
func headline(v view.View, a stats.Snapshot, now time.Time) string {
	running := view.Duration(a.Runtime)
	resumed := ""
	switch n := len(v.Marks); {
	case v.Members.Fleet || n == 0:
	case n == 1:
		resumed = " (resumed once, " + running + " running)"
	default:
		resumed = " (resumed " + v.Resumed(" times") + ", " + running + " running)"
	}
	end := now
	switch v.State {
	case view.NoData:
		return "nothing was recorded"
	case view.Finished, view.Stopped:
		end = a.FinishedAt
	case view.Interrupted:
		end = a.PersistedAt
	}
	took := running
	if span := end.Sub(a.StartedAt); resumed != "" && !a.StartedAt.IsZero() && span >= a.Runtime {
		took = view.Duration(span)
	}
	if v.State == view.Running {
		return "running for " + took + resumed
	}
	return string(v.State) + " after " + took + resumed
}

func requests(t view.Totals) string {
	text := fmt.Sprintf("%s finished   %s failed (%s)   %s retried", view.Count(t.Finished), view.Count(t.Failed),
		view.Percent(t.FailedPercent), view.Count(t.Retries))
	for _, more := range []struct {
		n    int64
		what string
	}{{t.Interrupted, "interrupted"}, {t.InFlight, "in flight"}} {
		if more.n > 0 {
			text += "   " + view.Count(more.n) + " " + more.what
		}
	}
	return text
}

// speed is of finished requests.
func speed(v view.View, h stats.History) string {
	t := v.Totals
	if t.RuntimeMillis <= 0 {
		return ""
	}
	text := view.Rate(t.PerSecond) + "/s average"
	var best int64
	for _, p := range h.Minutes {
		best = max(best, p.Finished)
	}
	if rate := float64(best) / 60; rate > t.PerSecond { // else no minute was whole
		text += ", " + view.Rate(rate) + "/s in the best minute"
	}
	if t.Bytes >= 0 {
		perSecond := float64(t.Bytes) / float64(t.RuntimeMillis) * 1000
		text += "   " + view.Bytes(t.Bytes) + ", " + view.Bytes(int64(min(perSecond, 1<<62))) + "/s"
	}
	return text
}

func bars(all []view.Bar) (items []string) {
	for _, b := range all {
		if b.Count > 0 {
			items = append(items, b.Label+" "+view.Count(b.Count))
		}
	}
	return items
}

func errorItems(t view.ErrorTable) (items []string) {
	for _, e := range t.Rows {
		items = append(items, fmt.Sprintf("%s %s: %s", view.Count(e.Attempts), e.Kind, clip(e.Message, 40)))
	}
	return items
}

// list joins as many items as there is room for, and at least one.
func list(items []string, between string, room int) (text string) {
	for i, item := range items {
		if i > 0 && utf8.RuneCountInString(text+between+item) > room {
			return text + " …"
		}
		if i > 0 {
			text += between
		}
		text += item
	}
	return text
}

// clip cuts a text to so many runes.
func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

func places(cfg SummaryConfig) string {
	var text []string
	if cfg.SavedTo != "" {
		text = append(text, "saved to "+view.Clean(cfg.SavedTo))
	}
	if cfg.Report != "" {
		text = append(text, "report in "+view.Clean(cfg.Report))
	}
	return strings.Join(text, "   ")
}

// StateOf returns what a summary of the crawl says first: "no data", "running",
// "finished", "stopped" (before its queue was empty) or "interrupted".
func StateOf(a stats.Snapshot, cfg SummaryConfig) string {
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	return string(view.StateOf(view.Input{Snapshot: a, Now: cfg.Now, Live: cfg.Live, Gone: cfg.Gone, Members: cfg.Members}))
}
