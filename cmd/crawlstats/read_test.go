package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/stats"
)

func TestHelp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	overview := good(t, dir, "help")
	if got := good(t, dir, "--help"); got != overview {
		t.Error("--help and help differ")
	}
	for _, c := range commands() {
		has(t, overview, "crawlstats "+c.name+" "+c.args)
		help := good(t, dir, c.name, "--help")
		has(t, help, "crawlstats "+c.name+" "+c.args, "Flags:", "--timeout", "crawlstats help")
		if got := good(t, dir, "help", c.name); got != help {
			t.Errorf("%s: help and --help differ", c.name)
		}
		bad(t, dir, exitUsage, "see crawlstats "+c.name+" --help", c.name, "--nonsense")
		bad(t, dir, exitUsage, "", c.name)
	}
	bad(t, dir, exitUsage, "no command", "paint")
	for _, version := range []string{"version", "--version"} {
		has(t, good(t, dir, version), "crawlstats "+stats.Version, runtime.Version())
	}
	bad(t, dir, exitUsage, "version takes nothing", "version", "shop")
	if r := cli(t, dir); r.code != exitUsage || !strings.Contains(r.err, "crawlstats list SRC") {
		t.Errorf("without arguments: %d, %s", r.code, r.err)
	}
}

// Every command gives the same answers about a source that cannot be read.
func TestSourcesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := home(t)
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		src  string
		code int
		says string
	}{
		{"missing", exitNothing, "there is no missing"},
		{"empty", exitNothing, "no store"},
		{write("junk", "junk"), exitDamaged, "damaged"},
		{write("hostile", "\x1b[2J\r\x1b]8;;http://evil\x07"), exitDamaged, "damaged"},
		{write("newer.json", `{"crawlstatsSchema":99}`), exitDamaged, "newer"},
		{write("cut.json", `{"requestsFinished":3,`), exitDamaged, "damaged"},
		{"both", exitUsage, `--id: "news", "shop"`},
		{"both#gone", exitNothing, "no crawl \"gone\""},
		{"redis://127.0.0.1:1/0", exitFailure, "unavailable"},
		{"redis://:secret@127.0.0.1:1/0?what=ever", exitUsage, "what"},
		{"nats://127.0.0.1:1/crawls", exitFailure, "unavailable"},
		{"nats://127.0.0.1:1", exitUsage, "bucket"},
		{"http://user:secret@127.0.0.1:1/", exitFailure, "is the crawler running, with its page there?"},
		{"ftp://127.0.0.1/today.json", exitUsage, "there is no ftp://, there are redis://"},
	} {
		for _, command := range []string{"show", "export"} {
			bad(t, dir, c.code, c.says, command, c.src, "--timeout", "5s")
			if r := cli(t, dir, command, c.src, "--timeout", "5s"); strings.Contains(r.err, "secret") {
				t.Errorf("%s tells the password: %s", c.src, r.err)
			}
		}
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Error("looking has made files")
	}
	bad(t, dir, exitNothing, `no member "w9"`, "show", "both#news", "--member", "w9")
	bad(t, dir, exitUsage, "holds one crawl", "show", "today.json", "--member", "w0")
	bad(t, dir, exitNothing, "not found", "show", "both", "--key", "gone")
}

