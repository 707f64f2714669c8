package stats

import (
	"strings"
	"unicode/utf8"
)

const tableWidth = 100

// A tableRow is a key, "" when the row continues the one above, and its value.
// Both are safe text.
type tableRow struct{ key, value string }

// table draws rows of two columns in a box without a header. The second column
// is folded, never cut, where the box would be wider than tableWidth.
func table(rows []tableRow) string {
	keys, values := 0, 0
	for _, r := range rows {
		keys = max(keys, utf8.RuneCountInString(r.key))
		values = max(values, utf8.RuneCountInString(r.value))
	}
	values = min(values, tableWidth-len("|  |  |")-keys)

	var b strings.Builder
	rule := func(left, middle, right string) {
		b.WriteString(left + strings.Repeat("─", keys+2) + middle + strings.Repeat("─", values+2) + right)
	}
	rule("┌", "┬", "┐\n")
	for _, r := range rows {
		key := r.key
		for rest := r.value; ; key = "" {
			var line string
			line, rest = foldLine(rest, values)
			b.WriteString("│ " + pad(key, keys) + " │ " + pad(line, values) + " │\n")
			if rest == "" {
				break
			}
		}
	}
	rule("└", "┴", "┘")
	return b.String()
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

// foldLine cuts a line of at most width runes off s, behind a word if it can.
func foldLine(s string, width int) (line, rest string) {
	n, end, space := 0, 0, 0
	for i, r := range s {
		if n == width+1 {
			break
		}
		if r == ' ' && i > 0 {
			space = i
		}
		if n == width {
			end = i
		}
		n++
	}
	switch {
	case n <= width:
		return s, ""
	case space > 0:
		return s[:space], strings.TrimLeft(s[space:], " ")
	default:
		return s[:end], s[end:]
	}
}
