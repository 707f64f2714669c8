package crawlstats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/crawler/example/site"
	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

var quiet = slog.New(slog.DiscardHandler)

// Stories, told through public doors only: a crawl, a kill, a move, an abort.

// crawlSite serves the example's site and remembers when each request came.
type crawlSite struct {
	*site.Site
	url string

	mu   sync.Mutex
	when []time.Time
	more chan struct{} // closed when want requests have come
	want int
}

func serveSite(t *testing.T) *crawlSite {
	s := &crawlSite{Site: site.New()}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *crawlSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/robots.txt" {
		s.mu.Lock()
		if s.when = append(s.when, time.Now()); len(s.when) == s.want {
			close(s.more)
		}
		s.mu.Unlock()
	}
	s.Site.ServeHTTP(w, r)
}

// await waits until n more requests have come. It reports false when the child
// ends before.
func (s *crawlSite) await(t *testing.T, c *child, n int) bool {
	t.Helper()
	s.mu.Lock()
	more := make(chan struct{})
	s.more, s.want = more, len(s.when)+n
	s.mu.Unlock()
	select {
	case <-more:
		return true
	case <-c.end:
		return false
	case <-time.After(time.Minute):
		t.Fatalf("%d requests more did not come:\n%s", n, c.out)
	}
	return false
}

// between counts the requests that came in a span of time.
func (s *crawlSite) between(from, to time.Time) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.when {
		if at.After(from) && !at.After(to) {
			n++
		}
	}
	return n
}

// bin holds the binaries that the tests build, once each.
var bin string

var buildExample = sync.OnceValues(func() (string, error) {
	exe := filepath.Join(bin, "example")
	out, err := exec.Command("go", "build", "-o", exe, "./crawler/example").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	var err error
	if bin, err = os.MkdirTemp("", "crawlstats"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := leaktest.Run(m)
	os.RemoveAll(bin)
	os.Exit(code)
}

// example starts the example crawler on the site.
func example(t *testing.T, s *crawlSite, state string, args ...string) *child {
	t.Helper()
	exe, err := buildExample()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-site", s.url, "-state", state, "-concurrency", "16", "-log-every", "-1s"}, args...)
	return start(t, exec.Command(exe, args...))
}

// child is a process that this test has started, and its output.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	out *output
	end chan struct{} // closed when it has ended
}

func start(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{t: t, cmd: cmd, out: newOutput(), end: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(c.end)
		_ = cmd.Wait()
	}()
	return c
}

// wait returns the exit status.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.end:
	case <-time.After(2 * time.Minute):
		c.t.Fatalf("%v does not end:\n%s", c.cmd.Args, c.out)
	}
	return c.cmd.ProcessState.ExitCode()
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Error(err)
	}
}

// output is what a child prints; awaiting a line needs no polling.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown *sync.Cond
}

