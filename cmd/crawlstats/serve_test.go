package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serving is a crawlstats serve at work.
type serving struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner // of its standard error
	url   string
}

func startServing(t *testing.T, dir string, args ...string) serving {
	t.Helper()
	cmd := play(t, "command", dir, self(t), append([]string{"serve", "--addr", "127.0.0.1:0", "--every", "50ms"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	lines.Scan()
	_, url, ok := strings.Cut(lines.Text(), "serving ")
	if !ok {
		t.Fatal(lines.Text())
	}
	return serving{cmd, lines, url}
}

// end ends it as Ctrl-C does.
func (s serving) end(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		t.Errorf("it says %s", s.lines.Text())
	}
	_ = s.cmd.Wait() // its code is what counts
	if code := s.cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want 130", code)
	}
}

// TestServe serves a crawl and a fleet, and ends with Ctrl-C.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := home(t)
	for _, src := range []string{"crawl-state", "both#news", "today.json"} {
		s := startServing(t, dir, src)
		has(t, good(t, dir, "show", s.url), "finished")
		resp, err := http.Post(s.url+"api/v1/reset", "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("a reset of what is read-only: %s", resp.Status)
		}
		s.end(t)
	}
	bad(t, dir, exitFailure, "256.0.0.1", "serve", "today.json", "--addr", "256.0.0.1:1")
}

// TestServeUnderAName: a page that other machines ask for answers to the names it
// was told, and to no other.
func TestServeUnderAName(t *testing.T) {
	t.Parallel()
	dir := home(t)
	s := startServing(t, dir, "today.json", "--allow-host", "crawl.example", "--allow-host", "192.0.2.1")
	for host, want := range map[string]int{
		"crawl.example": http.StatusOK, "192.0.2.1:8077": http.StatusOK, "other.example": http.StatusForbidden,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("as %s: %s, want %d", host, resp.Status, want)
		}
	}
	s.end(t)
}

// TestServeFollowsAFile: an export that is written anew is shown anew.
func TestServeFollowsAFile(t *testing.T) {
	t.Parallel()
	dir := home(t)
	s := startServing(t, dir, "today.json")
	has(t, good(t, dir, "show", s.url), "  920 finished")
	export(t, filepath.Join(dir, "next.json"), shop(1).Merge(shop(2)))
	if err := os.Rename(filepath.Join(dir, "next.json"), filepath.Join(dir, "today.json")); err != nil {
		t.Fatal(err)
	}
	out := ""
	for end := time.Now().Add(30 * time.Second); !strings.Contains(out, "1,840 finished"); out = good(t, dir, "show", s.url) {
		if time.Now().After(end) {
			t.Fatalf("the page shows what was there at its start:\n%s", out)
		}
	}
	s.end(t)
}

// TestWatch shows again until it is interrupted.
func TestWatch(t *testing.T) {
	t.Parallel()
	dir := home(t)
	cmd := play(t, "command", dir, self(t), "show", "both#shop", "--watch", "--every", "50ms")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := 0; seen < 3 && lines.Scan(); {
		if strings.Contains(lines.Text(), "920 finished") {
			seen++
		}
		if strings.Contains(lines.Text(), "\x1b") {
			t.Errorf("an escape sequence in a pipe: %q", lines.Text())
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	_ = cmd.Wait() // its code is what counts
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d after Ctrl-C, want 130", code)
	}
}

// TestWatchTellsOfDamage: what is missing is said at each look.
func TestWatchTellsOfDamage(t *testing.T) {
	t.Parallel()
	dir := home(t)
	damageMember(t, dir)
	cmd := play(t, "command", dir, self(t), "show", "both#news", "--watch", "--every", "50ms")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	stop := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	seen := 0
	for seen < 2 && lines.Scan() {
		if strings.Contains(lines.Text(), `"w0" is left out`) {
			seen++
		}
	}
	if seen < 2 {
		t.Error("it says nothing of the member that cannot be read")
	}
	stop.Stop()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	_ = cmd.Wait() // interrupted
}
