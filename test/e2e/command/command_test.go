package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
)

var (
	binary string // the command, as `go build` makes it
	nolog  = slog.New(slog.DiscardHandler)
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "crawlstats-command-")
	if err == nil {
		binary = filepath.Join(dir, "crawlstats")
		var out []byte
		out, err = exec.Command("go", "build", "-o", binary, "github.com/crawlstats/crawlstats/cmd/crawlstats").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := leaktest.Run(m)
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// cli runs the command and returns what it says and its exit code.
func cli(t *testing.T, args ...string) (out, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = t.TempDir()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func good(t *testing.T, args ...string) string {
	t.Helper()
	out, stderr, code := cli(t, args...)
	if code != 0 {
		t.Fatalf("crawlstats %v: exit code %d: %s", args, code, stderr)
	}
	return out
}

// crawl counts n requests over a store, as the next run of a crawl, and returns
// what it has saved.
func crawl(t *testing.T, st kvstore.Store, n int) stats.Snapshot {
	t.Helper()
	s, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: st, LogEvery: -1, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	frontier, err := stats.Extend(s, "frontier", []string{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		q := stats.Outcome{
			Request:    stats.Request{Host: fmt.Sprintf("host%d.example", i%7), Retries: i % 3},
			Duration:   time.Duration(i+1) * time.Millisecond,
			StatusCode: 200,
		}
		if i%10 == 0 {
			q.Err = errors.New("refused")
		}
		s.Observe(q)
	}
	s.Counter("items").Add(int64(n))
	s.Unique("urls").Add(fmt.Sprint(n))
	frontier.Update(func(urls *[]string) { *urls = append(*urls, fmt.Sprintf("https://host.example/%d", n)) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := stats.Load(t.Context(), st, stats.Key("shop", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	return a
}

// same fails unless the export of a source is that snapshot, to the last bucket.
func same(t *testing.T, src string, want stats.Snapshot) {
	t.Helper()
	a, _ := json.Marshal(want)
	b := strings.TrimSpace(good(t, "export", src, "--id", "shop"))
	if string(a) != b {
		t.Errorf("%s differs: it holds\n%s\nwant\n%s", src, b, a)
	}
}

// TestMove crawls over Badger, moves to Redis, crawls on, moves to NATS and
// crawls on: it is one crawl all the way.
func TestMove(t *testing.T) {
	server := redistest.Start(t)
	cluster := natstest.Start(t)
	dir := filepath.Join(t.TempDir(), "crawl-state")
	redis := "redis://" + server.Addr + "/0?prefix=crawls"

	local, err := badgerstore.Open(badgerstore.Config{Dir: dir, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	first := crawl(t, local, 100)
	if _, stderr, code := cli(t, "export", dir); code != 4 || !strings.Contains(stderr, fmt.Sprint(os.Getpid())) {
		t.Errorf("while it is open: exit code %d, %s", code, stderr)
	}
	if err := local.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// By way of a file, as between two machines.
	file := filepath.Join(t.TempDir(), "shop.json")
	good(t, "export", dir, "-o", file)
	good(t, "import", file, redis, "--id", "shop")
	same(t, redis, first)
	if _, stderr, code := cli(t, "import", file, redis, "--id", "shop"); code != 1 || !strings.Contains(stderr, "already") {
		t.Errorf("a second import: exit code %d, %s", code, stderr)
	}

	remote, err := redisstore.New(server.Client(t), redisstore.Config{Prefix: "crawls", Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	second := crawl(t, remote, 50)
	goesOn(t, first, second, 150)
	if err := remote.Close(t.Context()); err != nil {
		t.Error(err)
	}

	// Directly.
	js := natstest.Connect(t, cluster.URLs())
	kv := natstest.Make(t, js, jetstream.KeyValueConfig{Bucket: "crawls", Replicas: 3, History: 5})
	nats, _, _ := strings.Cut(cluster.URLs(), ",")
	nats += "/crawls"
	good(t, "import", redis, nats)
	same(t, nats, second)
	shared, err := natsstore.New(t.Context(), kv, natsstore.Config{Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	goesOn(t, second, crawl(t, shared, 25), 175)
	if err := shared.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if out := good(t, "show", nats, "--hosts", "3"); !strings.Contains(out, "resumed 2 times") {
		t.Errorf("three runs of one crawl:\n%s", out)
	}
	if _, stderr, code := cli(t, "show", strings.Replace(nats, "/crawls", "/gone", 1)); code != 3 {
		t.Errorf("a bucket that is not there: exit code %d, %s", code, stderr)
	}
}

// goesOn checks that b is a with another run.
func goesOn(t *testing.T, a, b stats.Snapshot, items int64) {
	t.Helper()
	frontier, err := stats.ExtensionOf[[]string](b, "frontier", nil)
	if err != nil {
		t.Error(err)
	}
	if b.Total() != items || b.Counters["items"] != items || b.Runtime < a.Runtime || !b.StartedAt.Equal(a.StartedAt) || len(b.Hosts) != 7 ||
		len(b.Segments) != len(a.Segments)+1 || len(frontier) != len(b.Segments) || b.Uniques["urls"] != int64(len(b.Segments)) ||
		b.FinishedDuration.Max != a.FinishedDuration.Max {
		t.Errorf("it did not go on as the same crawl: %d requests, %d items, %d runs, frontier %q, %v", b.Total(), b.Counters["items"], len(b.Segments), frontier, b.Uniques)
	}
}

// TestFencedByImport: a crawler at work on Redis, whose record is replaced, learns
// of it at its next save and leaves the new one alone.
func TestFencedByImport(t *testing.T) {
	server := redistest.Start(t)
	url := "redis://" + server.Addr
	st, err := redisstore.New(server.Client(t), redisstore.Config{Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close(context.Background())
	owner, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: st, PersistEvery: time.Hour, LogEvery: -1, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	owner.Observe(stats.Outcome{})
	if err := owner.Persist(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(file, []byte(`{"requestsFinished":7,"requestRetryHistogram":[7]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"import", file, url, "--id", "shop"}, {"import", url, t.TempDir()}, {"reset", url, "--id", "shop", "--yes"}} {
		if _, stderr, code := cli(t, args...); code != 1 || !strings.Contains(stderr, "running") && !strings.Contains(stderr, "stop the crawler") {
			t.Errorf("crawlstats %v: exit code %d, %s", args, code, stderr)
		}
	}
	good(t, "import", file, url, "--id", "shop", "--replace", "--no-backup")
	owner.Observe(stats.Outcome{})
	if err := owner.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
		t.Errorf("the owner of before: %v", err)
	}
	owner.Close()
	if out := good(t, "show", url); !strings.Contains(out, "7 finished") {
		t.Errorf("the import is gone:\n%s", out)
	}
	good(t, "reset", url, "--id", "shop", "--yes", "--no-backup")
	if _, _, code := cli(t, "show", url); code != 3 {
		t.Errorf("after a reset: exit code %d", code)
	}
}
