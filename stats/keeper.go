package stats

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// keeper owns the record of one Statistics: it alone reads and writes it. One
// call on the store is under way at a time, always with the newest state.
//
// Two owners never overwrite each other unseen. Whoever opens claims the next
// epoch, and every save is a compare-and-set: the older owner's next save meets
// a revision it does not know, reads the higher epoch and stops.
type keeper struct {
	store kvstore.Store
	key   string
	owner string

	turn chan struct{} // holds a token while a call is under way; guards the fields below
	rev  kvstore.Revision
	head header // of the newest record written or tried by this owner
	ours bool   // the record was claimed
	gone bool   // it was deleted by this owner: what stands there now is another's
	// acked is the header of the newest record that the store has acknowledged to
	// this owner.
	acked header

	superseded atomic.Bool
	lost       atomic.Pointer[rollback] // not told yet
}

const saveGrace = 200 * time.Millisecond // for a store to say itself that time is up

func newKeeper(store kvstore.Store, key, owner string) *keeper {
	return &keeper{store: store, key: key, owner: owner, turn: make(chan struct{}, 1)}
}

// run calls fn, in its turn, on a goroutine that the caller can leave when ctx
// ends: a store may hang for ever, and the crawl must not. The goroutine keeps
// the turn until the store lets go of it.
func (k *keeper) run(ctx context.Context, fn func() error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: the store was not asked: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: an earlier call still waits for the store: %w", kvstore.ErrUnavailable, context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-k.turn }()
		done <- fn()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(saveGrace)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fmt.Errorf("%w: the store did not answer in time: %w", kvstore.ErrUnknown, context.Cause(ctx))
	}
}

// save writes the state that encode returns for a header, unless it is nil, and
// calls acked once the record holds it, even when the caller has left.
func (k *keeper) save(ctx context.Context, encode func(header) (record []byte, acked func(), err error)) error {
	return k.run(ctx, func() error {
		if k.superseded.Load() {
			return ErrSuperseded
		}
		k.head.seq++
		k.head.at = wall(time.Now())
		record, acked, err := encode(k.head)
		if err != nil || record == nil {
			return err
		}
		if err := k.write(ctx, record); err != nil {
			return k.fence(err)
		}
		acked()
		return nil
	})
}

// fence remembers that another owner was met: from then on nothing is written.
func (k *keeper) fence(err error) error {
	if errors.Is(err, ErrSuperseded) {
		k.superseded.Store(true)
	}
	return err
}

// write stores a record of the current head, and settles what is in doubt by
// reading, once.
func (k *keeper) write(ctx context.Context, record []byte) error {
	rev, err := k.store.Save(ctx, k.key, record, k.rev)
	if inDoubt(ctx, err) {
		var stored bool
		if stored, rev, err = k.settle(ctx); err == nil && !stored {
			rev, err = k.store.Save(ctx, k.key, record, rev)
		}
	}
	if err != nil {
		return err
	}
	k.rev, k.ours, k.gone = rev, true, false
	k.acked = k.head
	return nil
}

func inDoubt(ctx context.Context, err error) bool {
	return errors.Is(err, kvstore.ErrConflict) || errors.Is(err, kvstore.ErrUnknown) && ctx.Err() == nil
}

// settle reads what stands under the key after a save whose outcome is not
// known. It reports whether that is the newest record of this owner, and the
// revision to write over where it is not. The epoch decides who owns the key.
func (k *keeper) settle(ctx context.Context) (stored bool, rev kvstore.Revision, err error) {
	item, err := k.store.Load(ctx, k.key)
	if errors.Is(err, kvstore.ErrNotFound) || errors.Is(err, kvstore.ErrCorrupt) {
		if err := k.checkCopy(ctx); err != nil {
			return false, 0, err
		}
		k.lose(header{}) // deleted, evicted or damaged
		return false, 0, nil
	}
	if err != nil {
		return false, 0, err
	}
	there, _, unreadable := parseHeader(item.Value)
	switch {
	case errors.Is(unreadable, ErrNewerSchema):
		return false, 0, fmt.Errorf("%w: %w", ErrSuperseded, unreadable)
	case unreadable != nil: // the newest state is here
		_, err := k.putAside(ctx, item.Value)
		return false, item.Rev, err
	case there.owner == k.owner && there.epoch == k.head.epoch:
		k.lose(there)
		return there.seq == k.head.seq, item.Rev, nil
	case there.epoch >= k.head.epoch, k.gone, !k.ours:
		return false, 0, fmt.Errorf("%w: %q belongs to %q since epoch %d: stop one of the two programs, or give each a Config.Member",
			ErrSuperseded, k.key, there.owner, there.epoch)
	}
	k.lose(there) // to before this owner
	return false, item.Rev, nil
}

// checkCopy looks, where the record is missing, whether a newer owner was the one
// to delete it: a Reset leaves its epoch beside.
func (k *keeper) checkCopy(ctx context.Context) error {
	item, err := k.store.Load(ctx, k.copyKey())
	if err != nil {
		return nil //nolint:nilerr // nobody has left anything: the newest state is here
	}
	there, _, err := parseHeader(item.Value)
	if err == nil && there.epoch > k.head.epoch {
		return fmt.Errorf("%w: %q was reset by %q in epoch %d", ErrSuperseded, k.key, there.owner, there.epoch)
	}
	return nil
}

// remove deletes the record, and leaves an empty one with this owner's epoch as
// the copy to fall back to: an older owner must not come back, and a record of
// Crawlee must not be imported again.
func (k *keeper) remove(ctx context.Context) error {
	return k.run(ctx, func() error {
		if k.superseded.Load() {
			return ErrSuperseded
		}
		k.head.seq++
		k.head.at = wall(time.Now())
		empty, _, err := encodeRecord(k.head, Snapshot{})
		if err != nil {
			return err
		}
		if err := k.keepCopy(ctx, empty); err != nil {
			return err
		}
		err = k.store.Delete(ctx, k.key, k.rev)
		if inDoubt(ctx, err) {
			var rev kvstore.Revision
			if _, rev, err = k.settle(ctx); err == nil && rev != 0 {
				err = k.store.Delete(ctx, k.key, rev)
			}
		}
		if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
			return k.fence(err)
		}
		k.rev, k.gone, k.acked = 0, true, header{}
		return nil
	})
}

// sync makes acknowledged saves survive a loss of power, where the store needs
// to be asked.
func (k *keeper) sync(ctx context.Context) error {
	syncer, ok := k.store.(kvstore.Syncer)
	if !ok {
		return nil
	}
	err := k.run(ctx, func() error { return syncer.Sync(ctx) })
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
