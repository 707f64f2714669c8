package logging

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestProgressMode(t *testing.T) {
	t.Setenv("CI", "true")
	if !NewProgress(&bytes.Buffer{}, ProgressAlways).Live() {
		t.Error("ProgressAlways draws nothing on a writer that the caller vouches for")
	}
	if NewProgress(&bytes.Buffer{}, ProgressNever).Live() {
		t.Error("ProgressNever draws")
	}
	// Whatever the mode, a file gets the records alone.
	for _, mode := range []ProgressMode{ProgressAuto, ProgressAlways, ProgressNever} {
		file, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		p := NewProgress(file, mode)
		p.Set("1%")
		p.Write([]byte("record\n"))
		p.Close()
		file.Close()
		if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "record\n" {
			t.Errorf("mode %d: the file has %q, %v; want the record alone", mode, got, err)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		line    string
		columns int
		want    string
	}{
		{"12,304 done", 11, "12,304 done"},
		{"12,304 done", 6, "12,304"},
		{"größe", 4, "größ"},       // five columns, six bytes
		{"日本語", 5, "日本"},           // two columns each: the third would stick out
		{"日本語", 6, "日本語"},          // and now it does not
		{"e\u0301x", 1, "e\u0301"}, // a combining mark takes none
		{"ＡＢ", 3, "Ａ"},
		{"x", 0, ""},
	} {
		if got := cut(c.line, c.columns); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.line, c.columns, got, c.want)
		}
	}
}

func TestLineFitsTheTerminal(t *testing.T) {
	var term writes
	columns := 10
	p := &Progress{out: &term, draws: true, size: func() int { return columns }}
	p.Set("0123456789abc")
	columns = 20
	p.Set("0123456789abc")
	columns = 0 // unknown
	p.Set(strings.Repeat("x", 200))
	want := []string{
		noWrap + "012345678" + wrap,
		erase + noWrap + "0123456789abc" + wrap,
		erase + noWrap + strings.Repeat("x", 79) + wrap,
	}
	if diff := cmp.Diff(want, term.all); diff != "" {
		t.Error(diff)
	}
}

func TestShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term writes
		p := &Progress{out: &term, draws: true, size: func() int { return 31 }}
		calls := 0
		stop := p.Show(time.Second, func(columns int) string {
			if columns != 30 {
				t.Errorf("%d columns, want 30 of 31", columns)
			}
			calls++
			return strings.Repeat("#", calls)
		})
		time.Sleep(2500 * time.Millisecond)
		stop()
		stop()
		time.Sleep(10 * time.Second)
		want := []string{
			noWrap + "#" + wrap,
			erase + noWrap + "##" + wrap,
			erase + noWrap + "###" + wrap,
			erase,
		}
		if diff := cmp.Diff(want, term.all); diff != "" {
			t.Error(diff)
		}
	})
	stop := NewProgress(&bytes.Buffer{}).Show(time.Second, func(int) string { t.Error("asked for a line that nobody sees"); return "" })
	stop()
}

// FuzzLine: whatever a stranger calls a page, no control character but ours
// reaches the terminal, and nothing sticks out.
func FuzzLine(f *testing.F) {
	for _, s := range []string{hostile, "日本語\x1b]8;;http://x\x07", "\xff\xfe\r\n", "e\u0301\u0301"} {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, columns int) {
		var term writes
		p := &Progress{out: &term, draws: true, size: func() int { return columns }}
		p.Set(s)
		for _, w := range term.all {
			line := strings.TrimSuffix(strings.TrimPrefix(w, noWrap), wrap)
			if line != visible(line) || !utf8.ValidString(line) {
				t.Errorf("%q reaches the terminal", line)
			}
			taken := 0
			for _, r := range line {
				taken += widthOf(r)
			}
			if taken > p.columns() {
				t.Errorf("%q takes %d of %d columns", line, taken, p.columns())
			}
		}
	})
}
