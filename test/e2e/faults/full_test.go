package faults

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// diskMegabytes holds a database at its work, and the floor of badgerstore.
const diskMegabytes = 160

// P6: somebody else fills the disk, again and again, while a crawler saves. The
// crawler lives and counts, says that its saves fail, and saves its newest state
// as soon as there is room.
func TestFullDisk(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		t.Run(engine, func(t *testing.T) {
			d := newDisk(t, diskMegabytes)
			r := table.row("full disk, on " + engine)
			rng := chance(t)
			p := part{Engine: engine, Dir: stateDir(d.dir), Every: 100 * time.Millisecond}
			c := crawl(t, p)
			l := c.ledger
			for range times(3, 50) {
				time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
				refused, told := l.get(noSpace), l.get(warnings)
				d.fill(t)
				within(t, time.Minute, "a save is refused for want of space", func() bool { c.alive(t); return l.get(noSpace) > refused })
				counted := l.get(finished)
				within(t, time.Minute, "counting goes on", func() bool { c.alive(t); return l.get(finished) > counted+100 })
				d.empty(t)
				acked := l.get(saves)
				within(t, time.Minute, "saves go on", func() bool { c.alive(t); return l.get(saves) > acked+1 })
				o := outcome{past: l.get(ackedFinished) < counted}
				if o.past || l.get(warnings) != told+2 {
					t.Errorf("%d finished acknowledged after %d were counted; %d warnings, want one when it began and one when it ended",
						l.get(ackedFinished), counted, l.get(warnings)-told)
				}
				r.add(o)
			}
			c.finish(t)
			if f := mustLook(t, p); f.Finished != l.get(finished) || f.Failed != l.get(failed) {
				t.Errorf("%+v, want %d finished and %d failed", f, l.get(finished), l.get(failed))
				r.past++
			}
		})
	}
}

// fill leaves nothing, in steps as a download would: within one write of Badger's
// nobody else eats the last megabytes.
func (d *disk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(d.filler())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var size int64
	for step := int64(1 << 20); step >= 4<<10; step /= 4 {
		for syscall.Fallocate(int(f.Fd()), 0, size, step) == nil {
			size += step
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func (d *disk) empty(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		t.Fatal(err)
	}
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }
