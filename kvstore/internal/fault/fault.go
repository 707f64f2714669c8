// Package fault is what the stores on a server make of the errors of their
// clients.
//
// # Concurrency
//
// An Error does not change.
package fault

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Error is an error of a client that knows its sentinel and what to do.
type Error struct {
	sentinel error
	advice   string
	cause    error
}

// New returns the error of a call.
func New(sentinel error, advice string, cause error) error {
	return &Error{sentinel, advice, cause}
}

func (e *Error) Error() string {
	return fmt.Sprintf("%v; %s: %s", e.sentinel, e.advice, cut(e.cause.Error()))
}

// Unwrap returns the sentinel and what the client said.
func (e *Error) Unwrap() []error { return []error{e.sentinel, e.cause} }

// Read says of an error of a call that changes nothing what it means: there is
// no unknown outcome.
func Read(err error) error {
	var e *Error
	if errors.As(err, &e) && e.sentinel == kvstore.ErrUnknown { //nolint:errorlint // put there by New, bare
		return New(kvstore.ErrUnavailable, "try again", e.cause)
	}
	return err
}

// cut bounds a text of the server.
func cut(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
