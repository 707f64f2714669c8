package logging

import (
	"io"
	"os"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// sizeOf returns what tells the columns of the terminal behind w, nil where
// nothing does.
func sizeOf(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	return func() int {
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return columns
	}
}

const (
	usualColumns = 80
	mostColumns  = 1000
)

// columns returns how many of them a line may take. The last one stays empty:
// some terminals wrap as soon as it is written.
func (p *Progress) columns() int {
	n := 0
	if p.size != nil {
		n = p.size()
	}
	if n <= 0 {
		n = usualColumns
	}
	return min(max(n-1, 1), mostColumns)
}

// cut returns as much of line as fits.
func cut(line string, columns int) string {
	for i, r := range line {
		if columns -= widthOf(r); columns < 0 {
			return line[:i]
		}
	}
	return line
}

// widthOf returns the columns that a terminal gives to a character that shows.
func widthOf(r rune) int {
	if r < 0x300 { // before the first combining mark
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
