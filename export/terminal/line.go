package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	lineEvery  = 100 * time.Millisecond // that Run shows the line
	lookEvery  = 500 * time.Millisecond // that its figures are looked up
	barColumns = 20
)

// Line returns the text of a progress line for logging.Progress.Show:
//
//	[##########..........]  51 %  308/600  44.8/s  fail 14 (4.5 %)  retry 56  p95 842 ms  48 in flight  eta 6s
//	12,304 done  220/s (792,000/h)  fail 14 (1.3 %)  retry 56  p95 842 ms  48 in flight
//
// The first form needs the gauge "queue.pending", which the crawler sets to the
// number of requests it has not begun; there is an eta once the queue gets
// shorter. What has no room is left out, from the right. Its figures are of all
// runs, its rate of the last minute.
func Line(src stats.Source) func(columns int) string {
	l := &lineText{src: src}
	return l.text
}

type lineText struct {
	src   stats.Source
	track view.Track
	seen  view.View
	at    time.Time
}

func (l *lineText) text(columns int) string {
	if now := time.Now(); l.at.IsZero() || now.Sub(l.at) >= lookEvery {
		l.at = now
		a := l.src.Snapshot()
		l.track.Look(a, now)
		l.seen = view.Of(view.Input{Snapshot: a, Now: now, Live: true, Health: healthOf(l.src), Track: &l.track})
	}
	return fit(fields(l.seen, l.src), columns)
}

// healthOf returns how saving goes, where the source knows.
func healthOf(src stats.Source) *stats.Health {
	s, ok := src.(interface{ Health() stats.Health })
	if !ok {
		return nil
	}
	h := s.Health()
	return &h
}

// fields are the parts of the line, what matters most first.
func fields(v view.View, src stats.Source) []string {
	var f []string
	p := v.Progress
	rate := v.Minute.FinishedRate
	if v.Minute.Seconds == 0 {
		rate = v.Totals.PerSecond
	}
	if p.Known {
		f = append(f, bar(p.Percent), fmt.Sprintf("%d %%", int(p.Percent)), view.Count(p.Done)+"/"+view.Count(p.Total), view.Rate(rate)+"/s")
	} else {
		f = append(f, view.Count(p.Done)+" done", view.Rate(rate)+"/s ("+view.Rate(rate*3600)+"/h)")
	}
	if h := healthOf(src); h != nil && (h.Err != nil || h.Superseded) {
		f = append(f, "NOT SAVED")
	}
	f = append(f, fmt.Sprintf("fail %s (%s)", view.Count(v.Totals.Failed), view.Percent(v.Totals.FailedPercent)),
		"retry "+view.Count(v.Totals.Retries))
	if v.Latency.Known {
		f = append(f, "p95 "+view.Latency(v.Latency.P95))
	}
	f = append(f, view.Count(v.Totals.InFlight)+" in flight")
	if p.Left > 0 {
		f = append(f, "eta "+view.Duration(p.Left))
	}
	return f
}

func bar(percent float64) string {
	done := min(max(int(percent*barColumns/100), 0), barColumns)
	return "[" + strings.Repeat("#", done) + strings.Repeat(".", barColumns-done) + "]"
}

// fit joins as many fields as there is room for. Where the bar leaves no room for
// figures, it is the first to go.
func fit(fields []string, columns int) string {
	if len(fields) > 1 && strings.HasPrefix(fields[0], "[") && columns < 2*barColumns {
		fields = fields[1:]
	}
	line := fields[0]
	for _, f := range fields[1:] {
		if utf8.RuneCountInString(line)+2+utf8.RuneCountInString(f) > columns {
			break
		}
		line += "  " + f
	}
	return line
}
