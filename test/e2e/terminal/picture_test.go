package terminal

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The picture in the documentation shows the example on a terminal: under way,
// and after Ctrl-C.
const (
	pictureFile    = "../../../docs/img/terminal.svg"
	pictureColumns = 120
	exampleCommand = "go run ./crawler/example -concurrency 2"
)

// TestPicture runs the example. With CRAWLSTATS_PICTURES=1 what is seen becomes
// the picture; otherwise it must be what the picture shows, but for its figures.
func TestPicture(t *testing.T) {
	t.Parallel()
	running, stopped := watchExample(t)
	if os.Getenv("CRAWLSTATS_PICTURES") != "" {
		if err := os.WriteFile(pictureFile, []byte(draw(pictureColumns, running, stopped)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	svg, err := os.ReadFile(pictureFile)
	if err != nil {
		t.Fatal(err)
	}
	drawn, seen := outline(rowsOf(string(svg))), outline(append(plain(running), plain(stopped)...))
	if drawn != seen {
		t.Errorf("the picture in docs/img shows an older terminal: in test/e2e, run CRAWLSTATS_PICTURES=1 go test -run TestPicture ./terminal, and look at it"+
			"\nin the picture:\n%s\non the terminal:\n%s", drawn, seen)
	}
}

// watchExample returns rows of a terminal, with their colours: the end of the log
// and the line in the middle of a crawl, and everything from Ctrl-C on.
func watchExample(t *testing.T) (running, stopped []string) {
	t.Helper()
	dir := t.TempDir()
	exe := filepath.Join(dir, "example")
	build := exec.Command("go", "build", "-o", exe, "./crawler/example")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := openCommand(t, dir, pictureColumns, exe+strings.TrimPrefix(exampleCommand, "go run ./crawler/example"))
	done := regexp.MustCompile(` %  (\d+)/`)
	p.until("the crawl is half done", func() bool {
		running = p.coloured()
		line := done.FindStringSubmatch(plain(running)[len(running)-1])
		if line == nil {
			return false
		}
		n, _ := strconv.Atoi(line[1])
		return n >= 380 // of some 680, at 80 a second
	})
	p.key("C-c")
	p.await("exit code 130")
	stopped = p.coloured()
	for i, row := range plain(stopped) {
		if strings.Contains(row, " stopping: ") {
			return running[max(len(running)-8, 0):], stopped[i : len(stopped)-1]
		}
	}
	t.Fatalf("it did not say that it stops:\n%s", strings.Join(stopped, "\n"))
	return nil, nil
}

// coloured is rows, with the escape sequences of colours.
func (p *pane) coloured() []string {
	p.t.Helper()
	return strings.Split(strings.TrimRight(p.tmux("capture-pane", "-p", "-e", "-S", "-"), "\n"), "\n")
}

func plain(rows []string) []string {
	text := paint.ReplaceAllString(strings.Join(rows, "\n"), "")
	return strings.Split(text, "\n")
}

var (
	loggedRow = regexp.MustCompile(`^\d\d:\d\d:\d\d `)
	labelRow  = regexp.MustCompile(`^  ([A-Z][a-z]+)  `)
	barOf     = regexp.MustCompile(`\[#*\.*\]`)
	figure    = regexp.MustCompile(`\d[\d,.]*( (ms|s))?`)
)

// outline is what a run of the example has in common with every other: the parts
// of the line, what is said about Ctrl-C, and the labels of the summary. Whether
// there is an eta, or a verdict, is chance.
func outline(rows []string) string {
	var parts []string
	for _, row := range rows {
		row = strings.TrimRight(row, " ")
		switch label := labelRow.FindStringSubmatch(row); {
		case label != nil && label[1] != "Verdict":
			parts = append(parts, label[1])
		case barOf.MatchString(row):
			row, _, _ = strings.Cut(barOf.ReplaceAllString(row, "[bar]"), "  eta ")
			parts = append(parts, figure.ReplaceAllString(row, "0"))
		case loggedRow.MatchString(row) && strings.Contains(row, "Ctrl-C"):
			row = strings.ReplaceAll(loggedRow.ReplaceAllString(row, ""), "requests", "request")
			parts = append(parts, figure.ReplaceAllString(row, "0"))
		}
	}
	return strings.Join(parts, "\n")
}
