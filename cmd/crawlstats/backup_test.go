package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// TestBackupOfAFleet: the records of a fleet go together or stay together, and
// each has a file of its own.
func TestBackupOfAFleet(t *testing.T) {
	t.Parallel()
	dir := home(t)
	bad(t, dir, exitUsage, "--member", "reset", "both", "--id", "news", "--yes", "--backup", "news.crawlstats")
	bad(t, dir, exitUsage, "--member", "import", "both", "moved", "--id", "news", "--replace", "--backup", "news.crawlstats")
	for _, name := range []string{"news.crawlstats", "moved"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Error("a refusal has made", name)
		}
	}
	has(t, good(t, dir, "list", "both"), "w0", "w1")

	running := shop(2)
	running.FinishedAt, running.PersistedAt = time.Time{}, time.Now().Add(time.Hour)
	files(t, filepath.Join(dir, "fleet"), map[string]stats.Snapshot{"news/a.b": shop(1), "news/a_b": shop(2), "news/w": running})
	bad(t, dir, exitFailure, "stop the crawler first", "reset", "fleet", "--id", "news", "--yes", "--no-backup")
	has(t, good(t, dir, "list", "fleet"), "a.b", "a_b")

	r := cli(t, dir, "reset", "fleet", "--id", "news", "--yes", "--force")
	kept := map[string]bool{}
	for l := range strings.Lines(r.err) {
		if file, ok := strings.CutPrefix(strings.TrimSpace(l), "backup in "); ok {
			has(t, good(t, dir, "show", file), "920 finished")
			kept[file] = true
		}
	}
	if r.code != exitOK || len(kept) != 3 {
		t.Errorf("exit code %d, %d backups, want 3: %s", r.code, len(kept), r.err)
	}
	bad(t, dir, exitNothing, "no crawl", "show", "fleet")
}
