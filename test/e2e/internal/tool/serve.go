package tool

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
)

// Serve runs a server until the test ends. alive reports whether it still does.
func Serve(t testing.TB, name string, args ...string) (alive func() bool) {
	t.Helper()
	var log syncbuf.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s:\n%.4000s", filepath.Base(name), log.String())
		}
	})
	return func() bool {
		select {
		case <-ended:
			return false
		default:
			return true
		}
	}
}
