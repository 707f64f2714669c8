package stats

import (
	"context"
	"fmt"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Import makes a the record under key, so that the next Open goes on from it:
// with what Load or Decode gave, a crawl moves from one store to another. It is a
// compare-and-set: prev is the revision of the value that is there, 0 for none,
// and an error that wraps kvstore.ErrConflict says that something else is.
//
// A record that is replaced stays beside the new one as the copy to fall back to
// until the next Open, and whoever owned it is superseded at its next save. One
// of a newer schema is not replaced: ErrNewerSchema. When the extensions of a are
// more than a record has room for, ErrTooLarge says so and nothing is written.
func Import(ctx context.Context, st kvstore.Store, key string, a Snapshot, prev kvstore.Revision) error {
	k := newKeeper(st, key, newOwner())
	err := k.run(ctx, func() error {
		r, err := k.read(ctx, nil)
		if err != nil {
			return err
		}
		taken := k.rev == prev
		if taken {
			taken, err = k.take(ctx, r, func(h header, _ Snapshot) ([]byte, error) { return wholeRecord(h, a) })
		}
		if err == nil && !taken {
			err = kvstore.ErrConflict
		}
		return err
	})
	if err == nil {
		err = k.sync(ctx)
	}
	if err != nil {
		return fmt.Errorf("stats: import %q: %w", key, err)
	}
	return nil
}

// wholeRecord is encodeRecord for a record that may not leave an extension out.
func wholeRecord(h header, a Snapshot) ([]byte, error) {
	record, leftOut, err := encodeRecord(h, a)
	if err == nil && len(leftOut) > 0 {
		err = leftOutError(leftOut)
	}
	if err != nil {
		return nil, err
	}
	return record, nil
}

func leftOutError(names []string) error {
	return fmt.Errorf("without %q: %w: all extensions together have %d KB", names, ErrTooLarge, budget[carriedPart]>>10)
}
