package badgerstore

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/kvstore"
)

// faults gives errors their sentinel by text: Badger hides the identity of what
// it wraps. The texts are pinned to Badger v4.9.6 by the tests. The first match
// counts.
var faults = []struct {
	sentinel error
	advice   string
	texts    []string // in lower case
}{
	{
		kvstore.ErrNoSpace, "make room on the disk",
		[]string{"no space left on device", "disk quota exceeded", "not enough space on the disk"},
	},
	{
		kvstore.ErrReadOnly, "choose a directory on a writable file system",
		[]string{"read-only file system", "media is write protected"},
	},
	{
		kvstore.ErrPermission, "give this user the directory",
		[]string{"permission denied", "operation not permitted", "access is denied"},
	},
	{
		kvstore.ErrLocked, "stop the program that uses the database",
		[]string{"cannot acquire directory lock", "cannot create lock file"},
	},
	{
		kvstore.ErrUnavailable, "mend it, or choose another directory",
		[]string{"too many open files", "cannot allocate memory", "not a directory", "file name too long", "input/output error"},
	},
	{
		kvstore.ErrTooLarge, "store less under one key",
		[]string{"txn is too big", "exceeded 65000 limit"},
	},
	{
		kvstore.ErrClosed, "open the store again",
		[]string{"writes are blocked", "db closed"},
	},
	{kvstore.ErrCorrupt, "see the files that were moved aside", []string{
		"checksum mismatch", "bad magic", "encryption key mismatch", "invalid datakey id", "file does not exist for table",
		"manifest invalid", "manifest has", "external magic number doesn't match", "might be corrupted", "data corrupted", "while reading", "invalid manifestchange",
		"with size: 0", "unexpected eof", "badger panicked",
	}},
}

// emptyFile is what Open says when a process was killed between creating a file
// and sizing it (badger#2207). Opening again heals it.
const emptyFile = "Create a new file"

// typed wraps an error of Badger or the file system with its sentinel; without
// one in the table, with other.
func typed(err error, other error) error {
	text := strings.ToLower(err.Error())
	for _, f := range faults {
		for _, t := range f.texts {
			if strings.Contains(text, t) {
				return &fault{f.sentinel, f.advice, err, true}
			}
		}
	}
	return &fault{other, "try again", err, false}
}

// fault is an error of Badger that knows its sentinel. Its text is cut: Badger
// quotes whole values in some.
type fault struct {
	sentinel error
	advice   string
	cause    error
	known    bool // by the table
}

func (f *fault) Error() string {
	return fmt.Sprintf("%v; %s: %s", f.sentinel, f.advice, cut(f.cause.Error()))
}

func (f *fault) Unwrap() []error { return []error{f.sentinel, f.cause} }

// recognized says that the table knows what went wrong.
func recognized(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.known
}

// damaged says that the database itself is at fault, not its surroundings.
func damaged(err error) bool { return errors.Is(err, kvstore.ErrCorrupt) }

// cut bounds a text of Badger, which may quote stored bytes.
func cut(s string) string {
	const most = 300
	s = strings.TrimSpace(s)
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
