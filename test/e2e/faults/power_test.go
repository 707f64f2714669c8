package faults

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// P3: the power goes while a crawler saves. With Durable, and on a Dir, no
// acknowledged save is lost; by default what is older than ten seconds and one
// interval is there. P2: what Persist has returned nil for is always there.
func TestPowerCut(t *testing.T) {
	for _, test := range []struct {
		name   string
		part   part
		cuts   int
		window time.Duration // of what may be lost although it was acknowledged
	}{
		{"power cut, badger with Durable", part{Engine: "badger", Durable: true}, times(2, 25), 0},
		{"power cut, badger by default", part{Engine: "badger"}, times(2, 25), 10 * time.Second},
		{"power cut, badger by default, against Persist", part{Engine: "badger", Persist: true}, times(2, 15), 0},
		{"power cut, dir", part{Engine: "dir"}, times(2, 15), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := chance(t)
			r := table.row(test.name)
			d := newDisk(t, diskMegabytes)
			p := test.part
			p.Dir, p.Every = stateDir(d.dir), 100*time.Millisecond
			c := crawl(t, p)
			wait := 200
			if test.window > 0 {
				wait = times(500, 3000) // so that a run is longer than the window
			}
			promised := ackedFinished
			if p.Persist {
				promised = persistedFinished
			}
			var stopped []pause
			for i := range test.cuts {
				time.Sleep(time.Duration(rng.IntN(wait)) * time.Millisecond)
				image := filepath.Join(t.TempDir(), "cut")
				acked, at := c.ledger.get(promised), time.Now()
				old := c.ledger.finishedAt(at.Add(-test.window - p.Every - slack))
				d.cut(t, c, image)
				most := c.ledger.get(finished) + 3
				c.signal(t, syscall.SIGCONT)
				stopped = append(stopped, pause{at, time.Now()})

				after := mount(t, image)
				f, err := look(t, part{Engine: p.Engine, Dir: stateDir(after.dir)}, 0)
				after.unmount(t)
				if err != nil {
					t.Errorf("cut %d: %v", i, err)
					r.add(outcome{past: true})
					continue
				}
				o := outcome{
					older: f.Finished < acked, told: len(f.Told) > 0 || !f.Clean,
					lost: lived(stopped, at, c.ledger.lost(at, f.Finished)),
					past: f.Finished < old || f.Finished > most || f.Unbalanced != "" || test.window == 0 && f.Finished < acked,
				}
				if o.past || o.older && !o.told {
					t.Errorf("cut %d: %+v; %d were acknowledged, %d older than the promise, %d there", i, f, acked, old, most)
				}
				r.add(o)
			}
			c.alive(t)
			c.finish(t)
		})
	}
}

// pause is a time in which a crawler was stopped for its disk to be copied.
type pause struct{ from, to time.Time }

// lived returns how much of the time before a moment the crawler was not stopped.
func lived(stopped []pause, before time.Time, span time.Duration) time.Duration {
	begin := before.Add(-span)
	for _, p := range stopped {
		if p.to.Before(before) && p.to.After(begin) {
			span -= p.to.Sub(later(p.from, begin))
		}
	}
	return span
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cut copies the image of a disk in use, as it was at one moment, to a new file.
// It leaves the crawler stopped, for its ledger to be read: a stopped process has
// issued what it has issued, and what its kernel still holds back is lost.
func (d *disk) cut(t *testing.T, c *process, to string) {
	t.Helper()
	c.alive(t)
	c.signal(t, syscall.SIGSTOP)
	sum := d.copyImage(t, to)
	for range 50 { // the kernel may write meanwhile
		again := d.copyImage(t, to)
		if bytes.Equal(sum, again) {
			return
		}
		sum = again
	}
	t.Fatal("the image changes all the time")
}

// copyImage copies the image with its holes, and returns its checksum.
func (d *disk) copyImage(t *testing.T, to string) []byte {
	t.Helper()
	from, err := os.Open(d.image)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	sum, block, zeros := sha256.New(), make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); ; at += int64(len(block)) {
		n, err := from.ReadAt(block, at)
		sum.Write(block[:n])
		if n > 0 && !bytes.Equal(block[:n], zeros[:n]) {
			if _, err := out.WriteAt(block[:n], at); err != nil {
				t.Fatal(err)
			}
		}
		if err == io.EOF {
			if err := out.Truncate(at + int64(n)); err != nil {
				t.Fatal(err)
			}
			return sum.Sum(nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func percent(n, of int) string {
	return fmt.Sprintf("%.1f %% of %d bytes", 100*float64(n)/float64(of), of)
}
