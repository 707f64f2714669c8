// Package crawlee_test loads records of this library with Crawlee itself.
package crawlee_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

const version = "3.18.1"

// crawlee returns a directory from which node finds Crawlee.
func crawlee(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: run scripts/setup", tool)
			}
			t.Skipf("NOT RUN: %s is missing: run scripts/setup", tool)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "crawlstats", "crawlee-"+version)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@crawlee", "core", "package.json")); err != nil {
		out, err := exec.Command("npm", "install", "--no-fund", "--no-audit", "--prefix", dir, "@crawlee/core@"+version).CombinedOutput()
		if err != nil {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
	}
	return dir
}

// load returns what Crawlee makes of each record.
func load(t *testing.T, records ...[]byte) []string {
	t.Helper()
	dir := crawlee(t)
	script, err := filepath.Abs("load.cjs")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{script}
	for _, r := range records {
		f, err := os.CreateTemp(t.TempDir(), "record")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(r); err != nil {
			t.Fatal(err)
		}
		f.Close()
		args = append(args, f.Name())
	}
	cmd := exec.Command("node", args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(dir, "node_modules"), "CRAWLEE_LOG_LEVEL=OFF")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s\n%s", err, out, &stderr)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// A record that Crawlee wrote, read and written again by this library, is
// to Crawlee the record it was.
func TestCrawleeLoadsWhatWeWrite(t *testing.T) {
	original, err := os.ReadFile("../../../stats/testdata/crawlee/js-3.18.1-final.json")
	if err != nil {
		t.Fatal(err)
	}
	a, err := stats.Decode(original)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := a.EncodeCrawlee()
	if err != nil {
		t.Fatal(err)
	}
	got := load(t, original, ours)
	got[0] = strings.ReplaceAll(got[0], "null", "0") // a hole in its histogram
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("Crawlee makes of\n its own %s\n    ours %s", got[0], got[1])
	}
}

// What was counted here goes on in Crawlee.
func TestCrawleeLoadsACrawl(t *testing.T) {
	s := stats.New()
	for i := range 4 {
		s.Observe(stats.Outcome{Duration: time.Duration(i+1) * 10 * time.Millisecond, StatusCode: 200, Request: stats.Request{Retries: i}})
	}
	record, err := s.Snapshot().EncodeCrawlee()
	if err != nil {
		t.Fatal(err)
	}
	got := load(t, record)[0]
	for _, want := range []string{`"finished":4`, `"failed":0`, `"retries":3`, `"histogram":[1,1,1,1]`, `"shortest":10`, `"longest":40`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}
