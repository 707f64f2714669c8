package logging

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// ProgressMode says when a Progress draws its line.
type ProgressMode int

const (
	// ProgressAuto draws where someone is looking: on a terminal, unless TERM is
	// "dumb" or CI is not empty.
	ProgressAuto ProgressMode = iota
	// ProgressAlways draws on a terminal whatever the environment says, and on
	// every writer that is no file, for the caller knows what is behind it. A file
	// or a pipe still gets no line.
	ProgressAlways
	// ProgressNever draws nothing.
	ProgressNever
)

// mayBeTerminal reports whether a line may be drawn on w when it is asked for.
func mayBeTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return !ok || isatty.IsTerminal(f.Fd())
}
