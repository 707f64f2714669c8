package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

// This test binary plays the command, and the crawler that is at work while the
// command looks.
const (
	playEnv = "CRAWLSTATS_TEST_PLAY"
	dirEnv  = "CRAWLSTATS_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(playEnv) {
	case "command":
		main()
	case "crawler":
		if err := crawl(os.Getenv(dirEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	leaktest.Main(m)
}

var nolog = slog.New(slog.DiscardHandler)

// crawl is a crawler that counts one request and then waits for its input to end.
func crawl(dir string) error {
	store, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: nolog})
	if err != nil {
		return err
	}
	st, err := stats.Open(context.Background(), stats.Config{ID: "live", Store: store, LogEvery: -1, Logger: nolog})
	if err != nil {
		return err
	}
	st.Observe(stats.Outcome{})
	fmt.Println("crawling")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return errors.Join(st.Close(), store.Close(context.Background()))
}

// play is this test binary in another role.
func play(t *testing.T, role, dir string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), playEnv+"="+role, dirEnv+"="+dir, "GORACE=atexit_sleep_ms=0")
	return cmd
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// result is what a command came to.
type result struct {
	out, err string
	code     int
}

// cli runs the command in a directory, and checks what holds for every call:
// nothing but text reaches the terminal, and no number is none.
func cli(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return cliIn(t, dir, "", args...)
}

func cliIn(t *testing.T, dir, stdin string, args ...string) (r result) {
	t.Helper()
	cmd := play(t, "command", dir, self(t), args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Stdin = &out, &stderr, strings.NewReader(stdin)
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r = result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	for _, text := range []string{r.out, r.err} {
		for _, c := range text {
			if c != '\n' && !unicode.IsGraphic(c) {
				t.Errorf("crawlstats %v: %q reaches the terminal in %.300q", args, c, text)
				break
			}
		}
		for _, bad := range []string{"NaN", "Infinity", "undefined", "<nil>", "%!", "panic", "goroutine"} {
			if strings.Contains(text, bad) {
				t.Errorf("crawlstats %v: %q in %s", args, bad, text)
			}
		}
	}
	return r
}

// good runs a command that has to succeed and returns what it writes.
func good(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := cli(t, dir, args...)
	if r.code != exitOK {
		t.Fatalf("crawlstats %v: exit code %d: %s", args, r.code, r.err)
	}
	return r.out
}

// bad runs a command that has to fail so, and say so.
func bad(t *testing.T, dir string, code int, says string, args ...string) {
	t.Helper()
	r := cli(t, dir, args...)
	if r.code != code || !strings.Contains(r.err, says) {
		t.Errorf("crawlstats %v: exit code %d, want %d; it says %q, want %q in it", args, r.code, code, r.err, says)
	}
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in\n%s", p, text)
		}
	}
}

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// shop is a crawl that finished after it was resumed once; each request took
// slower times its number in milliseconds.
func shop(slower int) stats.Snapshot {
	s := stats.New()
	for i := range 1000 {
		q := stats.Outcome{
			Request:  stats.Request{Host: []string{"shop.example", "img.example", "old.example"}[min(i%6/2, 2)], URL: "https://shop.example/p/1"},
			Duration: time.Duration(slower*(i+1)) * time.Millisecond, StatusCode: 200,
		}
		switch {
		case i%20 == 1:
			q.Err, q.StatusCode = stats.WithKind(stats.KindHTTP, errors.New("503 Service Unavailable")), 503
		case i%100 == 2:
			q.Err, q.StatusCode = stats.WithKind(stats.KindTimeout, errors.New("no answer in time")), 0
		case i%50 == 3:
			q.Discard = stats.DiscardRobots
		case i%4 == 0:
			q.StatusCode = 301
		}
		s.Observe(q)
	}
	s.Counter("items").Add(1234)
	a := s.Snapshot()
	for _, groups := range [][]stats.ErrorGroup{a.Errors, a.RetryErrors} {
		for i := range groups {
			groups[i].FirstSeen, groups[i].LastSeen = at.Add(-14*time.Minute), at.Add(-time.Minute)
		}
	}
	a.StartedAt, a.LastStartedAt, a.Since = at.Add(-892*time.Second), at.Add(-400*time.Second), at.Add(-892*time.Second)
	a.FinishedAt, a.PersistedAt, a.Runtime = at, at, 838*time.Second
	a.Segments = []stats.Segment{
		{Owner: fmt.Sprint("first", slower), Host: "worker", Version: stats.Version, Start: a.StartedAt, End: at.Add(-454 * time.Second), Finished: 500, Failed: 30},
		{Owner: fmt.Sprint("second", slower), Host: "worker", Version: stats.Version, Start: a.LastStartedAt, End: at, Clean: true, Finished: 420, Failed: 30},
	}
	a.History.Minutes = []stats.Point{
		{At: at.Add(-2 * time.Minute), Finished: 60, Failed: 3, Status: [6]int64{0, 0, 50, 10, 0, 3}, P50: 400 * time.Millisecond, P95: time.Second, P99: 2 * time.Second},
		{At: at.Add(-time.Minute), Finished: 120, Status: [6]int64{0, 0, 120}, P50: 300 * time.Millisecond, P95: time.Second, P99: time.Second},
	}
	return a
}

// put saves crawls in a store and closes it.
func put(t *testing.T, st kvstore.Store, crawls map[string]stats.Snapshot) {
	t.Helper()
	for name, a := range crawls {
		id, member, _ := strings.Cut(name, "/")
		if err := stats.Import(t.Context(), st, stats.Key(id, member), a, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func badger(t *testing.T, dir string, crawls map[string]stats.Snapshot) {
	t.Helper()
	st, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	put(t, st, crawls)
}

// files makes a directory of files, a file per key.
func files(t *testing.T, dir string, crawls map[string]stats.Snapshot) {
	t.Helper()
	st, err := kvstore.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, st, crawls)
}

// export writes a crawl as JSON.
func export(t *testing.T, file string, a stats.Snapshot) {
	t.Helper()
	data, err := a.MarshalJSON()
	if err == nil {
		err = os.WriteFile(file, append(data, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// home is a directory with a crawl in a store, two in another, and exports.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	badger(t, filepath.Join(dir, "crawl-state"), map[string]stats.Snapshot{"shop": shop(1)})
	running := shop(2)
	running.FinishedAt = time.Time{}
	files(t, filepath.Join(dir, "both"), map[string]stats.Snapshot{"shop": shop(1), "news/w0": shop(2), "news/w1": running})
	export(t, filepath.Join(dir, "yesterday.json"), shop(1))
	export(t, filepath.Join(dir, "today.json"), shop(2))
	return dir
}
