//go:build linux

package logging

import (
	"os"
	"testing"
)

// TestTerminal needs a terminal, which a process that has none can make.
func TestTerminal(t *testing.T) {
	term, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	defer term.Close()

	for _, c := range []struct {
		term, ci string
		want     bool
	}{
		{"xterm", "", true},
		{"", "", true},
		{"dumb", "", false},
		{"xterm", "true", false},
	} {
		t.Setenv("TERM", c.term)
		t.Setenv("CI", c.ci)
		if got := isTerminal(term); got != c.want {
			t.Errorf("TERM=%s CI=%s: terminal %v, want %v", c.term, c.ci, got, c.want)
		}
		if got := NewProgress(term).Live(); got != c.want {
			t.Errorf("TERM=%s CI=%s: live line %v, want %v", c.term, c.ci, got, c.want)
		}
		if got := isTerminal(NewProgress(term)); got != c.want {
			t.Errorf("TERM=%s CI=%s: a Progress counts as terminal %v, want %v", c.term, c.ci, got, c.want)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if hasColor() {
		t.Error("colour in spite of NO_COLOR")
	}
	t.Setenv("NO_COLOR", "")
	if !hasColor() {
		t.Error("an empty NO_COLOR takes colour away")
	}
}
