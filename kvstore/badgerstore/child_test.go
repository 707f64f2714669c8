package badgerstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
)

// Some tests need a process of their own: to kill it, to let Badger kill it, or
// to measure it. That process is this test binary, told by the environment what
// to do.
const (
	childEnv = "BADGERSTORE_CHILD"
	dirEnv   = "BADGERSTORE_DIR"
)

func TestMain(m *testing.M) {
	play, ok := map[string]func(dir string) error{"": nil, "write": childWrite, "hold": childHold, "read": childRead, "idle": childIdle}[os.Getenv(childEnv)]
	switch {
	case !ok:
		panic("no such child: " + os.Getenv(childEnv))
	case play != nil:
		if err := play(os.Getenv(dirEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	leaktest.Main(m)
}

// testKey is the key that the tests of damage and death save under; valueOf is
// what they save as its nth revision. Its length crosses pages.
const testKey = "__CRAWLER_STATISTICS_test"

func valueOf(rev kvstore.Revision) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%09d\n", rev), 400)
}

// childWrite saves as fast as it can, and prints each revision once it is
// acknowledged.
func childWrite(dir string) error {
	st, err := Open(Config{Dir: dir, Logger: slog.New(slog.NewJSONHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	ctx := context.Background()
	it, err := loadTest(st)
	if err != nil {
		return err
	}
	fmt.Println(it.Rev)
	for rev := it.Rev; ; {
		next := rev + 1 // one key: revisions are consecutive
		if rev, err = st.Save(ctx, testKey, valueOf(next), rev); err != nil {
			return err
		}
		if rev != next {
			return fmt.Errorf("revision %d after %d", rev, next-1)
		}
		os.Stdout.WriteString(strconv.FormatUint(uint64(rev), 10) + "\n")
	}
}

// loadTest loads testKey and checks its value; a missing key is revision zero.
func loadTest(st *Store) (kvstore.Item, error) {
	it, err := st.Load(context.Background(), testKey)
	if err != nil {
		if strings.Contains(err.Error(), kvstore.ErrNotFound.Error()) {
			err = nil
		}
		return kvstore.Item{}, err
	}
	if !bytes.Equal(it.Value, valueOf(it.Rev)) {
		return it, fmt.Errorf("revision %d has the value %.20q", it.Rev, it.Value)
	}
	return it, nil
}

// childHold opens the store, says so, and closes it when its input ends.
func childHold(dir string) error {
	st, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return st.Close(context.Background())
}

// reading is what childRead prints.
type readout struct {
	Before, After kvstore.Revision // found, and after one more save
	Warnings      []map[string]any
}

// childRead opens the store and saves once.
func childRead(dir string) error {
	var log bytes.Buffer
	st, err := Open(Config{Dir: dir, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	it, err := loadTest(st)
	if err != nil {
		return err
	}
	out := readout{Before: it.Rev}
	if out.After, err = st.Save(context.Background(), testKey, []byte("after"), it.Rev); err != nil {
		return err
	}
	if err := st.Close(context.Background()); err != nil {
		return err
	}
	for line := range bytes.Lines(log.Bytes()) {
		var w map[string]any
		if err := json.Unmarshal(line, &w); err != nil {
			return err
		}
		if w["component"] == nil { // Badger's own warnings are not ours to count
			out.Warnings = append(out.Warnings, w)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// childIdle opens the store, saves for a moment, idles and prints its resident
// memory in bytes.
func childIdle(dir string) error {
	st, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	var rev kvstore.Revision
	for range 100 {
		if rev, err = st.Save(context.Background(), testKey, make([]byte, 4<<10), rev); err != nil {
			return err
		}
	}
	time.Sleep(500 * time.Millisecond) // what idles is what is measured
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	if err != nil {
		return err
	}
	fmt.Println(pages * os.Getpagesize())
	return st.Close(context.Background())
}

// child is this test binary in another role.
func child(t *testing.T, play, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+play, dirEnv+"="+dir,
		"GORACE=atexit_sleep_ms=0") // else each child takes a second to end under -race
	return cmd
}

// holder starts a process that has the directory, until release.
func holder(t *testing.T, dir string) (pid int, release func()) {
	t.Helper()
	cmd := child(t, "hold", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("holder said %q: %v", line, err)
	}
	return cmd.Process.Pid, func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("holder: %v", err)
		}
	}
}

// copyTree copies a directory as it is, as a crash would leave it.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
