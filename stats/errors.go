package stats

import "errors"

// Sentinels for errors.Is. What the store says comes wrapped beside them.
var (
	// ErrSuperseded: another owner has taken the record over. This Statistics
	// keeps counting in memory and never writes again.
	ErrSuperseded = errors.New("superseded by a newer owner of the record")
	// ErrNewerSchema: the record was written by a newer version of this library.
	// Update the program; nothing was overwritten.
	ErrNewerSchema = errors.New("record has a newer schema")
	// ErrNoStore: Persist needs Config.Store.
	ErrNoStore = errors.New("no store is configured")
	// ErrClosed: the Statistics is closed.
	ErrClosed = errors.New("statistics are closed")
	// ErrTooLarge: an extension, or the whole record, is larger than its share.
	ErrTooLarge = errors.New("too large for the record")
)
