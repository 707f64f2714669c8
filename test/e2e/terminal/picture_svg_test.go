package terminal

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A picture is drawn in cells, as a terminal does: every run of a colour begins at
// its column, so that rows are straight in whatever font the reader has.
const (
	cellWidth  = 8.0
	cellHeight = 18
	margin     = 16
	titleBar   = 30
	gap        = 14
)

var (
	paint   = regexp.MustCompile(`\x1b\[([\d;]*)m`)
	textRun = regexp.MustCompile(`<text x="([\d.]+)" y="(\d+)"[^>]*>([^<]*)</text>`)
)

// colours of the sixteen that a terminal has, those that the log uses.
var colours = map[int]string{
	31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 37: "#e6edf3", 90: "#8b949e",
}

// draw returns an SVG of two windows, one below the other.
func draw(columns int, running, stopped []string) string {
	width := 2*margin + int(float64(columns)*cellWidth)
	var body strings.Builder
	y := window(&body, 0, width, "$ "+exampleCommand, running)
	y = window(&body, y+gap, width, "Ctrl-C", stopped)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="The example in a terminal: the progress line while it crawls, and the summary after Ctrl-C">
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#e6edf3}.b{font-weight:bold}</style>
%s</svg>
`, width, y, body.String())
}

// window draws rows in a frame with a title, and returns where it ends.
func window(out *strings.Builder, top, width int, title string, rows []string) (bottom int) {
	height := titleBar + len(rows)*cellHeight + margin
	fmt.Fprintf(out, `<rect y="%d" width="%d" height="%d" rx="8" fill="#0d1117"/>`+"\n", top, width, height)
	cell(out, margin, top+titleBar-margin/2, title, ` class="b" style="fill:#8b949e"`)
	for i, row := range rows {
		cells(out, top+titleBar+(i+1)*cellHeight, row)
	}
	return top + height
}

// cells draws a row, one text for each run of a colour.
func cells(out *strings.Builder, y int, row string) {
	attrs, column := "", 0
	draw := func(text string) {
		if strings.TrimSpace(text) != "" {
			cell(out, margin+float64(column)*cellWidth, y, text, attrs)
		}
		column += utf8.RuneCountInString(text)
	}
	for {
		at := paint.FindStringSubmatchIndex(row)
		if at == nil {
			draw(row)
			return
		}
		draw(row[:at[0]])
		attrs = style(attrs, row[at[2]:at[3]])
		row = row[at[1]:]
	}
}

func cell(out *strings.Builder, x float64, y int, text, attrs string) {
	text = strings.TrimRight(text, " ")
	fmt.Fprintf(out, `<text x="%g" y="%d" textLength="%g"%s>%s</text>`+"\n",
		x, y, float64(utf8.RuneCountInString(text))*cellWidth, attrs, html.EscapeString(text))
}

// style returns the attributes after an escape sequence with these codes.
func style(before, codes string) string {
	bold, colour := strings.Contains(before, "class"), ""
	if _, fill, found := strings.Cut(before, "fill:"); found {
		colour = strings.TrimSuffix(fill, `"`)
	}
	for code := range strings.SplitSeq(codes, ";") {
		switch n, _ := strconv.Atoi(code); {
		case n == 0:
			bold, colour = false, ""
		case n == 1:
			bold = true
		case n == 39:
			colour = ""
		case colours[n] != "":
			colour = colours[n]
		}
	}
	attrs := ""
	if bold {
		attrs += ` class="b"`
	}
	if colour != "" {
		attrs += ` style="fill:` + colour + `"`
	}
	return attrs
}

// rowsOf returns the rows of a picture that draw has made.
func rowsOf(svg string) (rows []string) {
	last := ""
	for _, m := range textRun.FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		if m[2] != last {
			rows, last = append(rows, ""), m[2]
		}
		at := &rows[len(rows)-1]
		*at += strings.Repeat(" ", max(int((x-margin)/cellWidth)-utf8.RuneCountInString(*at), 0)) + html.UnescapeString(m[3])
	}
	return rows
}
