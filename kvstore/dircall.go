package kvstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

const lockPoll = 5 * time.Millisecond // between two tries for the lock

// access is what a call needs of the directory.
type access bool

const (
	reading access = false // files are replaced as a whole, so no lock is needed
	writing access = true  // under the lock, until which the call waits
)

// do runs op, one at a time, on a goroutine that the caller can leave: a disk
// may hang for longer than ctx allows. Close waits for that goroutine.
func do[T any](ctx context.Context, d *Dir, key string, need access, op func() (T, error)) (T, error) {
	var none T
	release, err := d.begin(ctx, key, need)
	if err != nil {
		return none, err
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := op()
		release()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		outcome := ErrUnavailable
		if need == writing {
			outcome = ErrUnknown
		}
		return none, fmt.Errorf("%w: the disk did not answer in time: %w", outcome, context.Cause(ctx))
	}
}

// begin waits for the calls under way in this process and, for writing, for the
// lock of the directory. release ends what it began.
func (d *Dir) begin(ctx context.Context, key string, need access) (release func(), err error) {
	if err := usable(ctx, key, d.closed.Load()); err != nil {
		return nil, err
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: the directory is busy: %w", ErrUnavailable, context.Cause(ctx))
	}
	if d.closed.Load() {
		<-d.turn
		return nil, ErrClosed
	}
	if need == reading {
		return func() { <-d.turn }, nil
	}
	lock, err := d.lock(ctx)
	if err != nil {
		<-d.turn
		return nil, err
	}
	return func() { _ = lock.Unlock(); <-d.turn }, nil
}

// lock takes the lock of the directory, and polls for it until ctx ends.
func (d *Dir) lock(ctx context.Context) (*filelock.Lock, error) {
	for {
		lock, err := filelock.Try(filepath.Join(d.path, dirLock))
		if err == nil {
			return lock, nil
		}
		switch {
		case !errors.Is(err, filelock.ErrHeld):
			return nil, diskError(err)
		case d.closed.Load():
			return nil, ErrClosed
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: another process writes to %s: %w", &LockedError{}, d.path, context.Cause(ctx))
		}
	}
}