func TestList(t *testing.T) {
	t.Parallel()
	dir := home(t)
	want := `ID     MEMBER   STATE         FINISHED   FAILED   SAVED
news   w0       finished      920        60       2026-03-01 12:00:00 UTC
news   w1       interrupted   920        60       2026-03-01 12:00:00 UTC
shop   -        finished      920        60       2026-03-01 12:00:00 UTC
`
	if diff := cmp.Diff(want, good(t, dir, "list", "both")); diff != "" {
		t.Error(diff)
	}
	var got struct {
		SchemaVersion int      `json:"schema_version"`
		Crawls        []listed `json:"crawls"`
	}
	if err := json.Unmarshal([]byte(good(t, dir, "list", "crawl-state", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.SchemaVersion != 1 || len(got.Crawls) != 1 || got.Crawls[0].ID != "shop" || got.Crawls[0].Finished != 920 {
		t.Errorf("%+v", got)
	}
	bad(t, dir, exitUsage, "holds one crawl", "list", "today.json")
	bad(t, dir, exitUsage, "format", "list", "both", "--format", "xml")
	files(t, filepath.Join(dir, "hostile"), map[string]stats.Snapshot{"a\x1b[2J\r\n\u202e": shop(1)})
	has(t, good(t, dir, "list", "hostile"), `a\x1b[2J\x0d\x0a\u202e`)
}

func TestShow(t *testing.T) {
	t.Parallel()
	dir := home(t)
	text := good(t, dir, "show", "crawl-state", "--hosts", "2", "--errors", "1", "--sort", "fail")
	has(t, text, "shop  finished after 14m 52s", "920 finished   60 failed (6.1 %)", "ATTEMPTS", "and 1 more group", "HOST", "and 1 more host")
	has(t, good(t, dir, "show", "both#news"), "1,840 finished", "Workers", "w0", "w1")
	has(t, good(t, dir, "show", "both", "--id", "news", "--member", "w0"), "920 finished")

	var figures map[string]any
	if err := json.Unmarshal([]byte(good(t, dir, "show", "today.json", "--format", "json")), &figures); err != nil {
		t.Fatal(err)
	}
	if figures["schema_version"] != 1.0 || figures["requests_finished"] != 920.0 || figures["finished_at"] != "2026-03-01T12:00:00Z" {
		t.Errorf("%v", figures)
	}
	piped, err := os.ReadFile(filepath.Join(dir, "today.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r := cliIn(t, dir, string(piped), "show", "-"); r.code != 0 || !strings.Contains(r.out, "920 finished") {
		t.Errorf("standard input: %d %s", r.code, r.err)
	}
	bad(t, dir, exitUsage, "may be req, fail or p95", "show", "both", "--sort", "age")
	bad(t, dir, exitUsage, "not be negative", "show", "both", "--hosts", "-1")
	for _, flag := range []string{"--timeout", "--every"} {
		for _, value := range []string{"0", "-1s"} {
			bad(t, dir, exitUsage, "give a positive time", "show", "today.json", flag, value)
		}
	}
	bad(t, dir, exitUsage, "once", "show", "-", "--watch")
}

// TestRounded: a time is the same milliseconds wherever it is shown.
func TestRounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := stats.New()
	s.Observe(stats.Outcome{Request: stats.Request{Host: "shop.example"}, Duration: 26_700 * time.Microsecond})
	export(t, filepath.Join(dir, "a.json"), s.Snapshot())
	has(t, good(t, dir, "show", "a.json"), "p50 27 ms", "p95 27 ms", "p99 27 ms", "max 27 ms")
	has(t, good(t, dir, "show", "a.json", "--format", "json"),
		`"duration_avg_ms": 27,`, `"duration_p50_ms": 27,`, `"duration_p95_ms": 27,`, `"duration_p99_ms": 27,`, `"duration_max_ms": 27,`)
	has(t, good(t, dir, "export", "a.json", "--format", "csv", "--what", "hosts"), "shop.example,1,0,0,0,0,27,27,27\n")
}

// Of some crawls there is little to tell, and every command still tells it.
func TestLittle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	failed := shop(1)
	failed.Finished, failed.FinishedDuration = 0, stats.Durations{}
	back := shop(1)
	back.StartedAt, back.PersistedAt = at.Add(time.Hour), at.Add(100*365*24*time.Hour)
	one := shop(1)
	one.Hosts = one.Hosts[:1]
	for name, a := range map[string]stats.Snapshot{
		"zero": {}, "opened": stats.New().Snapshot(), "failed": failed, "back": back, "one": one, "ended": {StartedAt: at, FinishedAt: at},
	} {
		file := name + ".json"
		export(t, filepath.Join(dir, file), a)
		for _, args := range [][]string{
			{"show", file, "--hosts", "3", "--errors", "3"},
			{"show", file, "--format", "json"},
			{"export", file},
			{"export", file, "--format", "prom"},
			{"export", file, "--format", "csv"},
			{"export", file, "--format", "csv", "--what", "hosts"},
			{"export", file, "--format", "csv", "--what", "errors"},
			{"export", file, "--format", "csv", "--what", "history"},
			{"diff", file, "one.json"},
			{"merge", "-o", "-", file},
			{"report", file, "-o", "-"},
		} {
			if name != "one" && args[0] == "diff" {
				export(t, filepath.Join(dir, "one.json"), one)
			}
			if out := good(t, dir, args...); strings.TrimSpace(out) == "" {
				t.Errorf("crawlstats %v has nothing to say", args)
			}
		}
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	dir := home(t)
	a, err := stats.Decode([]byte(good(t, dir, "export", "crawl-state")))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(shop(1))
	got, _ := json.Marshal(a)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error("the export lost something:", diff)
	}
	good(t, dir, "export", "crawl-state", "-o", "saved.json")
	if b, err := os.ReadFile(filepath.Join(dir, "saved.json")); err != nil || strings.TrimSpace(string(b)) != string(want) {
		t.Errorf("%d bytes in the file, %v", len(b), err)
	}
	has(t, good(t, dir, "export", "crawl-state", "--format", "prom"),
		`crawler_requests_finished_total{crawler="shop"} 920`, `crawler_host_requests_total{crawler="shop",host="img.example"`)
	has(t, good(t, dir, "export", "crawl-state", "--format", "crawlee"), `"requestsFinished":920`)
	bad(t, dir, exitUsage, "format", "export", "crawl-state", "--format", "xml")
	bad(t, dir, exitUsage, "what", "export", "crawl-state", "--what", "all")
	bad(t, dir, exitUsage, "--what is for --format csv", "export", "crawl-state", "--format", "prom", "--what", "hosts")
	bad(t, dir, exitFailure, "write no/such/dir.json: no such file", "export", "crawl-state", "-o", "no/such/dir.json")
}

// TestKilledJustNow: nobody runs a crawl whose directory nobody has.
func TestKilledJustNow(t *testing.T) {
	t.Parallel()
	dir := home(t)
	killed := shop(1)
	killed.FinishedAt, killed.PersistedAt = time.Time{}, time.Now()
	badger(t, filepath.Join(dir, "killed"), map[string]stats.Snapshot{"shop": killed})
	has(t, good(t, dir, "show", "killed"), "shop  interrupted")
	has(t, good(t, dir, "list", "killed"), "interrupted")
	has(t, good(t, dir, "report", "killed", "-o", "-"), "<title>shop: interrupted")
}

// TestLocked: a directory that a crawler has is neither read nor waited for.
func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := play(t, "crawler", dir, self(t))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "crawling\n" {
		t.Fatal(line, err)
	}
	work := t.TempDir()
	export(t, filepath.Join(work, "a.json"), shop(1))
	pid := strconv.Itoa(cmd.Process.Pid)
	for _, args := range [][]string{
		{"list", dir},
		{"show", dir},
		{"export", dir},
		{"report", dir, "-o", "r.html"},
		{"diff", dir, "a.json"},
		{"check", dir, "--min-finished", "1"},
		{"merge", "-o", "-", dir},
		{"reset", dir, "--id", "live", "--yes"},
		{"serve", dir},
		{"import", dir, "to"},
		{"import", "a.json", dir, "--id", "shop"},
	} {
		next := "ask its dashboard: name http://HOST:PORT instead"
		switch args[0] {
		case "list":
			next = "ask its dashboard: crawlstats show http://HOST:PORT"
		case "import", "reset":
			next = "stop it first"
		}
		bad(t, work, exitLocked, pid, args...)
		bad(t, work, exitLocked, next, args...)
	}
	if left, _ := os.ReadDir(work); len(left) != 1 {
		t.Errorf("something was written: %v", left)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error("the crawler was disturbed:", err)
	}
	has(t, good(t, work, "show", dir), "live  finished", "1 finished")
}
