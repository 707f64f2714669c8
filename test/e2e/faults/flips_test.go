package faults

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// P5: of a state one bit is flipped somewhere. What comes back is right, or older
// and the log says so, or nothing and the log says so: never a count that nobody
// counted, never silence, and no start fails but those that Badger itself dies in.
func TestFlippedBits(t *testing.T) {
	for _, engine := range []string{"badger", "dir"} {
		t.Run(engine, func(t *testing.T) {
			rng := chance(t)
			images := makeImages(t, engine)
			r := table.row("a flipped bit somewhere in a state of " + engine)
			for i := range times(10, 150) {
				from := images[rng.IntN(len(images))]
				dir := filepath.Join(t.TempDir(), "flipped")
				copyTree(t, from.dir, dir)
				where := flipBit(t, rng, dir)
				f, err := look(t, part{Engine: engine, Dir: dir}, 2)
				if err != nil {
					t.Errorf("flip %d of %s: %v", i, where, err)
					r.add(outcome{past: true})
					continue
				}
				o := outcome{
					older: f.Finished < from.finished, told: len(f.Told) > 0,
					past: f.Finished > from.finished || !counted(f) || f.Unbalanced != "",
				}
				if o.past || o.older && !o.told {
					t.Errorf("flip %d of %s: %+v; %d were finished", i, where, f, from.finished)
				}
				r.add(o)
			}
		})
	}
}

// image is a state directory as something left it.
type image struct {
	dir      string
	finished int64 // of the newest save
}

// counted reports whether a crawl of steps had such counts at some moment.
func counted(f found) bool { return f.Finished >= 10*f.Failed && f.Finished <= 10*f.Failed+10 }

// makeImages returns a state that was left by a kill and one that was closed. The
// side copy of both is older than the database.
func makeImages(t *testing.T, engine string) []image {
	t.Helper()
	base := t.TempDir()
	p := part{Engine: engine, Dir: stateDir(base), Every: 100 * time.Millisecond, Steps: 8}
	life := func(end func(c *process)) (img image) {
		c := crawl(t, p)
		within(t, time.Minute, "the steps are saved", func() bool { return c.ledger.get(stepsDone) == 1 })
		end(c)
		img.dir = filepath.Join(base, "image"+strconv.Itoa(c.Process.Pid))
		copyTree(t, p.Dir, img.dir)
		probe := filepath.Join(base, "probe"+strconv.Itoa(c.Process.Pid))
		copyTree(t, p.Dir, probe)
		f := mustLook(t, part{Engine: engine, Dir: probe})
		base, _ := c.ledger.restored()
		img.finished = f.Finished
		if f.Finished != base+c.ledger.get(finished) || !counted(f) || len(f.Told) > 0 {
			t.Fatalf("undamaged: %+v, want %d finished", f, base+c.ledger.get(finished))
		}
		return img
	}
	life(func(c *process) { c.finish(t) })
	crashed := life(func(c *process) { c.kill(t) })
	closed := life(func(c *process) { c.finish(t) })
	if engine == "badger" {
		last := filepath.Join(closed.dir, "last-good")
		if err := os.RemoveAll(last); err != nil {
			t.Fatal(err)
		}
		copyTree(t, filepath.Join(crashed.dir, "last-good"), last)
	}
	return []image{crashed, closed}
}

// flipBit turns one bit of one file: every file is as likely, and of a file half
// the flips are in what is not trailing zeros.
func flipBit(t *testing.T, rng *rand.Rand, dir string) (where string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil && info.Size() > 0 {
				files = append(files, path)
			}
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	path := files[rng.IntN(len(files))]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := len(data)
	if used := len(bytes.TrimRight(data, "\x00")); used > 0 && rng.IntN(2) == 0 {
		n = used
	}
	at, bit := rng.IntN(n), rng.IntN(8)
	data[at] ^= 1 << bit
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data[at:at+1], int64(at)); err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(dir, path)
	return name + " at " + percent(at, len(data))
}
