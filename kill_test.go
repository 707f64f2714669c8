package crawlstats_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// This test binary plays the crawlers that get killed: roleEnv names the part.
const (
	roleEnv = "CRAWLSTATS_TEST_ROLE"
	dirEnv  = "CRAWLSTATS_TEST_DIR"
)

func play2(t *testing.T, role, dir string) *child {
	t.Helper()
	return start(t, part(role, dir))
}

func part(role, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, dirEnv+"="+dir)
	return cmd
}

func play(role string) int {
	var err error
	switch role {
	case "writer":
		err = write(os.Getenv(dirEnv))
	case "fenced":
		err = beFenced(os.Getenv(dirEnv))
	default:
		err = fmt.Errorf("no part %q", role)
	}
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// write counts as fast as it can, by handle and by id, and prints what each
// acknowledged save held at least.
func write(dir string) error {
	store, err := badgerstore.Open(badgerstore.Config{Dir: dir})
	if err != nil {
		return err
	}
	st, err := stats.Open(context.Background(), stats.Config{ID: "writer", Store: store, PersistEvery: 100 * time.Millisecond, LogEvery: -1, Logger: quiet})
	if err != nil {
		return err
	}
	fmt.Println("opened")
	for g := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d", g, i)
				st.Start(id)
				j := st.BeginWith(stats.Request{Host: "host" + strconv.Itoa(i%5)})
				j.StatusCode(200)
				j.Finish()
				if i%10 == 0 {
					st.Fail(id, errors.New("every tenth"))
				} else {
					st.Finish(id)
				}
			}
		}()
	}
	for {
		before := st.Snapshot()
		if err := st.Persist(context.Background()); err != nil {
			return err
		}
		fmt.Printf("acked %d %d\n", before.Finished, before.Failed)
	}
}

// Killed at random moments, 200 times over one directory. CRAWLSTATS_KILLS makes
// it more.
func TestKills(t *testing.T) {
	kills := 200
	if s := os.Getenv("CRAWLSTATS_KILLS"); s != "" {
		kills, _ = strconv.Atoi(s)
	}
	dir := t.TempDir()
	var lived time.Duration // of all children, at most
	var interrupted int64
	for i := range kills {
		acked, life := killOne(t, part("writer", dir))
		lived += life

		store, err := badgerstore.Open(badgerstore.Config{Dir: dir})
		if err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		// Read without a claim: the next writer restores what this one left.
		a, err := stats.Load(t.Context(), store, stats.Key("writer", ""))
		if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
			t.Fatalf("kill %d: %v", i, err)
		}
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("kill %d: %v", i, err)
		}
		switch {
		case a.Finished < acked.finished || a.Failed < acked.failed:
			t.Fatalf("kill %d: %d finished and %d failed came back, %d and %d were acknowledged", i, a.Finished, a.Failed, acked.finished, acked.failed)
		case a.Balanced() != nil:
			t.Fatalf("kill %d: %v", i, a.Balanced())
		case a.Runtime > lived:
			t.Fatalf("kill %d: a runtime of %v, but all lives together were %v", i, a.Runtime, lived)
		case a.Interrupted < interrupted:
			t.Fatalf("kill %d: interrupted fell from %d to %d", i, interrupted, a.Interrupted)
		}
		interrupted = a.Interrupted
	}
	t.Logf("%d kills: %d requests interrupted, lives of %v in all", kills, interrupted, lived.Round(time.Millisecond))
	if interrupted == 0 {
		t.Error("no request was ever in flight when its process died")
	}
}

type acknowledged struct{ finished, failed int64 }

// killOne starts a writer, kills it at a random moment after it has opened and
// returns what it last had acknowledged.
func killOne(t *testing.T, cmd *exec.Cmd) (last acknowledged, life time.Duration) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	born := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var kill *time.Timer
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "opened":
			kill = time.AfterFunc(time.Duration(rand.IntN(40_000))*time.Microsecond, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		case strings.HasPrefix(line, "acked "):
			var a acknowledged
			if n, _ := fmt.Sscanf(line, "acked %d %d", &a.finished, &a.failed); n == 2 {
				last = a
			}
		default:
			t.Errorf("the writer says %q", line)
		}
	}
	_ = cmd.Wait()
	if kill == nil {
		t.Fatal("the writer never opened")
	}
	kill.Stop()
	return last, time.Since(born)
}

// beFenced counts on a shared store until another process takes it over.
func beFenced(dir string) error {
	store, err := kvstore.OpenDir(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	st, err := stats.Open(ctx, stats.Config{ID: "shared", Store: store, LogEvery: -1, Logger: quiet})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		j := st.Begin()
		j.Finish()
		err := st.Persist(ctx)
		switch {
		case errors.Is(err, stats.ErrSuperseded):
			fmt.Println("superseded")
			if err := st.Close(); !errors.Is(err, stats.ErrSuperseded) {
				return fmt.Errorf("close: %w", err)
			}
			return store.Close(ctx)
		case err != nil:
			return err
		case i == 10:
			fmt.Println("counting")
		}
	}
}
