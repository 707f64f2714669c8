// Package leaktest runs the tests of a package and fails when they leave
// something behind: a goroutine, a file descriptor or a temporary file.
//
//	func TestMain(m *testing.M) { leaktest.Main(m) }
//
// # Concurrency
//
// It belongs to the goroutine of TestMain.
package leaktest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main runs the tests and ends the process. Goroutines with one of the functions
// in foreign on their stack are those of a server that runs in the same process,
// and may stay.
func Main(m *testing.M, foreign ...string) { os.Exit(Run(m, foreign...)) }

// watched is set in processes that a watched one has started: what they leave,
// that one finds.
const watched = "CRAWLSTATS_LEAKTEST"

// Run is Main without the end: it returns the code to exit with.
func Run(m *testing.M, foreign ...string) int {
	if os.Getenv(watched) != "" {
		return m.Run()
	}
	dir, err := ownDirectory()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	before := descriptors()
	code := m.Run()
	if code != 0 { // a test that was cut short cleans nothing up
		return code
	}
	for _, left := range []func() string{
		func() string { return goroutines(foreign) },
		func() string { return settled("descriptors", func() []string { return news(before, descriptors()) }) },
		func() string { return settled("temporary files", func() []string { return files(dir) }) },
	} {
		if text := left(); text != "" {
			fmt.Fprintln(os.Stderr, text)
			code = 1
		}
	}
	return code
}

// apart names the test that a process was started for.
const apart = "CRAWLSTATS_LEAKTEST_APART"

// Apart runs the test that calls it in a process of its own, where it may leave
// goroutines: those of what is abandoned on purpose. It returns true when that is
// done, and false there:
//
//	if leaktest.Apart(t) {
//		return
//	}
func Apart(t *testing.T) (done bool) {
	t.Helper()
	if os.Getenv(apart) == t.Name() {
		return false
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), watched+"=1", apart+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v: %s", err, out)
	}
	return true
}

// ownDirectory is where temporary files go from now on. Other users may enter:
// some tests run as one.
func ownDirectory() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "leaktest"); err != nil {
		return "", err
	}
	return dir, errors.Join(os.Chmod(dir, 0o755), os.Setenv("TMPDIR", dir), os.Setenv(watched, "1"))
}

func goroutines(foreign []string) string {
	var ignored []goleak.Option
	for _, function := range foreign {
		ignored = append(ignored, goleak.IgnoreAnyFunction(function))
	}
	if err := goleak.Find(ignored...); err != nil {
		return err.Error()
	}
	return ""
}

// settled waits a while for what the tests have ended but not awaited, such as
// the other side of a connection.
func settled(what string, left func() []string) string {
	var now []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if now = left(); len(now) == 0 {
			return ""
		}
	}
	return fmt.Sprintf("the tests leave %s: %q", what, now)
}

// descriptors lists the open ones but those of the runtime, where the system
// tells.
func descriptors() (open []string) {
	if runtime.GOOS != "linux" {
		return nil
	}
	const all = "/proc/self/fd"
	entries, err := os.ReadDir(all)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(all, e.Name()))
		if err == nil && !strings.HasPrefix(to, "anon_inode:") {
			open = append(open, to)
		}
	}
	return open
}

func news(before, now []string) []string {
	return slices.DeleteFunc(now, func(d string) bool { return slices.Contains(before, d) })
}

func files(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
