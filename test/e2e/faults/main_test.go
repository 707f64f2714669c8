package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/internal/leaktest"
)

const (
	partEnv    = "CRAWLSTATS_FAULTS_PART"    // JSON of the part this process plays; see part
	mountedEnv = "CRAWLSTATS_FAULTS_MOUNTED" // set in the process that may mount
)

func TestMain(m *testing.M) {
	if text := os.Getenv(partEnv); text != "" {
		if err := play(text); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getuid() == 0 && os.Getenv(mountedEnv) == "" {
		os.Exit(inOwnNamespace())
	}
	code := leaktest.Run(m)
	if text := table.String(); text != "" {
		fmt.Print(text)
		if path := os.Getenv("CRAWLSTATS_TABLE"); path != "" {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// inOwnNamespace runs this test binary again where its mounts are its own: they
// end with it, however it ends.
func inOwnNamespace() int {
	runtime.LockOSThread() // the child dies with the thread that started it
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), mountedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "faults: a mount namespace of its own:", err)
		return 1
	}
	return 0
}

// long says that the long form was asked for.
var long = os.Getenv("CRAWLSTATS_FAULTS") == "long"

// times returns how often a fault is inflicted.
func times(short, full int) int {
	if long {
		return full
	}
	return short
}

// seed is that of the run.
var seed = sync.OnceValue(func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("CRAWLSTATS_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano())
})

// chance returns the random numbers of a test, the same for the same seed.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("CRAWLSTATS_SEED=%d", seed())
	name := uint64(14695981039346656037)
	for _, b := range []byte(t.Name()) {
		name = (name ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed(), name))
}

// within polls for a condition.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
