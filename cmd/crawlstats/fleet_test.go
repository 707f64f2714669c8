package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// TestSilentWorker: that one worker has finished does not hide that the other is
// silent.
func TestSilentWorker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	dead, done := shop(1), shop(2)
	dead.FinishedAt, dead.PersistedAt = time.Time{}, now.Add(-time.Hour)
	done.FinishedAt, done.PersistedAt = now, now
	files(t, filepath.Join(dir, "fleet"), map[string]stats.Snapshot{"news/w0": dead, "news/w1": done})

	has(t, good(t, dir, "show", "fleet"), "news  interrupted", "1 silent, 1 finished")
	report := good(t, dir, "report", "fleet", "-o", "-")
	has(t, report, "<title>news: interrupted", "No worker is running", "w0", "w1", "silent")
	if strings.Contains(report, "Finished:") {
		t.Error("the report says that the crawl has finished")
	}

	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitCheck, "FAIL  saved          1h0m", []string{"--max-age", "5m"}},
		{exitOK, "ok    saved          1h0m", []string{"--max-age", "2h"}},
		{exitOK, "ok    saved", []string{"--max-age", "5m", "--member", "w1"}},
	} {
		r := cli(t, dir, append([]string{"check", "fleet"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.out, c.says) {
			t.Errorf("check %v: exit code %d, want %d: %s%s", c.args, r.code, c.code, r.out, r.err)
		}
	}
}
