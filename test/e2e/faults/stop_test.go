package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A crawler that is stopped for a while, as by a debugger or an overloaded host,
// loses nothing and goes on saving. Meanwhile nobody else gets its directory.
func TestStoppedCrawl(t *testing.T) {
	rng := chance(t)
	r := table.row("SIGSTOP for a while, on badger")
	p := part{Engine: "badger", Dir: stateDir(t.TempDir()), Every: 100 * time.Millisecond}
	c := crawl(t, p)
	for range times(3, 20) {
		time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond)
		c.signal(t, syscall.SIGSTOP)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		other, err := badgerstore.Open(badgerstore.Config{Dir: p.Dir})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stats.Open(ctx, stats.Config{ID: crawlID, Store: other})
		var locked *kvstore.LockedError
		if !errors.As(err, &locked) || locked.PID != c.Process.Pid {
			t.Errorf("a second owner: %v, want a LockedError with pid %d", err, c.Process.Pid)
		}
		cancel()
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
		before := c.ledger.get(saves)
		c.signal(t, syscall.SIGCONT)
		within(t, time.Minute, "saves go on", func() bool { c.alive(t); return c.ledger.get(saves) > before })
		r.add(outcome{})
	}
	c.finish(t)
	if f := mustLook(t, p); f.Finished != c.ledger.get(finished) || f.Failed != c.ledger.get(failed) {
		t.Errorf("%+v, want %d finished and %d failed", f, c.ledger.get(finished), c.ledger.get(failed))
		r.past++
	}
}

// P4: the old instance is stopped while the crawl moves on in a new one. When it
// wakes up it is fenced by its next save, says so, and the new state is intact.
func TestFencedWhileStopped(t *testing.T) {
	r := table.row("SIGSTOP while another owner takes over, on dir")
	for range times(2, 20) {
		p := part{Engine: "dir", Dir: stateDir(t.TempDir()), Every: 100 * time.Millisecond}
		old := crawl(t, p)
		within(t, time.Minute, "a save", func() bool { return old.ledger.get(saves) > 0 })
		stopBetweenWrites(t, old, p.Dir)
		next := crawl(t, p)
		old.signal(t, syscall.SIGCONT)
		within(t, time.Minute, "the old owner is fenced", func() bool { old.alive(t); return old.ledger.get(superseded) == 1 })
		counted := old.ledger.get(finished)
		within(t, time.Minute, "the old owner counts on in memory", func() bool { return old.ledger.get(finished) > counted })
		next.finish(t)
		base, _ := next.ledger.restored()
		f := mustLook(t, p)
		r.add(outcome{
			older: base < counted, told: old.ledger.get(warnings) > 0,
			past: f.Finished != base+next.ledger.get(finished) || base < old.ledger.get(ackedFinished),
		})
		if f.Finished != base+next.ledger.get(finished) || old.ledger.get(warnings) != 1 {
			t.Errorf("%+v, want %d finished; %d warnings, want one", f, base+next.ledger.get(finished), old.ledger.get(warnings))
		}
		old.kill(t)
	}
}

// stopBetweenWrites stops a crawler on a Dir that does not hold the lock of the
// directory: in the middle of a write it would keep everybody else out for as long
// as it is stopped.
func stopBetweenWrites(t *testing.T, c *process, dir string) {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	within(t, time.Minute, "the crawler is stopped between two writes", func() bool {
		c.signal(t, syscall.SIGSTOP)
		time.Sleep(10 * time.Millisecond) // its threads stop one by one
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return true
		}
		c.signal(t, syscall.SIGCONT)
		return false
	})
}
