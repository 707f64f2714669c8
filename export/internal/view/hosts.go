package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crawlstats/crawlstats/stats"
)

// A HostRow is the requests of one host.
type HostRow struct {
	Host          string  `json:"host"`
	Finished      int64   `json:"finished"`
	Failed        int64   `json:"failed"`
	Discarded     int64   `json:"discarded"`
	FailedPercent float64 `json:"failedPercent"` // of finished and failed
	FailedText    string  `json:"failedText"`    // FailedPercent as it is shown
	P50           string  `json:"p50"`           // as text; "–": nothing finished or failed
	P95           string  `json:"p95"`
}

// A HostTable is the hosts, in three orders.
type HostTable struct {
	Rows []HostRow `json:"rows"`
	// Indexes into Rows. Among the slowest, hosts with fewer than ten requests
	// come last: one request says little.
	Busiest []int `json:"busiest"`
	Failing []int `json:"failing"` // most failed requests first
	Slowest []int `json:"slowest"` // by p95

	Hosts int `json:"hosts"` // counted one by one
	// Text says what is not in one of the orders; "": nothing.
	Text  string `json:"text,omitempty"`
	Empty string `json:"empty,omitempty"`
}

const fewRequests = 10

func hostTable(in Input) HostTable {
	all := in.Snapshot.Hosts
	t := HostTable{Rows: []HostRow{}, Busiest: []int{}, Failing: []int{}, Slowest: []int{}, Hosts: len(all)}
	p95 := make([]int64, len(all))
	for i, h := range all {
		p95[i] = int64(h.Duration.Quantile(.95))
	}
	at := map[int]int{} // row by host
	order := func(compare func(x, y int) int) []int {
		rows := []int{}
		for _, i := range first(all, in.MaxHosts, compare) {
			row, known := at[i]
			if !known {
				row = len(t.Rows)
				at[i] = row
				t.Rows = append(t.Rows, hostRow(all[i]))
			}
			rows = append(rows, row)
		}
		return rows
	}
	total := func(i int) int64 { return all[i].Finished + all[i].Failed }
	few := func(i int) int {
		if total(i) < fewRequests {
			return 1
		}
		return 0
	}
	busiest := func(x, y int) int { return cmp.Compare(total(y), total(x)) }
	t.Busiest = order(busiest)
	t.Failing = order(func(x, y int) int { return cmp.Or(cmp.Compare(all[y].Failed, all[x].Failed), busiest(x, y)) })
	t.Slowest = order(func(x, y int) int { return cmp.Or(cmp.Compare(few(x), few(y)), cmp.Compare(p95[y], p95[x])) })

	if more := len(all) - len(t.Busiest); more > 0 {
		t.Text = "and " + Counted(int64(more), "more host", "more hosts")
	}
	if other := in.Snapshot.HostsOther; other.Finished+other.Failed > 0 {
		if t.Text != "" {
			t.Text += "; "
		}
		t.Text += Counted(other.Finished+other.Failed, "request", "requests") + " to hosts that are not counted one by one"
	}
	if len(all) == 0 && t.Text == "" {
		t.Empty = "No host was recorded: give Request.Host, or use an adapter."
	}
	return t
}

// first returns the indexes of the first hosts in an order, whose last word is
// the name.
func first(all []stats.HostStats, most int, compare func(x, y int) int) []int {
	best := make([]int, 0, most+1)
	for i := range all {
		at, _ := slices.BinarySearchFunc(best, i, func(x, y int) int {
			return cmp.Or(compare(x, y), cmp.Compare(all[x].Host, all[y].Host))
		})
		if at < most {
			best = slices.Insert(best, at, i)
			best = best[:min(most, len(best))]
		}
	}
	return best
}

func hostRow(h stats.HostStats) HostRow {
	row := HostRow{
		Host: clip(h.Host, 60), Finished: h.Finished, Failed: h.Failed, Discarded: h.Discarded,
		FailedPercent: Ratio(h.Failed, h.Finished+h.Failed), P50: None, P95: None,
	}
	row.FailedText = Percent(row.FailedPercent)
	if h.Duration.Count > h.Duration.Unbucketed {
		row.P50, row.P95 = Latency(h.Duration.Quantile(.5)), Latency(h.Duration.Quantile(.95))
	}
	return row
}

// A MemberRow is one worker of a fleet.
type MemberRow struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Age   string `json:"age"` // since it saved
	Error string `json:"error,omitempty"`
	Level Level  `json:"level"`
}

// A MemberTable is the workers of a fleet, those with a problem first.
type MemberTable struct {
	Fleet  bool           `json:"fleet"`
	Rows   []MemberRow    `json:"rows"`
	Total  int            `json:"total"`
	States map[string]int `json:"states"`
	More   int            `json:"more"` // workers that are not in Rows
	Text   string         `json:"text"`
	Empty  string         `json:"empty,omitempty"`
}

func memberTable(in Input) MemberTable {
	t := MemberTable{Fleet: in.Members != nil, Rows: []MemberRow{}, Total: len(in.Members), States: map[string]int{}}
	for _, m := range in.Members {
		t.States[string(m.State)]++
		row := MemberRow{Name: clip(m.Name, 60), State: string(m.State), Age: Ago(m.Age), Level: OK}
		if m.State == stats.MemberSilent || m.State == stats.MemberVanished {
			row.Level = Warn
		}
		if m.Err != nil {
			row.Error, row.Level = clip(m.Err.Error(), 160), Bad
		}
		t.Rows = append(t.Rows, row)
	}
	rank := map[Level]int{Bad: 0, Warn: 1, OK: 2}
	slices.SortStableFunc(t.Rows, func(x, y MemberRow) int { return cmp.Compare(rank[x.Level], rank[y.Level]) })
	t.More = max(0, len(t.Rows)-in.MaxMembers)
	t.Rows = t.Rows[:len(t.Rows)-t.More]
	for _, s := range []stats.MemberState{stats.MemberRunning, stats.MemberSilent, stats.MemberFinished, stats.MemberVanished} {
		if n := t.States[string(s)]; n > 0 {
			if t.Text != "" {
				t.Text += ", "
			}
			t.Text += fmt.Sprintf("%s %s", Count(int64(n)), s)
		}
	}
	if t.Fleet && t.Total == 0 {
		t.Empty = "No worker has saved a record yet."
	}
	return t
}
