package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDamagedRecord: damage in one record does not hide the others.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	dir := home(t)
	w0 := damageMember(t, dir)
	r := cli(t, dir, "list", "both")
	has(t, r.err, "let the crawler open both, which")
	if r.code != exitDamaged || !strings.Contains(r.out, "unreadable") || !strings.Contains(r.out, "shop   -        finished") {
		t.Errorf("a damaged record: %d, %s", r.code, r.out)
	}
	bad(t, dir, exitDamaged, "let the crawler open both, which", "show", "both#news", "--member", "w0")
	bad(t, dir, exitDamaged, "let the crawler open both, which", "import", "both#news", "moved")
	if r := cli(t, dir, "show", "both#news"); r.code != exitDamaged || !strings.Contains(r.out, "920 finished") || !strings.Contains(r.err, `"w0" is left out`) {
		t.Errorf("a damaged member: %d, %s\n%s", r.code, r.out, r.err)
	}
	bad(t, dir, exitDamaged, "left out", "check", "both#news", "--min-finished", "1")

	// Nor is a file passed over whose crawl nobody can tell, where it may be of the
	// one that is meant.
	if err := os.WriteFile(w0, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	hidden := filepath.Base(w0)
	r = cli(t, dir, "list", "both")
	if r.code != exitDamaged || !strings.Contains(r.err, hidden) || !strings.Contains(r.out, "shop   -        finished") {
		t.Errorf("a file of junk: %d, %s%s", r.code, r.out, r.err)
	}
	bad(t, dir, exitDamaged, hidden, "check", "both#news", "--min-finished", "1")
	bad(t, dir, exitDamaged, hidden, "show", "both#gone")
	good(t, dir, "check", "both#shop", "--min-finished", "1")
}

// damageMember turns a bit in the record of a member of the home, whose file it
// returns.
func damageMember(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "both", "*news*w0*.kv"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-5] ^= 1
	if err := os.WriteFile(names[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	return names[0]
}

// TestDamagedDatabase: what can be recovered is shown, and the user is told what
// is wrong with which directory.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	dir := home(t)
	tables, err := filepath.Glob(filepath.Join(dir, "crawl-state", "badger", "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Fatal(tables, err)
	}
	if err := os.Truncate(tables[0], 100); err != nil {
		t.Fatal(err)
	}
	const says = "damaged: the database in crawl-state: a copy of it was recovered, keys missing: 0, saves missing: at most 0: let the crawler open crawl-state"
	for _, args := range [][]string{{"list"}, {"show"}, {"export"}, {"report", "-o", "-"}} {
		r := cli(t, dir, slices.Insert(args, 1, "crawl-state")...)
		if r.code != exitDamaged || !strings.Contains(r.out, "920") || !strings.Contains(r.err, says) || strings.Contains(r.err, "crawlstats-copy") {
			t.Errorf("crawlstats %v: exit code %d, %s\n%s", args, r.code, r.err, r.out)
		}
	}
	bad(t, dir, exitDamaged, says, "check", "crawl-state", "--finished")
	bad(t, dir, exitDamaged, says, "import", "crawl-state", "moved")

	if err := os.RemoveAll(filepath.Join(dir, "crawl-state", "last-good")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "show"} {
		bad(t, dir, exitDamaged, "keys missing: 1, saves missing: at most", command, "crawl-state")
	}
	if a := goOn(t, openBadger(t, filepath.Join(dir, "crawl-state")), "shop", ""); a.Finished != 1 {
		t.Errorf("%d finished", a.Finished)
	}
	good(t, dir, "show", "crawl-state") // the crawler has mended it
}
