package logging

import (
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// New returns a logger of messages of level Info and above that writes to w:
// lines for people when w is a terminal, or a [Progress] on one, else JSON.
func New(w io.Writer) *slog.Logger {
	if isTerminal(w) {
		return newConsole(w, hasColor())
	}
	return newJSON(w)
}

// Zerolog returns a logger that writes through l, with its level, fields, hooks
// and writer. Groups become prefixes: a key "b" in a group "a" is "a.b". Where an
// attribute has the name of one of zerolog's own fields (time, level, message,
// caller), it becomes "fields.time" and so on. Strangers' text is written as l
// writes it.
func Zerolog(l zerolog.Logger) *slog.Logger {
	return slog.New(handler{Handler: zerolog.NewSlogHandler(l)})
}

// Default returns the logger that is used where none is given: New(os.Stderr).
// There is one per process.
func Default() *slog.Logger { return defaultLogger() }

var defaultLogger = sync.OnceValue(func() *slog.Logger { return New(os.Stderr) })

func newJSON(w io.Writer) *slog.Logger {
	return Zerolog(zerolog.New(visibleWriter{w}).Level(zerolog.InfoLevel))
}

// isTerminal reports whether w shows lines to a person.
func isTerminal(w io.Writer) bool {
	switch w := w.(type) {
	case *Progress:
		return w.terminal
	case *os.File:
		return isatty.IsTerminal(w.Fd()) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
	}
	return false
}

// hasColor reports whether escape sequences may be written to a terminal. The
// console of Windows shows them as text unless it is told otherwise.
func hasColor() bool { return os.Getenv("NO_COLOR") == "" && runtime.GOOS != "windows" }
