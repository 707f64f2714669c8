package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// maxTableText bounds the texts of one table, which strangers have written.
const maxTableText = 5 << 10

// An ErrorRow is the errors of one kind and message. Every failed request has
// failed in its last attempt: GaveUp is part of Attempts.
type ErrorRow struct {
	Kind     string    `json:"kind"`
	Message  string    `json:"message"`
	Sample   string    `json:"sample"` // a URL, or ""
	Attempts int64     `json:"attempts"`
	GaveUp   int64     `json:"gaveUp"`
	First    time.Time `json:"firstSeen,omitzero"`
	Last     time.Time `json:"lastSeen,omitzero"`
	LastText string    `json:"lastText"`
	// Trend is the failed attempts of the last 15 minutes, 30 s each, oldest
	// first; absent when nobody looked.
	Trend []int64 `json:"trend,omitempty"`
}

// An ErrorTable is the error groups, most failed attempts first.
type ErrorTable struct {
	Rows     []ErrorRow `json:"rows"`
	Groups   int        `json:"groups"`
	More     int        `json:"more"`     // groups that are not in Rows
	Attempts int64      `json:"attempts"` // of all groups, and of errors in none
	GaveUp   int64      `json:"gaveUp"`
	Text     string     `json:"text"`
	Empty    string     `json:"empty,omitempty"`
}

func errorTable(in Input) ErrorTable {
	a := in.Snapshot
	t := ErrorTable{Rows: []ErrorRow{}, Attempts: a.ErrorsOther + a.RetryErrorsOther, GaveUp: a.ErrorsOther}
	groups := errorGroups(a)
	t.Groups = len(groups)
	room := maxTableText
	for _, g := range groups {
		t.Attempts += g.Attempts
		t.GaveUp += g.GaveUp
		if len(t.Rows) == in.MaxErrors || room <= 0 {
			t.More++
			continue
		}
		row := g
		row.Kind, row.Message, row.Sample = clip(g.Kind, 40), Clean(g.Message), Clean(g.Sample)
		row.LastText, row.Trend = None, in.Track.trend(group{g.Kind, g.Message})
		if !row.Last.IsZero() {
			row.LastText = Ago(in.Now.Sub(row.Last))
		}
		if row.Message == "" {
			row.Message = "(no message)"
		}
		if room -= written(row.Message) + written(row.Sample); room < 0 && len(t.Rows) > 0 {
			t.More++
			continue
		}
		t.Rows = append(t.Rows, row)
	}
	t.Text = fmt.Sprintf("%s, %s, %s given up", Counted(int64(t.Groups), "group", "groups"),
		Counted(t.Attempts, "failed attempt", "failed attempts"), Counted(t.GaveUp, "request", "requests"))
	if t.Attempts == 0 {
		t.Text, t.Empty = "", "No errors so far."
		if a.Started == 0 {
			t.Empty = "No request has been made yet."
		}
	}
	return t
}

// errorGroups joins the errors of failed requests and of attempts that were tried
// again, most first. Texts are still as they were recorded.
func errorGroups(a stats.Snapshot) []ErrorRow {
	var all []ErrorRow
	at := map[group]int{}
	add := func(g stats.ErrorGroup, gaveUp int64) {
		key := group{g.Kind, g.Message}
		i, known := at[key]
		if !known {
			i = len(all)
			at[key] = i
			all = append(all, ErrorRow{Kind: g.Kind, Message: g.Message, First: g.FirstSeen})
		}
		e := &all[i]
		e.Attempts += g.Count
		e.GaveUp += gaveUp
		if g.LastSeen.After(e.Last) {
			e.Last = g.LastSeen
		}
		if e.First.IsZero() || !g.FirstSeen.IsZero() && g.FirstSeen.Before(e.First) {
			e.First = g.FirstSeen
		}
		if e.Sample == "" && len(g.Examples) > 0 {
			e.Sample = g.Examples[0]
		}
	}
	for _, g := range a.Errors {
		add(g, g.Count)
	}
	for _, g := range a.RetryErrors {
		add(g, 0)
	}
	slices.SortStableFunc(all, func(x, y ErrorRow) int {
		return cmp.Or(cmp.Compare(y.Attempts, x.Attempts), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Message, y.Message))
	})
	return all
}

// written returns the bytes that a clean text has in JSON.
func written(s string) int { return len(s) + strings.Count(s, `"`) + strings.Count(s, `\`) }
