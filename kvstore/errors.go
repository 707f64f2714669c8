package kvstore

import (
	"errors"
	"fmt"
)

// Sentinels for errors.Is. Stores wrap them with the cause and the next step.
var (
	ErrNotFound    = errors.New("key not found")
	ErrConflict    = errors.New("revision conflict")
	ErrLocked      = errors.New("locked by another process") // details: LockedError
	ErrNoSpace     = errors.New("no space left")
	ErrTooLarge    = errors.New("value or key too large")
	ErrCorrupt     = errors.New("stored data is damaged")
	ErrReadOnly    = errors.New("store is read-only")
	ErrPermission  = errors.New("permission denied")
	ErrUnavailable = errors.New("store is unavailable") // not applied: try again
	ErrUnknown     = errors.New("outcome is unknown")   // may have been applied: load, then decide
	ErrClosed      = errors.New("store is closed")
)

// LockedError is an ErrLocked that knows who holds the lock.
type LockedError struct {
	PID int // the process that holds the lock; 0 is unknown
}

// Error names the process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return ErrLocked.Error()
	}
	return fmt.Sprintf("%v (pid %d)", ErrLocked, e.PID)
}

// Is makes a LockedError an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
