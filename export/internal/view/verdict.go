package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Verdict is one sentence or two that say how the crawl is doing and, where it
// is not well, what the cause is.
type Verdict struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// verdict names the worst that is known.
func verdict(in Input, v View) Verdict {
	for _, judge := range []func(Input, View) Verdict{
		lost, unsaved, empty, ended, stalled, failing, silent, slower,
	} {
		if found := judge(in, v); found.Text != "" {
			return found
		}
	}
	w := v.Minute
	if w.Seconds == 0 {
		return Verdict{OK, fmt.Sprintf("%s of %s failed. %s", Percent(v.Totals.FailedPercent),
			Counted(v.Totals.Finished+v.Totals.Failed, "request", "requests"), inFlight(v.Totals.InFlight))}
	}
	if w.done() == 0 {
		return Verdict{OK, "Nothing was finished or failed in " + w.text() + ". " + inFlight(v.Totals.InFlight)}
	}
	return Verdict{OK, fmt.Sprintf("All is well: %s requests per second, %s failed in %s.", Rate(w.FinishedRate), Percent(w.FailedPercent), w.text())}
}

func inFlight(n int64) string {
	if n == 1 {
		return "1 request is in flight."
	}
	return Count(n) + " requests are in flight."
}

// lost is about a crawl that ended without Close.
func lost(in Input, v View) Verdict {
	if v.State != Interrupted {
		return Verdict{}
	}
	if v.Members.Fleet {
		return Verdict{Bad, "No worker is running: " + v.Members.Text + "."}
	}
	text := "The crawl was interrupted: it ended without saving for the last time"
	if last := lastSign(in.Snapshot); !last.IsZero() {
		text += ", and saved " + Ago(in.Now.Sub(last))
	}
	return Verdict{Bad, text + ". " + inFlight(in.Snapshot.InFlight)}
}

// unsaved is about what would be lost.
func unsaved(in Input, _ View) Verdict {
	switch h := in.Health; {
	case h == nil:
	case h.Superseded:
		return Verdict{Bad, "Another process has taken the record over: this one counts on, but saves nothing."}
	case h.Err != nil && h.LastSave.IsZero():
		return Verdict{Bad, "The state could not be saved yet: " + Clean(h.Err.Error())}
	case h.Err != nil:
		return Verdict{Bad, "The last save failed, the one before was " + Ago(h.Age) + ": " + Clean(h.Err.Error())}
	}
	return Verdict{}
}

func empty(in Input, v View) Verdict {
	if in.Snapshot.Started > 0 {
		return Verdict{}
	}
	switch v.State {
	case Finished:
		return Verdict{Idle, "Finished without a single request."}
	case Stopped:
		return Verdict{Idle, "Stopped without a single request."}
	}
	return Verdict{Idle, "No request has been made yet."}
}

func ended(_ Input, v View) Verdict {
	word := "Finished"
	switch v.State {
	case Finished:
	case Stopped:
		word = fmt.Sprintf("Stopped with %s in the queue", Counted(v.Progress.Pending, "request", "requests"))
	default:
		return Verdict{}
	}
	t := v.Totals
	level := OK
	if t.FailedPercent >= badPercent {
		level = Warn
	}
	text := fmt.Sprintf("%s: %s done, %s failed (%s).", word, Counted(t.Finished, "request", "requests"), Count(t.Failed), Percent(t.FailedPercent))
	if t.Failed == 0 {
		text = fmt.Sprintf("%s: %s done, none failed.", word, Counted(t.Finished, "request", "requests"))
	}
	if level == Warn && len(v.Errors.Rows) > 0 {
		text += " Most failed attempts: " + label(group{v.Errors.Rows[0].Kind, v.Errors.Rows[0].Message}) + "."
	}
	return Verdict{level, text}
}

// stalled is about a crawl that has work and gets nothing done.
func stalled(in Input, v View) Verdict {
	w, last := v.Minute, lastSuccess(in.Snapshot.History)
	work := v.Totals.InFlight + v.Progress.Pending
	if w.Seconds < 55 || w.Finished > 0 || w.Failed > 0 || w.Discarded > 0 || work == 0 {
		return Verdict{}
	}
	text := "Stalled: nothing has finished since this run began"
	if !last.IsZero() {
		text = "Stalled: the last request finished " + Ago(in.Now.Sub(last))
	}
	return Verdict{Bad, fmt.Sprintf("%s, with %s in flight and %s queued.", text, Count(v.Totals.InFlight), Count(v.Progress.Pending))}
}

