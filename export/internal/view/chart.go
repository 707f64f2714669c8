package view

import (
	"slices"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Ring is a part of the history with one step between its rows.
type Ring struct {
	Step int64 `json:"step"` // seconds
	Rows []Row `json:"rows"`
}

// A Row is one step: a number for each of the columns. A row of ColAt alone says
// that there was no process at that moment, and that no line leads across.
type Row []int64

// The columns of a Row.
const (
	ColAt       = iota // end of the step, in Unix seconds
	ColFinished        // counts within the step
	ColFailed
	ColDiscarded
	ColRetried  // attempts that were tried again
	ColInFlight // at the end of the step
	ColP50      // µs; 0: nothing finished
	ColP95
	ColP99
	Col2xx // responses
	Col3xx
	Col4xx
	Col5xx
	ColOther // 1xx, and codes that are none
	Columns
)

// Gap reports that there was no process.
func (r Row) Gap() bool { return len(r) < Columns }

// rings returns the history from the finest ring to the coarsest.
func rings(h stats.History) []Ring {
	return []Ring{
		ring(h.Seconds, time.Second),
		ring(h.TenSeconds, 10*time.Second),
		ring(h.Minutes, time.Minute),
		ring(h.Hours, time.Hour),
	}
}

func ring(points []stats.Point, step time.Duration) Ring {
	r := Ring{Step: int64(step / time.Second), Rows: make([]Row, 0, len(points)+2)}
	for _, p := range points {
		at := p.At.Unix()
		if n := len(r.Rows); n > 0 {
			last := r.Rows[n-1][ColAt]
			if at <= last {
				continue // not in order: no record of ours
			}
			if at-last > r.Step*3/2 {
				r.Rows = append(r.Rows, Row{last + r.Step})
			}
		}
		r.Rows = append(r.Rows, Row{
			at, p.Finished, p.Failed, p.Discarded, p.Retries, p.InFlight,
			p.P50.Microseconds(), p.P95.Microseconds(), p.P99.Microseconds(),
			p.Status[2], p.Status[3], p.Status[4], p.Status[5], p.Status[0] + p.Status[1],
		})
	}
	return r
}

// newer returns the rows that were not sent before, or otherwise: those of a
// fleet change until the last of its workers has saved.
func newer(all, sent []Ring) []Ring {
	var fresh []Ring
	for i, r := range all {
		before := map[int64]Row{}
		if i < len(sent) {
			for _, row := range sent[i].Rows {
				before[row[ColAt]] = row
			}
		}
		rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return slices.Equal(row, before[row[ColAt]]) })
		fresh = append(fresh, Ring{r.Step, rows})
	}
	return fresh
}

// A Range is a part of the past that charts can show.
type Range struct {
	Name string `json:"name"`
	From int64  `json:"from"` // Unix seconds
	To   int64  `json:"to"`
	// Rings to draw, by index, coarsest first: a coarse one until the next begins,
	// and that from there on. Empty: there is nothing to draw.
	Rings []int  `json:"rings"`
	Empty string `json:"empty,omitempty"` // why
}

func ranges(a stats.Snapshot, rings []Ring) []Range {
	first, last := span(rings)
	if start := a.StartedAt.Unix(); start > first && start < last { // the first hour is rarely a whole one
		first = start
	}
	var all []Range
	for _, r := range []struct {
		name   string
		length time.Duration
	}{{"5 min", 5 * time.Minute}, {"15 min", past}, {"All", 0}} {
		one := Range{Name: r.name, From: first, To: last, Rings: []int{}}
		if from := last - int64(r.length/time.Second); r.length > 0 {
			one.From = max(first, from)
		}
		if one.Rings = reaching(rings, one.From); len(one.Rings) == 0 {
			one.Empty = emptyHistory(a)
		}
		all = append(all, one)
	}
	return all
}

func emptyHistory(a stats.Snapshot) string {
	if a.Started == 0 {
		return "Nothing has been recorded yet."
	}
	return "No history: it is kept by a Statistics that was made by Open, from its first second on."
}

// span returns the moments the history covers.
func span(rings []Ring) (first, last int64) {
	for _, r := range rings {
		if n := len(r.Rows); n > 0 {
			if from := r.Rows[0][ColAt] - r.Step; first == 0 || from < first {
				first = from
			}
			last = max(last, r.Rows[n-1][ColAt])
		}
	}
	return first, last
}

// reaching returns the finest ring that goes back to from; where only hours do,
// the minutes behind them.
func reaching(rings []Ring, from int64) []int {
	longest := -1
	for i, r := range rings {
		if len(r.Rows) == 0 {
			continue
		}
		if r.Rows[0][ColAt]-r.Step <= from+r.Step {
			longest = i
			break
		}
		if longest < 0 || r.Rows[0][ColAt] < rings[longest].Rows[0][ColAt] {
			longest = i
		}
	}
	switch {
	case longest < 0:
		return []int{}
	case longest == 3 && len(rings[2].Rows) > 0:
		return []int{3, 2}
	}
	return []int{longest}
}

// A Step is a row and how many seconds it covers.
type Step struct {
	Row
	Seconds int64
}

// Steps returns what a chart of the range shows, oldest first and without
// overlap.
func (v View) Steps(r Range) []Step {
	var steps []Step
	end := r.From
	for i, index := range r.Rings {
		next := r.To // where the finer ring begins
		if i+1 < len(r.Rings) {
			finer := v.Rings[r.Rings[i+1]]
			next = finer.Rows[0][ColAt] - finer.Step
		}
		step := v.Rings[index].Step
		for _, row := range v.Rings[index].Rows {
			if row[ColAt] > end && row[ColAt]-step < next {
				steps = append(steps, Step{row, step})
				end = row[ColAt]
			}
		}
	}
	return steps
}

// A Mark is a moment at which the crawl was picked up again.
type Mark struct {
	At   int64  `json:"at"` // Unix seconds
	Text string `json:"text"`
	// Clean says that the run before had ended by Close.
	Clean bool `json:"clean"`
}

// marks returns where each run began after another one had ended. Of a fleet, none
// are shown, and in the sum of its workers, runs that overlap resume nothing.
func marks(in Input) []Mark {
	all := []Mark{}
	segments := in.Snapshot.Segments
	if in.Members != nil {
		return all
	}
	var ended time.Time // the last of those before
	for i, s := range segments {
		if i > 0 && !s.Start.Before(ended) {
			all = append(all, Mark{At: s.Start.Unix(), Text: "resumed", Clean: segments[i-1].Clean})
		}
		if s.End.After(ended) {
			ended = s.End
		}
	}
	return all
}

// segmentsKept is how many runs a Snapshot has: the newest ones.
const segmentsKept = 32

// Resumed writes how often the crawl was resumed, with a unit such as "×".
func (v View) Resumed(unit string) string {
	text := Count(int64(len(v.Marks))) + unit
	if len(v.Marks) >= segmentsKept-1 {
		text += " or more"
	}
	return text
}
