package badgerstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// TestKill kills a process that saves as fast as it can, again and again on the
// same directory: what was acknowledged is there at the next start, and every
// start succeeds without a word. CRAWLSTATS_KILLS sets how often.
func TestKill(t *testing.T) {
	kills := 20
	if s := os.Getenv("CRAWLSTATS_KILLS"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatalf("CRAWLSTATS_KILLS: %v", err)
		}
	}
	dir := t.TempDir()
	var acked kvstore.Revision
	for i := range kills {
		var stderr bytes.Buffer
		cmd := child(t, "write", dir)
		cmd.Stderr = &stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := make(chan string, 1)
		lines := &firstLine{seen: make(chan struct{})}
		go func() {
			io.Copy(lines, pipe)
			said <- lines.buf.String()
		}()
		if i%4 == 0 { // the others may die while they open the database, but never five in a row
			select {
			case <-lines.seen:
			case <-time.After(20 * time.Second):
				t.Fatalf("start %d said nothing: %s", i, stderr.Bytes())
			}
		}
		time.Sleep(time.Duration(rand.IntN(60_000)) * time.Microsecond) // the moment of death
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		out := strings.Split(<-said, "\n")
		cmd.Wait()
		if stderr.Len() > 0 {
			t.Fatalf("start %d: %s", i, stderr.Bytes())
		}
		out = out[:len(out)-1] // what follows the last newline was not acknowledged
		for j, line := range out {
			n, err := strconv.ParseUint(line, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			rev := kvstore.Revision(n)
			if j == 0 && rev < acked {
				t.Fatalf("start %d loaded revision %d, %d was acknowledged", i, rev, acked)
			}
			acked = rev
		}
	}
	t.Logf("%d kills, revision %d", kills, acked)
	if acked == 0 {
		t.Fatal("nothing was ever saved")
	}
	if it, err := loadTest(openIn(t, dir)); err != nil || it.Rev < acked {
		t.Errorf("loaded revision %d, %d was acknowledged: %v", it.Rev, acked, err)
	}
	if bad, _ := filepath.Glob(filepath.Join(dir, "badger.bad-*")); len(bad) > 0 {
		t.Errorf("a healthy database was moved to %v", bad)
	}
}

// firstLine is a buffer that says when it has something.
type firstLine struct {
	buf  bytes.Buffer
	seen chan struct{}
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.buf.Len() == 0 {
		close(f.seen)
	}
	return f.buf.Write(p)
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	pid, release := holder(t, dir)
	log := &recorder{}
	st, err := Open(Config{Dir: dir, Logger: slog.New(log)})
	if err != nil {
		t.Fatalf("Open of a locked directory: %v, want a store that waits", err)
	}
	defer st.Close(context.Background())

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	for name, ctx := range map[string]context.Context{"cancelled": cancelled, "short": short} {
		fastest := time.Hour // of three, for a busy machine
		for range 3 {
			start := time.Now()
			_, err := st.Load(ctx, testKey)
			fastest = min(fastest, time.Since(start))
			var locked *kvstore.LockedError
			if !errors.Is(err, kvstore.ErrLocked) || !errors.As(err, &locked) || locked.PID != pid {
				t.Errorf("Load with a %s context: %v, want ErrLocked with pid %d", name, err, pid)
			}
		}
		if fastest > 100*time.Millisecond {
			t.Errorf("Load with a %s context took %v", name, fastest)
		}
	}
	if n := log.count(slog.LevelWarn); n != 1 {
		t.Errorf("%d warnings about waiting, want one: %v", n, log.lines())
	}

	saved := make(chan error, 1) // the hand-over: this one waits for the other to close
	go func() {
		_, err := st.Save(t.Context(), testKey, []byte("mine"), 0)
		saved <- err
	}()
	select {
	case err := <-saved:
		t.Fatalf("Save while another process has the directory: %v, want it to wait", err)
	case <-time.After(2 * lockPoll):
	}
	release()
	if err := <-saved; err != nil {
		t.Errorf("Save after the other process closed: %v", err)
	}
}

// TestCloseWhileWaiting closes a store that never got its directory.
func TestCloseWhileWaiting(t *testing.T) {
	dir := t.TempDir()
	_, release := holder(t, dir)
	defer release()
	st, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	loaded := make(chan error, 1)
	go func() {
		_, err := st.Load(t.Context(), testKey)
		loaded <- err
	}()
	if err := st.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-loaded; !errors.Is(err, kvstore.ErrClosed) {
		t.Errorf("Load during Close: %v, want ErrClosed", err)
	}
}

func TestIdleMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("no /proc here")
	}
	if raceEnabled {
		t.Skip("the race detector multiplies memory")
	}
	out, err := child(t, "idle", t.TempDir()).Output()
	if err != nil {
		t.Fatal(err)
	}
	rss, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("resident: %d MB", rss>>20)
	if rss > 60<<20 {
		t.Errorf("an idle program with an open store takes %d MB, want less than 60", rss>>20)
	}
}