func newOutput() *output {
	o := new(output)
	o.grown = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.grown.Broadcast()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until the output contains text, for a minute at most.
func (o *output) await(t *testing.T, text string) {
	t.Helper()
	expired := false
	timer := time.AfterFunc(time.Minute, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		expired = true
		o.grown.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !strings.Contains(o.text.String(), text) {
		if expired {
			t.Fatalf("%q did not come:\n%s", text, o.text.String())
		}
		o.grown.Wait()
	}
}

// saved reads the record that a crawl of the example left.
func saved(t *testing.T, state string) stats.Snapshot {
	t.Helper()
	store, err := badgerstore.Open(badgerstore.Config{Dir: state})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(context.Background())
	a, err := stats.Load(t.Context(), store, stats.Key("example", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	return a
}

// agrees fails the test unless every total of a is that of the access log.
func agrees(t *testing.T, a stats.Snapshot, log site.Log) {
	t.Helper()
	for status, n := range log.Status {
		if status != site.NoResponse && a.StatusCodes[status] != n {
			t.Errorf("status %d: counted %d, answered %d", status, a.StatusCodes[status], n)
		}
	}
	if rejected := a.Discards[stats.DiscardRobots] + a.Discards[stats.DiscardMalformed]; a.Attempts != log.Requests {
		t.Errorf("%d attempts (and %d links that led to none), %d requests", a.Attempts, rejected, log.Requests)
	}
	if a.InFlight != 0 || a.Unmatched != 0 || a.Late != 0 || a.Overflow != 0 {
		t.Errorf("in flight %d, unmatched %d, late %d, overflow %d", a.InFlight, a.Unmatched, a.Late, a.Overflow)
	}
}

func TestCrawlEqualsTheAccessLog(t *testing.T) {
	s, state := serveSite(t), t.TempDir()
	if code := example(t, s, state).wait(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	first := saved(t, state)
	agrees(t, first, s.Log())
	if first.Finished < 600 || first.Failed == 0 || first.Retries == 0 || first.Interrupted != 0 {
		t.Errorf("finished %d, failed %d, retried %d, interrupted %d", first.Finished, first.Failed, first.Retries, first.Interrupted)
	}

	again := example(t, s, state)
	if code := again.wait(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	again.out.await(t, "resumed")
	second := saved(t, state)
	if second.Finished != first.Finished || second.Failed != first.Failed || len(second.Segments) != 2 {
		t.Errorf("after a second run: finished %d, failed %d, %d segments", second.Finished, second.Failed, len(second.Segments))
	}
}

// Killed at random moments and started again until it is done: no URL is lost,
// and what the site has answered and the record does not know is at most what
// the last interval and the save under way before each kill held.
func TestKilledCrawlResumes(t *testing.T) {
	undisturbed := serveSite(t)
	if code := example(t, undisturbed, t.TempDir()).wait(); code != 0 {
		t.Fatalf("exit status %d", code)
	}

	s, state := serveSite(t), t.TempDir()
	var kills int
	var allowed, interrupted int64
	for kills < 5 {
		c := example(t, s, state)
		if !s.await(t, c, 80+rand.IntN(150)) {
			break // done before its turn to be killed came
		}
		c.signal(syscall.SIGKILL)
		c.wait()
		kills++
		// What the record cannot know came after the save that it is of.
		a := saved(t, state)
		allowed += s.between(a.PersistedAt, time.Now())
		interrupted += a.InFlight
	}
	c := example(t, s, state)
	if code := c.wait(); code != 0 {
		t.Fatalf("exit status %d:\n%s", code, c.out)
	}
	a, log := saved(t, state), s.Log()
	for path := range undisturbed.Log().Paths {
		if len(log.Paths[path]) == 0 {
			t.Errorf("%s was never crawled", path)
		}
	}
	if gap := log.Requests - a.Attempts; gap < 0 || gap > allowed {
		t.Errorf("the site answered %d requests more than were counted: %d came after the last save before a kill", gap, allowed)
	}
	if a.Interrupted != interrupted {
		t.Errorf("%d interrupted, %d were in flight in the records of the killed", a.Interrupted, interrupted)
	}
	if kills == 0 || len(a.Segments) < kills+1 || a.Segments[0].Clean || !a.Segments[len(a.Segments)-1].Clean {
		t.Errorf("%d kills, segments %+v", kills, a.Segments)
	}
	t.Logf("%d kills: %d requests, %d counted, %d interrupted, %d after the last saves", kills, log.Requests, a.Attempts, a.Interrupted, allowed)
}

// A migration: SIGTERM ends the first process with everything saved, and a
// second one, which has waited for the directory, goes on.
func TestMigration(t *testing.T) {
	s, state := serveSite(t), t.TempDir()
	older := example(t, s, state)
	s.await(t, older, 50)
	newer := example(t, s, state)
	newer.out.await(t, "waiting for the process that has the directory")
	older.signal(syscall.SIGTERM)
	if code := older.wait(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit status %d:\n%s", code, older.out)
	}
	if code := newer.wait(); code != 0 {
		t.Fatalf("exit status %d:\n%s", code, newer.out)
	}
	newer.out.await(t, "resumed")
	a := saved(t, state)
	agrees(t, a, s.Log())
	if len(a.Segments) != 2 || !a.Segments[0].Clean || a.Interrupted != 0 {
		t.Errorf("interrupted %d, segments %+v", a.Interrupted, a.Segments)
	}
}

// An abort: Ctrl-C saves and says so, and the next run adds up.
func TestAbort(t *testing.T) {
	s, state := serveSite(t), t.TempDir()
	c := example(t, s, state)
	s.await(t, c, 50)
	c.signal(syscall.SIGINT)
	if code := c.wait(); code != 128+int(syscall.SIGINT) {
		t.Errorf("exit status %d", code)
	}
	c.out.await(t, "state saved")
	agrees(t, saved(t, state), s.Log())
	if code := example(t, s, state).wait(); code != 0 {
		t.Fatal("the run after the abort failed")
	}
	agrees(t, saved(t, state), s.Log())
}

// The same, told to the statistics by events alone.
func TestMigratingAndAbortingAreSaved(t *testing.T) {
	for name, publish := range map[string]func(*events.Bus) error{
		"migrating": func(b *events.Bus) error { return events.Publish(context.Background(), b, events.Migrating{}) },
		"aborting":  func(b *events.Bus) error { return events.Publish(context.Background(), b, events.Aborting{}) },
	} {
		t.Run(name, func(t *testing.T) {
			var bus events.Bus
			store := kvstore.NewMemory()
			open := func() *stats.Statistics {
				st, err := stats.Open(t.Context(), stats.Config{ID: "example", Store: store, Events: &bus, PersistEvery: time.Hour, LogEvery: -1, Logger: quiet})
				if err != nil {
					t.Fatal(err)
				}
				return st
			}
			older := open()
			older.Start("a")
			older.Finish("a")
			older.Start("b")
			if err := publish(&bus); err != nil {
				t.Fatal(err)
			}
			newer := open() // while the older one is still there
			if got := statstest.Count(newer); got.Finished != 1 || got.Interrupted != 1 {
				t.Errorf("%+v", got)
			}
			if err := older.Close(); !errors.Is(err, stats.ErrSuperseded) {
				t.Errorf("the older one: %v", err)
			}
			if err := newer.Close(); err != nil {
				t.Error(err)
			}
			statstest.Balanced(t, newer)
		})
	}
}

// Reset in a user's test: one Statistics, many cases.
func TestResetBetweenCases(t *testing.T) {
	st := statstest.New(t)
	for range 3 {
		s := serveSite(t)
		for _, path := range []string{"/", "/p/1", "/404/1"} {
			j := st.BeginWith(stats.Request{URL: s.url + path})
			resp, err := http.Get(s.url + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			j.StatusCode(resp.StatusCode)
			j.Finish()
		}
		if a := st.Snapshot(); a.Finished != 3 || a.StatusCodes[200] != s.Log().Status[200] {
			t.Errorf("finished %d, codes %v", a.Finished, a.StatusCodes)
		}
		if err := st.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Two processes on one directory of Badger: the second is told who has it, and
// the first is unharmed.
func TestTwoProcessesOnOneDirectory(t *testing.T) {
	s, state := serveSite(t), t.TempDir()
	c := example(t, s, state)
	s.await(t, c, 10)

	store, err := badgerstore.Open(badgerstore.Config{Dir: state})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = stats.Open(ctx, stats.Config{ID: "example", Store: store})
	var locked *kvstore.LockedError
	if !errors.Is(err, kvstore.ErrLocked) || !errors.As(err, &locked) || locked.PID != c.cmd.Process.Pid {
		t.Errorf("opened by a second process: %v, want ErrLocked by pid %d", err, c.cmd.Process.Pid)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit status %d:\n%s", code, c.out)
	}
	st, err := stats.Open(t.Context(), stats.Config{ID: "example", Store: store, LogEvery: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, st.Snapshot(), s.Log())
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

// Two processes on one shared store: the older is fenced at its next save, and
// the newer's counts are intact.
func TestTwoProcessesOnOneSharedStore(t *testing.T) {
	dir := t.TempDir()
	c := play2(t, "fenced", dir)
	c.out.await(t, "counting")

	store, err := kvstore.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(context.Background())
	st, err := stats.Open(t.Context(), stats.Config{ID: "shared", Store: store, LogEvery: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	taken := st.Snapshot().Finished
	c.out.await(t, "superseded")
	for range 10 {
		j := st.Begin()
		j.Finish()
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit status %d:\n%s", code, c.out)
	}
	a, err := stats.Load(t.Context(), store, stats.Key("shared", ""))
	if err != nil || a.Finished != taken+10 || a.Balanced() != nil {
		t.Errorf("finished %d, want %d: %v", a.Finished, taken+10, err)
	}
}
