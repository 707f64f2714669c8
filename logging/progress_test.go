package logging

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writes records what reaches a terminal, write by write.
type writes struct{ all []string }

func (w *writes) Write(p []byte) (int, error) {
	w.all = append(w.all, string(p))
	return len(p), nil
}

func TestProgress(t *testing.T) {
	var term writes
	p := &Progress{out: &term, terminal: true, draws: true}
	write := func(s string) {
		if n, err := p.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("Write(%q) = %d, %v", s, n, err)
		}
	}
	write("before\n")
	p.Set("1%")
	p.Set("1%") // nothing new
	write("record\n")
	p.Set("2%")
	write("half") // no line behind it
	p.Set("3%")
	write(" whole\n")
	p.Set("a\x1b[2Jb\n\u009b") // a stranger's title
	p.Set("")
	p.Set("4%")
	p.Close()
	p.Close()
	p.Set("5%")
	write("after\n")

	draw := func(s string) string { return "\x1b[?7l" + s + "\x1b[?7h" }
	const erase = "\r\x1b[2K"
	want := []string{
		"before\n",
		draw("1%"),
		erase + "record\n" + draw("1%"),
		erase + draw("2%"),
		erase + "half",
		" whole\n" + draw("3%"),
		erase + draw(`a\u001b[2Jb\u000a\u009b`),
		erase,
		draw("4%"),
		erase,
		"after\n",
	}
	if diff := cmp.Diff(want, term.all); diff != "" {
		t.Error(diff)
	}
}

// TestProgressLeavesFilesAlone has once failed for one erase sequence at Close.
func TestProgressLeavesFilesAlone(t *testing.T) {
	var file bytes.Buffer
	p := NewProgress(&file)
	if p.Live() {
		t.Error("a buffer is no terminal")
	}
	p.Set("1%")
	fmt.Fprintln(p, "record")
	p.Set("2%")
	p.Close()
	if got := file.String(); got != "record\n" {
		t.Errorf("wrote %q, want the record alone", got)
	}
}

// TestProgressCloseIsLast: a line that is set while Close erases it stays away.
func TestProgressCloseIsLast(t *testing.T) {
	for range 1000 {
		var term writes
		p := &Progress{out: &term, terminal: true, draws: true}
		set, closed := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-closed:
					return
				default:
					p.Set(strconv.Itoa(i))
				}
				if i == 0 {
					close(set)
				}
			}
		})
		<-set
		p.Close()
		close(closed)
		wg.Wait()
		if last := term.all[len(term.all)-1]; last != erase {
			t.Fatalf("the line stands: %q", last)
		}
	}
}

func TestProgressNil(t *testing.T) {
	var p *Progress
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestProgressUnderConcurrentLoggers plays the terminal: every record must be
// whole, and the line the last thing on it.
func TestProgressUnderConcurrentLoggers(t *testing.T) {
	var term writes
	p := &Progress{out: &term, terminal: true, draws: true}
	log := newConsole(p, false)
	const goroutines, each = 4, 50
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				at(log.Handler(), slog.LevelInfo, fmt.Sprintf("record %d.%d", g, i))
				p.Set(fmt.Sprintf("line %d.%d", g, i))
			}
		})
	}
	wg.Wait()
	p.Set("last")

	var rows []string // above the cursor
	row := ""         // under it
	for _, w := range term.all {
		for w != "" {
			switch {
			case strings.HasPrefix(w, erase):
				row, w = "", w[len(erase):]
			case strings.HasPrefix(w, noWrap), strings.HasPrefix(w, wrap):
				w = w[len(noWrap):]
			case w[0] == '\n':
				rows, row, w = append(rows, row), "", w[1:]
			default:
				row, w = row+w[:1], w[1:]
			}
		}
	}
	if row != "last" {
		t.Errorf("the last row is %q, want the line", row)
	}
	var want []string
	for g := range goroutines {
		for i := range each {
			want = append(want, fmt.Sprintf("14:05:06 INF record %d.%d", g, i))
		}
	}
	slices.Sort(want)
	slices.Sort(rows)
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}
