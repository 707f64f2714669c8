package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// mend says what to do about damage in a store.
func mend(place string) string {
	return "let the crawler open " + place + ", which keeps the damaged data aside and goes on from the newest good copy, or restore a backup"
}

// Load reads a record, and says what to do about a damaged one.
func (s *Source) Load(ctx context.Context, key string) (stats.Snapshot, error) {
	a, err := stats.Load(ctx, s.Store, key)
	return a, s.advise(err)
}

func (s *Source) advise(err error) error {
	if errors.Is(err, kvstore.ErrCorrupt) {
		return fmt.Errorf("%w: %s", err, mend(s.Arg))
	}
	return err
}
