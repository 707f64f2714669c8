package faults

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// row is what became of all runs of one fault.
type row struct {
	fault string
	runs  int
	older int           // an older state came back, or none
	told  int           // of those, the log said so
	past  int           // more was lost than is promised, or a total was wrong
	worst time.Duration // the most that was lost, as time before the fault; 0: nothing
}

// outcome is what became of one run.
type outcome struct {
	older, told, past bool
	lost              time.Duration
}

// tally collects the rows of all tests.
type tally struct {
	mu    sync.Mutex
	rows  []*row
	begun time.Time
}

var table = &tally{begun: time.Now()}

// row returns a new row.
func (t *tally) row(fault string) *row {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &row{fault: fault}
	t.rows = append(t.rows, r)
	return r
}

func (r *row) add(o outcome) {
	r.runs++
	if o.older {
		r.older++
		if o.told {
			r.told++
		}
	}
	if o.past {
		r.past++
	}
	r.worst = max(r.worst, o.lost)
}

func (r *row) silent() int { return r.older - r.told }

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) == 0 {
		return ""
	}
	var b strings.Builder
	form := "short"
	if long {
		form = "long"
	}
	fmt.Fprintf(&b, "%s form, seed %d, %v, %s, %d processors\n", form, seed(), time.Since(t.begun).Round(time.Second), runtime.Version(), runtime.NumCPU())
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\truns\tolder\ttold\tsilent\tbroken\tmost lost\t  fault\n")
	for _, r := range t.rows {
		worst := "-"
		if r.worst > 0 {
			worst = r.worst.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "\t%d\t%d\t%d\t%d\t%d\t%s\t  %s\n", r.runs, r.older, r.told, r.silent(), r.past, worst, r.fault)
	}
	w.Flush()
	return b.String()
}
