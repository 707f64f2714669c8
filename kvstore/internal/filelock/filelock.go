// Package filelock locks a file against other processes, and against other
// locks of the same process. The system frees the lock when its process dies.
package filelock

import (
	"errors"
	"os"
)

// ErrHeld says that someone else holds the lock.
var ErrHeld = errors.New("file is locked")

// Lock is a lock that is held.
type Lock struct{ file *os.File }

// Try locks the file at path, which it creates if it is missing, or returns
// ErrHeld at once.
func Try(path string) (*Lock, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return &Lock{f}, nil
}

// File is the locked file. Others may read it.
func (l *Lock) File() *os.File { return l.file }

// Unlock frees the lock. The file stays: removing it would let two processes
// lock two files of the same name.
func (l *Lock) Unlock() error { return l.file.Close() }
