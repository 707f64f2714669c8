package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/stats"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	dir := home(t)
	has(t, good(t, dir, "diff", "crawl-state", "both#news"), "CHANGE", "requests_finished", "+100.0 %", "members")
	var got struct {
		Figures []pair `json:"figures"`
	}
	if err := json.Unmarshal([]byte(good(t, dir, "diff", "yesterday.json", "today.json", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	changes := map[string]float64{}
	for _, f := range got.Figures {
		if f.Change != nil {
			changes[f.Name] = *f.Change
		}
	}
	if c := changes["duration_p95_ms"]; c < 98 || c > 102 || changes["requests_failed"] != 0 {
		t.Errorf("twice as slow is %+v", changes)
	}
	bad(t, dir, exitUsage, "diff A B", "diff", "today.json")
	bad(t, dir, exitNothing, "", "diff", "today.json", "gone")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := home(t)
	export(t, filepath.Join(dir, "empty.json"), stats.Snapshot{})
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitOK, "ok    fail rate      6.122%, limit 7%", []string{"crawl-state", "--max-fail-rate", "7%"}},
		{exitCheck, "FAIL  fail rate      6.122%, limit 6.1%", []string{"crawl-state", "--max-fail-rate", "6.1"}},
		{exitOK, "ok    p95", []string{"crawl-state", "--max-p95", "2s", "--max-p99", "2s"}},
		{exitCheck, "FAIL  p99", []string{"crawl-state", "--max-p95", "2s", "--max-p99", "900ms"}},
		{exitOK, "ok    finished       920, limit at least 920", []string{"crawl-state", "--min-finished", "920", "--finished"}},
		{exitCheck, "FAIL  finished", []string{"crawl-state", "--min-finished", "921"}},
		{exitCheck, "FAIL  saved", []string{"crawl-state", "--max-age", "1h"}},
		{exitCheck, "FAIL  state          interrupted, limit finished", []string{"both#news", "--member", "w1", "--finished"}},
		{exitCheck, "FAIL  fail rate      no request has finished or failed", []string{"empty.json", "--max-fail-rate", "100%"}},
		{exitCheck, "FAIL  p95            no request has finished", []string{"empty.json", "--max-p95", "1h"}},
		{exitCheck, "FAIL  saved          never", []string{"empty.json", "--max-age", "1h"}},
	} {
		r := cli(t, dir, append([]string{"check"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.out, c.says) || r.err != "" {
			t.Errorf("check %v: exit code %d, want %d:\n%s%s", c.args, r.code, c.code, r.out, r.err)
		}
	}
	bad(t, dir, exitUsage, "at least one limit", "check", "crawl-state")
	for _, value := range []string{"-1", "101%", "nan", "x", ""} {
		bad(t, dir, exitUsage, "0% to 100%", "check", "crawl-state", "--max-fail-rate", value)
	}
	bad(t, dir, exitUsage, "", "check", "crawl-state", "--max-p95", "0")
	bad(t, dir, exitUsage, "negative", "check", "crawl-state", "--min-finished", "-1")
}

func TestMerge(t *testing.T) {
	t.Parallel()
	dir := home(t)
	good(t, dir, "merge", "-o", "all.json", "yesterday.json", "today.json")
	data, err := os.ReadFile(filepath.Join(dir, "all.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := stats.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(shop(1).Merge(shop(2)))
	have, _ := json.Marshal(got)
	if diff := cmp.Diff(string(want), string(have)); diff != "" || got.Finished != 1840 {
		t.Error("merged wrongly:", diff)
	}
	bad(t, dir, exitFailure, "there already", "merge", "-o", "all.json", "yesterday.json")
	good(t, dir, "merge", "--replace", "-o", "all.json", "yesterday.json")
	bad(t, dir, exitFailure, "count it twice", "merge", "-o", "twice.json", "yesterday.json", "crawl-state")
	bad(t, dir, exitFailure, "count it twice", "merge", "-o", "-", "today.json", "today.json")
	bad(t, dir, exitUsage, "-o", "merge", "yesterday.json")
	bad(t, dir, exitNothing, "", "merge", "-o", "x.json", "yesterday.json", "gone")
	if _, err := os.Stat(filepath.Join(dir, "x.json")); err == nil {
		t.Error("half a merge was written")
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	dir := home(t)
	good(t, dir, "report", "crawl-state", "-o", "report.html")
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(page), "<html", "920")
	bad(t, dir, exitUsage, "-o", "report", "crawl-state")
}

func TestReset(t *testing.T) {
	t.Parallel()
	dir := home(t)
	bad(t, dir, exitUsage, "--id", "reset", "both", "--yes")
	bad(t, dir, exitUsage, "--yes", "reset", "both", "--id", "news")
	bad(t, dir, exitNothing, "gone", "reset", "both", "--id", "gone", "--yes")
	bad(t, dir, exitNothing, "", "reset", "missing", "--id", "shop", "--yes")
	if _, err := os.Stat(filepath.Join(dir, "missing")); err == nil {
		t.Error("a wrong name has become a directory")
	}

	good(t, dir, "reset", "both", "--id", "news", "--member", "w1", "--yes", "--backup", "w1.crawlstats")
	has(t, good(t, dir, "show", "w1.crawlstats"), "920 finished")
	list := good(t, dir, "list", "both")
	if strings.Contains(list, "w1") || !strings.Contains(list, "w0") || !strings.Contains(list, "shop") {
		t.Errorf("one record was to go:\n%s", list)
	}
	if a := goOn(t, openFiles(t, filepath.Join(dir, "both")), "news", "w1"); a.Finished != 1 {
		t.Errorf("%d finished after a reset, want 1", a.Finished)
	}

	r := cli(t, dir, "reset", "crawl-state", "--id", "shop", "--yes")
	_, file, _ := strings.Cut(r.err, "backup in ")
	file, _, _ = strings.Cut(file, "\n")
	if r.code != exitOK || file == "" {
		t.Fatalf("%d %s", r.code, r.err)
	}
	bad(t, dir, exitNothing, "no crawl", "show", "crawl-state")
	good(t, dir, "import", file, "crawl-state", "--id", "shop") // and back
	if a := goOn(t, openBadger(t, filepath.Join(dir, "crawl-state")), "shop", ""); a.Finished != 921 {
		t.Errorf("%d finished, want 921", a.Finished)
	}
	before, _ := os.ReadDir(dir)
	good(t, dir, "reset", "crawl-state", "--id", "shop", "--yes", "--no-backup")
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Error("a backup in spite of --no-backup")
	}
}

// TestLookingLeavesNoTrace: no reader changes a directory or a file.
func TestLookingLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := home(t)
	state := func() map[string]string {
		all := map[string]string{}
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			info, _ := d.Info()
			all[path] = info.ModTime().String() + string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := state()
	for _, src := range []string{"crawl-state", "both#news", "today.json"} {
		good(t, dir, "show", src)
		good(t, dir, "export", src)
		good(t, dir, "check", src, "--min-finished", "1")
		good(t, dir, "diff", src, src)
	}
	good(t, dir, "list", "crawl-state")
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("looking has changed something: %.500s", diff)
	}
}
