package terminal

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

// HostOrder says which hosts come first.
type HostOrder string

// The orders.
const (
	BusiestHosts HostOrder = "req"  // most finished and failed requests
	FailingHosts HostOrder = "fail" // most failed requests
	SlowestHosts HostOrder = "p95"  // those with fewer than ten requests come last
)

// WriteHosts writes a table of the first n hosts in an order; an unknown order
// is BusiestHosts, and n = 0 writes ten. It returns the error of w.
func WriteHosts(w io.Writer, a stats.Snapshot, n int, order HostOrder) error {
	t := view.Of(view.Input{Snapshot: a, Now: time.Now(), MaxHosts: n}).Hosts
	rows := t.Busiest
	switch order {
	case FailingHosts:
		rows = t.Failing
	case SlowestHosts:
		rows = t.Slowest
	}
	table := newTable(w, "FINISHED\tFAILED\tFAIL %\tDISCARDED\tP50\tP95\t", "HOST")
	for _, i := range rows {
		h := t.Rows[i]
		table.row(h.Host, view.Count(h.Finished), view.Count(h.Failed), view.Percent(h.FailedPercent), view.Count(h.Discarded), h.P50, h.P95)
	}
	return table.end(t.Empty, t.Text)
}

// WriteErrors writes a table of the n most frequent error groups; n = 0 writes
// twelve. ATTEMPTS failed, and of them GIVEN UP were the last ones of their
// requests. It returns the error of w.
func WriteErrors(w io.Writer, a stats.Snapshot, n int) error {
	t := view.Of(view.Input{Snapshot: a, Now: time.Now(), MaxErrors: n}).Errors
	table := newTable(w, "ATTEMPTS\tGIVEN UP\tKIND\t", "ERROR")
	for _, e := range t.Rows {
		text := clip(e.Message, 100)
		if e.Sample != "" {
			text += "  " + clip(e.Sample, 100)
		}
		table.row(text, view.Count(e.Attempts), view.Count(e.GaveUp), e.Kind)
	}
	more := ""
	if t.More > 0 {
		more = "and " + view.Counted(int64(t.More), "more group", "more groups")
	}
	return table.end(t.Empty, more)
}

// WriteMembers writes a table of the workers of a fleet, those with a problem
// first. It returns the error of w.
func WriteMembers(w io.Writer, members []stats.Member) error {
	if members == nil {
		members = []stats.Member{}
	}
	t := view.Of(view.Input{Now: time.Now(), Members: members, MaxMembers: max(len(members), 1)}).Members
	table := newTable(w, "STATE\tSAVED\t", "WORKER")
	for _, m := range t.Rows {
		name := m.Name
		if m.Error != "" {
			name += "  " + m.Error
		}
		table.row(name, m.State, m.Age)
	}
	return table.end(t.Empty, "")
}

// table aligns all columns but the last one, which holds strangers' text of any
// width, to the right.
type table struct {
	out  io.Writer
	tabs *tabwriter.Writer
	rows int
	head string
}

func newTable(w io.Writer, head, last string) *table {
	return &table{out: w, tabs: tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight), head: head + "  " + last}
}

func (t *table) row(last string, cells ...string) {
	if t.rows == 0 {
		fmt.Fprintln(t.tabs, t.head)
	}
	t.rows++
	for _, c := range cells {
		fmt.Fprint(t.tabs, c, "\t")
	}
	fmt.Fprintln(t.tabs, "  "+last)
}

// end writes the rows, or the sentence that stands for none, and what is not in
// them.
func (t *table) end(empty, more string) error {
	if err := t.tabs.Flush(); err != nil {
		return err
	}
	for _, text := range []string{empty, more} {
		if text == "" {
			continue
		}
		if _, err := fmt.Fprintln(t.out, "  "+text); err != nil {
			return err
		}
	}
	return nil
}

// Clean makes text of strangers safe to print on one line: what does not show is
// spelled out as \x1b or \u202e, and beyond 300 characters it is cut.
func Clean(s string) string { return view.Clean(s) }