// lastSuccess returns the end of the last step in which a request finished, by
// the finest ring that has one.
func lastSuccess(h stats.History) time.Time {
	for _, points := range [][]stats.Point{h.Seconds, h.TenSeconds, h.Minutes, h.Hours} {
		for _, p := range slices.Backward(points) {
			if p.Finished > 0 {
				return p.At
			}
		}
	}
	return time.Time{}
}

const (
	warnPercent = 2  // failed requests: worth a look, when it was less than half before
	badPercent  = 5  // worth a look in any case
	mostPercent = 50 // hardly anything works
	fewFailures = 3  // below, nothing is said
	fewBefore   = 30 // requests before the last minute: below, nothing is compared with them
)

func failureLevel(w Window) Level {
	switch {
	case w.Failed < fewFailures || w.FailedPercent < badPercent:
		return OK
	case w.FailedPercent < mostPercent:
		return Warn
	}
	return Bad
}

func failing(in Input, v View) Verdict {
	w, b := v.Minute, v.Before
	if w.Seconds == 0 { // no history: all runs together
		w = Window{Finished: v.Totals.Finished, Failed: v.Totals.Failed, FailedPercent: v.Totals.FailedPercent}
	}
	level := failureLevel(w)
	if level == OK && w.Failed >= fewFailures && w.FailedPercent >= warnPercent && b.done() >= fewBefore && b.FailedPercent < w.FailedPercent/2 {
		level = Warn
	}
	if level == OK {
		return Verdict{}
	}
	var text string
	switch {
	case w.Finished == 0 && w.Seconds == 0:
		text = fmt.Sprintf("All %s have failed.", Counted(w.Failed, "request", "requests"))
	case w.Finished == 0:
		text = fmt.Sprintf("All %s of %s have failed.", Counted(w.Failed, "request", "requests"), w.text())
	case w.Seconds == 0:
		text = fmt.Sprintf("Failure rate is %s over all requests.", Percent(w.FailedPercent))
	case b.done() >= fewBefore:
		text = fmt.Sprintf("Failure rate is %s over %s; it was %s before.", Percent(w.FailedPercent), w.text(), Percent(b.FailedPercent))
	default:
		text = fmt.Sprintf("Failure rate is %s over %s.", Percent(w.FailedPercent), w.text())
	}
	return Verdict{level, strings.TrimSpace(text + " " + cause(in, v))}
}

// cause names the error group and the host that most of the failures come from:
// those of the last minute where somebody looked, else of all runs.
func cause(in Input, v View) string {
	errors, hosts, recent := in.Track.recent()
	when := ""
	if !recent {
		errors, hosts = attemptsOf(in.Snapshot), failuresOf(in.Snapshot)
		if v.Minute.Seconds > 0 {
			when = " so far"
		}
	}
	g, share := errors.top(func(x, y group) bool { return x.kind+x.message < y.kind+y.message })
	if share < 20 {
		return ""
	}
	text := fmt.Sprintf("%s of the failed attempts%s are %s", Percent(share), when, label(g))
	if host, share := hosts.top(func(x, y string) bool { return x < y }); share >= mostPercent {
		text += fmt.Sprintf("; %s of the failed requests are to %s", Percent(share), clip(host, 100))
	}
	return text + "."
}

// label names an error group in a sentence.
func label(g group) string {
	if g.message == "" {
		return clip(g.kind, 40)
	}
	return clip(g.kind, 40) + " “" + clip(g.message, 80) + "”"
}

func silent(_ Input, v View) Verdict {
	n := v.Members.States[string(stats.MemberSilent)]
	if n == 0 {
		return Verdict{}
	}
	return Verdict{Warn, fmt.Sprintf("%d of %s silent for 30 s or more: gone, or cut off from the store.",
		n, map[bool]string{true: "1 worker is", false: Count(int64(v.Members.Total)) + " workers are"}[v.Members.Total == 1])}
}

// slower is about a crawl that does less than half of what it did.
func slower(_ Input, v View) Verdict {
	w, b := v.Minute, v.Before
	if w.Seconds < 55 || b.Seconds < 120 || b.FinishedRate < 1 || w.FinishedRate > b.FinishedRate/2 {
		return Verdict{}
	}
	return Verdict{Warn, fmt.Sprintf("%s requests per second finished in the last minute; it was %s before.", Rate(w.FinishedRate), Rate(b.FinishedRate))}
}
