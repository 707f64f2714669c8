package terminal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

const records = 25 // of each goroutine

var recordRow = regexp.MustCompile(`record \d\.\d\d `)

// isLine reports whether a row is the progress line.
func isLine(row string) bool {
	return strings.HasPrefix(row, "[#") || strings.HasPrefix(row, "[.") || strings.Contains(row, " %  ") && !strings.Contains(row, "record")
}

// checkRecords: each record stands whole in a row of its own, and nothing of the
// line is left between them.
func checkRecords(t *testing.T, rows []string) {
	t.Helper()
	var want, got []string
	for g := range goroutines {
		for i := range records {
			want = append(want, fmt.Sprintf("record %d.%02d ", g, i))
		}
	}
	for i, row := range rows {
		found := recordRow.FindAllString(row, -1)
		got = append(got, found...)
		if len(found) > 1 || i < len(rows)-1 && isLine(row) {
			t.Errorf("row %d is garbled: %q", i, row)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d records on the terminal, want %d", len(got), len(want))
	}
}

func TestLineStaysBelowTheRecords(t *testing.T) {
	t.Parallel()
	p := open(t, 200, fmt.Sprintf("%s=%d", recordsEnv, records))
	p.await("all records are out")
	p.until("the line is last", func() bool { return isLine(p.last()) && strings.Contains(p.last(), "100/701") })
	checkRecords(t, p.rows())
	for _, part := range []string{"14 %", "/s", "fail 0 (0.0 %)", "retry 0", "p95 ", "1 in flight"} {
		if !strings.Contains(p.last(), part) {
			t.Errorf("no %q in the line %q", part, p.last())
		}
	}
	checkEscapes(t, p.written(), true)
}

// escapes are all the sequences that may reach a terminal: erase the row, do not
// wrap, wrap, and colours.
var escapes = regexp.MustCompile(`\x1b\[(2K|\?7l|\?7h|\d+m)`)

// checkEscapes: nothing that a site has sent controls the terminal.
func checkEscapes(t *testing.T, written string, colour bool) {
	t.Helper()
	if strings.Contains(written, "\x1b[31m\u202e") || !strings.Contains(written, `\x1b[2J`) && !strings.Contains(written, `\u001b[2J`) {
		t.Error("the title is not spelled out")
	}
	if !strings.Contains(written, "\x1b[2K") {
		t.Error("no line was drawn")
	}
	if got := strings.Contains(written, "\x1b[0m"); got != colour {
		t.Errorf("colours: %v, want %v", got, colour)
	}
	for _, bad := range []string{"\x1b", "\x07", "\u009b", "\u202e"} {
		if strings.Contains(escapes.ReplaceAllString(written, ""), bad) {
			t.Errorf("%q reaches the terminal", bad)
		}
	}
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	p := open(t, 200, "NO_COLOR=1", fmt.Sprintf("%s=%d", recordsEnv, 2))
	p.await("all records are out")
	p.until("there is a line", func() bool { return isLine(p.last()) })
	checkEscapes(t, p.written(), false)
}

// TestNoLine: where nobody looks there is JSON, and not one escape sequence.
func TestNoLine(t *testing.T) {
	t.Parallel()
	for _, env := range []string{"CI=true", "TERM=dumb"} {
		t.Run(env, func(t *testing.T) {
			t.Parallel()
			p := open(t, 200, env, fmt.Sprintf("%s=%d", recordsEnv, 2))
			p.await("all records are out")
			p.key("C-c")
			p.await("exit code 130")
			written := p.written()
			if strings.ContainsAny(written, "\x1b\u009b") {
				t.Errorf("an escape sequence: %q", written)
			}
			for _, want := range []string{`{"level":"info"`, `"message":"record 3.01"`, "shop  stopped after"} {
				if !strings.Contains(written, want) {
					t.Errorf("no %s in %q", want, written)
				}
			}
		})
	}
}

// TestNarrow: the line takes one row, however narrow the terminal is or becomes.
func TestNarrow(t *testing.T) {
	t.Parallel()
	p := open(t, 60, fmt.Sprintf("%s=%d", recordsEnv, 1))
	p.await("all records are out")
	p.until("the line is last", func() bool { return strings.Contains(p.last(), "4/605") })
	if !strings.HasPrefix(p.last(), "[....................]  0 %  4/605") || strings.Contains(p.last(), "in flight") {
		t.Errorf("in 60 columns: %q", p.last())
	}
	p.tmux("resize-window", "-x", "25")
	p.until("the line fits", func() bool { return strings.HasPrefix(p.last(), "0 %  4/605") && len(p.last()) < 25 })
	p.tmux("resize-window", "-x", "150")
	p.until("the line is long again", func() bool { return strings.HasSuffix(p.last(), "1 in flight") })
}

// saved returns the record that the crawler has left.
func (p *pane) saved() stats.Snapshot {
	p.t.Helper()
	store, err := kvstore.OpenDir(p.state)
	if err != nil {
		p.t.Fatal(err)
	}
	defer store.Close(p.t.Context())
	a, err := stats.Load(p.t.Context(), store, stats.Key("shop", ""))
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// TestFirstCtrlC drains, saves and sums up.
func TestFirstCtrlC(t *testing.T) {
	t.Parallel()
	p := open(t, 120, fmt.Sprintf("%s=%d", recordsEnv, records))
	p.await("all records are out")
	p.key("C-c")
	p.await("exit code 130")
	screen := strings.Join(p.rows(), "\n")
	at := 0
	for _, want := range []string{
		"stopping: finishing 1 request in flight, then saving; press Ctrl-C again to abort",
		"shop  stopped after", "100 finished   1 failed (1.0 %)", "saved to ./state", "exit code 130",
	} {
		i := strings.Index(screen[at:], want)
		if i < 0 {
			t.Fatalf("no %q, at its place, in\n%s", want, screen)
		}
		at += i
	}
	for _, row := range p.rows() {
		if isLine(row) {
			t.Errorf("the line is left behind: %q", row)
		}
	}
	checkRecords(t, p.rows())
	if a := p.saved(); a.Finished != 100 || a.Failed != 1 || a.FinishedAt.IsZero() {
		t.Errorf("saved: %d finished, %d failed, closed %v", a.Finished, a.Failed, a.FinishedAt)
	}
}

// TestSecondCtrlC leaves at once, and says what is lost.
func TestSecondCtrlC(t *testing.T) {
	t.Parallel()
	p := open(t, 160, fmt.Sprintf("%s=%d", recordsEnv, 1), hangEnv+"=1")
	p.await("all records are out")
	p.key("C-c")
	p.await("press Ctrl-C again to abort")
	p.key("C-c")
	p.await("exit code 130")
	p.await("aborted: ")
	screen := strings.Join(p.rows(), "\n")
	for _, want := range []string{"is lost", "given up in flight: 1 request"} {
		if !strings.Contains(screen, want) {
			t.Errorf("no %q in\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "stopped after") {
		t.Errorf("a summary of what was not finished:\n%s", screen)
	}
	for _, row := range p.rows() {
		if isLine(row) {
			t.Errorf("the line is left behind: %q", row)
		}
	}
	if a := p.saved(); !a.FinishedAt.IsZero() {
		t.Error("the record says that the crawl was closed")
	}
}
