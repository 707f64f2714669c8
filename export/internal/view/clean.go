package view

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxRunes is how much of a text is shown.
const MaxRunes = 300

// Clean makes text of strangers safe to print on one line, as package stats does
// when it records: what is not graphic becomes a visible escape such as \x1b or
// \u202e, and beyond [MaxRunes] it is cut and ends in "…".
func Clean(s string) string { return clip(s, MaxRunes) }

func clip(s string, most int) string {
	var b strings.Builder
	for n := 0; s != ""; n++ {
		r, size := utf8.DecodeRuneInString(s)
		piece := s[:size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = fmt.Sprintf(`\x%02x`, s[0])
		case r < ' ' || r == 0x7f:
			piece = fmt.Sprintf(`\x%02x`, r)
		case !unicode.IsGraphic(r) && r < 0x10000:
			piece = fmt.Sprintf(`\u%04x`, r)
		case !unicode.IsGraphic(r):
			piece = fmt.Sprintf(`\U%08x`, r)
		}
		if piece != s[:size] {
			n += len(piece) - 1
		}
		if s = s[size:]; n >= most || n == most-1 && s != "" {
			return b.String() + "…"
		}
		b.WriteString(piece)
	}
	return b.String()
}
