package logging

import (
	"io"
	"runtime"
	"sync"
)

// Escape sequences. A wrapped line could not be erased: what was cut to the width
// of the terminal may still be too long for it, where it thinks otherwise of the
// width of a character or has just been made smaller.
const (
	erase  = "\r\x1b[2K"
	noWrap = "\x1b[?7l"
	wrap   = "\x1b[?7h"
)

// A Progress keeps one live line below the log lines of a terminal. It is the
// owner of the terminal: give it to [New], and to whatever else writes there.
//
// Where there is no terminal, nothing is drawn, and Write is the Write of the
// writer beneath. No escape sequence reaches a file.
type Progress struct {
	out      io.Writer
	terminal bool                 // constant
	draws    bool                 // constant
	size     func() (columns int) // of the terminal, 0 if unknown; nil: always unknown

	// mu is held while writing: the terminal is what it guards.
	mu     sync.Mutex
	line   string
	drawn  bool // the line stands where the cursor is
	broken bool // the last record had no line break at its end
	closed bool
	buf    []byte
}

// NewProgress returns a Progress without a line that writes to w, usually
// os.Stderr. The mode says when lines are drawn; default ProgressAuto.
func NewProgress(w io.Writer, mode ...ProgressMode) *Progress {
	m := ProgressAuto
	if len(mode) > 0 {
		m = mode[len(mode)-1]
	}
	terminal := isTerminal(w) || m == ProgressAlways && mayBeTerminal(w)
	return &Progress{
		out: w, terminal: terminal, size: sizeOf(w),
		draws: terminal && m != ProgressNever && runtime.GOOS != "windows",
	}
}

// Live reports whether lines are drawn at all: a program may log its progress
// now and then where they are not.
func (p *Progress) Live() bool { return p.draws }

// Set replaces the line. An empty one erases it. What does not show is spelled
// out, and what the terminal has no room for is cut off.
func (p *Progress) Set(line string) {
	if !p.draws {
		return
	}
	line = cut(visible(line), p.columns())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || line == p.line {
		return
	}
	p.line = line
	_ = p.write(nil) // a line that is not seen is drawn again soon
}

// Write writes a record above the line. Record and line reach the terminal in
// one write, so that no other process comes between them.
func (p *Progress) Write(record []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.draws {
		return p.out.Write(record)
	}
	if err := p.write(record); err != nil {
		return 0, err
	}
	return len(record), nil
}

// Close erases the line for good. The writer stays open: records may still be
// written. Close is idempotent and does nothing on nil.
func (p *Progress) Close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line, p.closed = "", true
	_ = p.write(nil)
	return nil
}

// write erases the line, writes record, and draws the line again unless the
// record is not complete.
func (p *Progress) write(record []byte) error {
	p.buf = p.buf[:0]
	if p.drawn {
		p.buf = append(p.buf, erase...)
		p.drawn = false
	}
	p.buf = append(p.buf, record...)
	if n := len(record); n > 0 {
		p.broken = record[n-1] != '\n'
	}
	if p.line != "" && !p.broken {
		p.buf = append(p.buf, noWrap+p.line+wrap...)
		p.drawn = true
	}
	if len(p.buf) == 0 {
		return nil
	}
	_, err := p.out.Write(p.buf)
	return err
}
