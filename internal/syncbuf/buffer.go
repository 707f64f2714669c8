// Package syncbuf holds a buffer that tests read while something else writes to
// it: a log, a terminal, a process.
//
// # Concurrency
//
// A Buffer may be written and read from any goroutine.
package syncbuf

import (
	"bytes"
	"sync"
)

// Buffer keeps what is written to it. The zero value is empty.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends p.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
