package crawlstats_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// What README says is what happens.

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block returns the Go blocks of README behind a marker comment.
func blocks(t *testing.T, marker string) (code []string) {
	t.Helper()
	re := regexp.MustCompile("(?s)<!-- " + marker + "[^\n]*-->\n```go\n(.*?)```")
	for _, m := range re.FindAllStringSubmatch(readme(t), -1) {
		code = append(code, m[1])
	}
	if len(code) == 0 {
		t.Fatalf("README has no block marked %q", marker)
	}
	return code
}

// newModule makes a module outside of this one that uses it as README says.
func newModule(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"mod", "init", "example.org/mine"},
		{"mod", "edit", "-replace", module + "=" + here},
		{"mod", "tidy"},
	} {
		run(t, dir, "go", args...)
	}
	return dir
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := inDir(dir, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// The program of README, in a module of its own, is killed in the middle and
// resumes.
func TestReadmeProgram(t *testing.T) {
	dir := newModule(t, map[string]string{"main.go": blocks(t, "program")[0]})
	run(t, dir, "go", "build", "-o", "mine", ".")

	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	defer close(hang)

	mine := func(paths ...string) *child {
		cmd := inDir(dir, filepath.Join(dir, "mine"))
		for _, p := range paths {
			cmd.Args = append(cmd.Args, server.URL+p)
		}
		return start(t, cmd)
	}
	first := mine("/a", "/b")
	if first.wait() != 0 {
		t.Fatalf("%s", first.out)
	}
	killed := mine("/c", "/hangs")
	killed.out.await(t, "resumed")
	killed.signal(syscall.SIGKILL)
	killed.wait()
	last := mine("/d")
	if last.wait() != 0 {
		t.Fatalf("%s", last.out)
	}
	last.out.await(t, "resumed")
	if !regexp.MustCompile(`requests_finished\s*│\s*[34]\b`).MatchString(last.out.String()) {
		t.Errorf("two requests before the kill and one after it do not add up to 3, or 4 with the killed run's:\n%s", last.out)
	}
}

// The other snippets compile, with what surrounds them in a program.
func TestReadmeSnippets(t *testing.T) {
	snippets := blocks(t, "snippet")
	newest := newModule(t, map[string]string{
		"mine.go": "package mine\n",
		"first_test.go": `package mine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/stats"
)

func first(ctx context.Context, crawl func(context.Context, *http.Client) error) error {
	` + snippets[0] + `
}

func TestFirst(t *testing.T) {
	t.Chdir(t.TempDir())
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	err := first(t.Context(), func(ctx context.Context, client *http.Client) error {
		resp, err := client.Get(server.URL)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := badgerstore.OpenCopy(badgerstore.Config{Dir: "crawl-state"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(t.Context())
	a, err := stats.Load(t.Context(), store, stats.Key("shop", ""))
	if err != nil || a.Failed != 1 || a.StatusCodes[404] != 1 {
		t.Errorf("one request that was not found: %d failed, codes %v, %v", a.Failed, a.StatusCodes, err)
	}
	page := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
	if page.Code != http.StatusOK {
		t.Errorf("the page: %d", page.Code)
	}
}
`,
		"mine_test.go": `package mine

import (
	"testing"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

var sites = []string{"a", "b"}

func crawl(st *stats.Statistics, site string) {
	j := st.Begin()
	j.Finish()
}

` + snippets[1] + `
func TestStatsd(t *testing.T) {
	st := statstest.New(t)
	` + snippets[2] + `
	if err != nil {
		t.Fatal(err)
	}
	_ = pusher.Close() // nobody listens
}
`,
	})
	run(t, newest, "go", "test", "./...")
}

// The commands of the shell blocks, from the first to the last, in a directory of
// their own: the example, and then the command on what it has left.
func TestReadmeCommands(t *testing.T) {
	exe, err := buildExample()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(bin, "crawlstats")
	run(t, ".", "go", "build", "-o", command, "./cmd/crawlstats")
	dir := t.TempDir()
	said := make(map[string]string) // what each has said, by its name
	for _, m := range regexp.MustCompile(`(?m)^go run (\./[^ ]+) ?(.*)$`).FindAllStringSubmatch(readme(t), -1) {
		args := strings.Fields(strings.ReplaceAll(m[2], ":8077", ":0")) // another program may have the port
		switch {
		case m[1] == "./crawler/example":
			said["example"] += run(t, dir, exe, args...)
		case args[0] == "serve":
			served := start(t, inDir(dir, command, append(args, "--addr", "127.0.0.1:0")...))
			served.out.await(t, "http://127.0.0.1:")
			served.signal(syscall.SIGINT)
			served.wait()
			said[args[0]] = served.out.String()
		default:
			said[args[0]] = run(t, dir, command, args...)
		}
	}
	for name, want := range map[string]string{
		"example": "live page", "list": "finished", "show": "623 finished", "check": "ok    fail rate", "report": "", "serve": "http://",
	} {
		if text, tried := said[name]; !tried || !strings.Contains(text, want) {
			t.Errorf("%s: %v, no %q in\n%s", name, tried, want, text)
		}
	}
	if report, err := os.ReadFile(filepath.Join(dir, "report.html")); err != nil || !strings.Contains(string(report), "623") {
		t.Errorf("the report: %v, %.300s", err, report)
	}
}

func inDir(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd
}

// Every make target, flag and page that README names is there.
func TestReadmeNamesWhatThereIs(t *testing.T) {
	text := readme(t)
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\bmake ([a-z]+)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("there is no make target %s", m[1])
		}
	}
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/FROM-CRAWLEE.md"} {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:\]\(|src(?:set)?=")([^)"#:]+)[)"]`).FindAllStringSubmatch(string(body), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
	exe, err := buildExample()
	if err != nil {
		t.Fatal(err)
	}
	help := run(t, ".", exe, "-help")
	section := text[strings.Index(text, "## The example"):]
	section = section[:strings.Index(section, "\n## ")]
	for _, m := range regexp.MustCompile("[ `](-[a-z][a-z-]*)[ `]").FindAllStringSubmatch(section, -1) {
		if m[1] != "-help" && m[1] != "-9" && !strings.Contains(help, "  "+m[1]) {
			t.Errorf("the example has no flag %s", m[1])
		}
	}
}
