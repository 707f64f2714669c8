package faults

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What the clock of a busy machine may add to a promise in time: a checkpoint
// that is due is late by as much as its goroutine has to wait for a processor.
const slack = 3 * time.Second

// P1: kill -9 loses at most one interval and the save under way, and never an
// acknowledged save. P7: no count comes back higher than it was.
func TestKilledCrawls(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		for _, persist := range []bool{false, true} {
			name := "kill -9 of a crawl on " + engine
			if persist {
				name += ", saving all the time"
			}
			t.Run(name, func(t *testing.T) {
				rng := chance(t)
				r := table.row(name)
				p := part{Engine: engine, Dir: stateDir(t.TempDir()), Every: 100 * time.Millisecond, Persist: persist}
				books := &life{t: t, p: p, row: r}
				for range times(5, 50) {
					books.killed(rng)
				}
				books.closed()
			})
		}
	}
}

// life follows one state over many processes.
type life struct {
	t        *testing.T
	p        part
	row      *row
	floor    int64 // finished that the next process has to find at least
	ceiling  int64 // and at most
	promised int64 // finished when the interval before the last death began
	last     *process
	died     time.Time
}

// begin starts the next process and judges what it found.
func (b *life) begin() *process {
	b.t.Helper()
	c := crawl(b.t, b.p)
	done, _ := c.ledger.restored()
	if b.last != nil {
		o := outcome{past: done < b.floor || done > b.ceiling || done < b.promised}
		if base, _ := b.last.ledger.restored(); done < b.ceiling {
			o.lost = b.last.ledger.lost(b.died, done-base)
		}
		if o.past {
			b.t.Errorf("run %d: %d finished came back; %d were acknowledged, %d older than an interval, %d there", b.row.runs, done, b.floor, b.promised, b.ceiling)
		}
		b.row.add(o)
	}
	return c
}

// killed lives a process for a moment and kills it.
func (b *life) killed(rng *rand.Rand) {
	b.t.Helper()
	c := b.begin()
	time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond) // the moment of death
	b.died = c.kill(b.t)
	b.last = c
	base, _ := c.ledger.restored()
	b.floor = base + max(c.ledger.get(ackedFinished), c.ledger.get(persistedFinished))
	b.promised = base + c.ledger.finishedAt(b.died.Add(-b.p.Every-slack))
	b.ceiling = base + c.ledger.get(finished) + 3 // each goroutine may have died before it wrote it down
}

// closed lives a last process, closes it, and compares the state with the ledger.
func (b *life) closed() {
	b.t.Helper()
	c := b.begin()
	within(b.t, time.Minute, "something more is counted", func() bool { return c.ledger.get(finished) > 100 })
	c.finish(b.t)
	base, bad := c.ledger.restored()
	f := mustLook(b.t, b.p)
	if f.Finished != base+c.ledger.get(finished) || f.Failed != bad+c.ledger.get(failed) || f.Unbalanced != "" || !f.Clean {
		b.t.Errorf("after a Close: %+v, want %d finished and %d failed", f, base+c.ledger.get(finished), bad+c.ledger.get(failed))
		b.row.past++
	}
}
