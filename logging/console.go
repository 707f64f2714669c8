package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// newConsole returns a logger that writes lines for people. zerolog quotes
// values; names and messages it writes as they are, so they are made visible
// here.
func newConsole(w io.Writer, color bool) *slog.Logger {
	const bold, cyan = 1, 36
	paint := func(code int, s string) string {
		if !color {
			return s
		}
		return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, s)
	}
	name := func(v any) string { return paint(cyan, visible(fmt.Sprint(v))+"=") }

	return Zerolog(zerolog.New(zerolog.ConsoleWriter{
		Out:                visibleWriter{w},
		NoColor:            !color,
		TimeFormat:         time.TimeOnly,
		FormatFieldName:    name,
		FormatErrFieldName: name,
		FormatMessage: func(v any) string {
			text, _ := v.(string)
			first, _, _ := strings.Cut(text, "\n")
			if first == "" {
				return ""
			}
			return paint(bold, visible(first))
		},
		FormatExtra: writeFurtherLines,
	}).Level(zerolog.InfoLevel))
}

// writeFurtherLines writes the lines of a message after its first, below the
// attributes and indented.
func writeFurtherLines(record map[string]any, out *bytes.Buffer) error {
	text, _ := record[zerolog.MessageFieldName].(string)
	_, rest, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(rest) {
		out.WriteString("\n  ")
		out.WriteString(visible(strings.TrimSuffix(line, "\n")))
	}
	return nil
}
