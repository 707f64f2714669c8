package fleet

import (
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// record reads what stands under the key of the crawl.
func record(t *testing.T, e engine) stats.Snapshot {
	t.Helper()
	a, err := stats.Load(t.Context(), e.store(t), stats.Key(crawlID, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	return a
}

// Two processes with one key: the older is fenced at its next save, goes on
// counting in memory and says so once; what the newer has is intact, and nothing
// is counted twice.
func TestTwoProcesses(t *testing.T) {
	onEachEngine(t, func(t *testing.T, e engine) {
		t.Run("running", func(t *testing.T) { twoProcesses(t, e, false) })
		t.Run("stopped meanwhile", func(t *testing.T) { twoProcesses(t, e, true) })
	})
}

func twoProcesses(t *testing.T, e engine, stopped bool) {
	store := e.store(t)
	saved := func() int64 {
		a, err := stats.Load(t.Context(), store, stats.Key(crawlID, ""))
		if err != nil {
			return 0
		}
		return a.Finished
	}
	older := play(t, "crawler", e)
	before := older.await("resumed") // what the story before has left
	wait.For(t, time.Minute, "the older process saves", func() bool { return saved() > before+100 })
	if stopped {
		older.signal(syscall.SIGSTOP)
	}
	since := time.Now()
	newer := play(t, "crawler", e)
	taken := newer.await("resumed")
	if taken <= before+100 {
		t.Errorf("the newer process resumed with %d, %d were saved", taken, before+100)
	}
	if stopped {
		wait.For(t, time.Minute, "the newer process saves, for two seconds", func() bool {
			return saved() > taken+50 && time.Since(since) > 2*time.Second
		})
		older.signal(syscall.SIGCONT)
	}
	fencedAt := older.await("superseded")
	older.await("further")
	wait.For(t, time.Minute, "the newer process saves after that", func() bool { return saved() > taken+100 })
	theirs := older.stop()
	ours := newer.stop()
	for name, c := range map[string]*child{"older": older, "newer": newer} {
		if code := c.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the %s process: exit status %d", name, code)
		}
	}
	if n := older.says("another owner has taken over"); n != 1 {
		t.Errorf("the older process said %d times that it was fenced", n)
	}
	a := record(t, e)
	if a.Finished != taken+ours || a.Interrupted != 0 {
		t.Errorf("%d finished, %d interrupted; the newer process took over %d and counted %d", a.Finished, a.Interrupted, taken, ours)
	}
	last := a.Segments[len(a.Segments)-1]
	if !last.Clean || last.Finished != ours {
		t.Errorf("segments %+v", a.Segments)
	}
	t.Logf("the older process counted %d, was fenced at %d; the newer took over %d and counted %d", theirs, fencedAt, taken-before, ours)
}

// A worker is told to move, saves, and is killed before it can close; another
// process goes on where it was.
func TestMove(t *testing.T) {
	onEachEngine(t, func(t *testing.T, e engine) {
		older := play(t, "mover", e)
		counted := older.await("counted")
		if a := record(t, e); a.Finished != 0 {
			t.Fatalf("%d are saved before the signal", a.Finished)
		}
		older.signal(syscall.SIGTERM)
		older.await("moved")
		older.kill()

		newer := play(t, "crawler", e)
		if taken := newer.await("resumed"); taken != counted {
			t.Errorf("resumed with %d of %d", taken, counted)
		}
		ours := newer.stop()
		a := record(t, e)
		if a.Finished != counted+ours || a.Interrupted != 3 || len(a.Segments) != 2 {
			t.Errorf("%d finished of %d, %d interrupted, segments %+v", a.Finished, counted+ours, a.Interrupted, a.Segments)
		}
	})
}
