package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// witness is a log that takes note of a recovery, for badgerstore tells of it
// nowhere else. What was recovered is a copy that is gone when somebody reads the
// log, so it says nothing of it itself. A copy is recovered before OpenCopy returns,
// and never after.
type witness struct {
	slog.Handler
	lost map[string]uint64 // by the attribute; nil: no recovery
}

// lostKeys and lostSaves are attributes of the warning of a recovery.
const (
	lostKeys  = "keys_lost"
	lostSaves = "missing_saves_at_most"
)

// Handle keeps the figures of a recovery and passes all else on.
func (w *witness) Handle(ctx context.Context, r slog.Record) error {
	lost := map[string]uint64{}
	r.Attrs(func(a slog.Attr) bool {
		switch v := a.Value.Any().(type) {
		case uint64:
			lost[a.Key] = v
		case int64:
			lost[a.Key] = uint64(max(v, 0))
		}
		return true
	})
	if _, recovery := lost[lostSaves]; !recovery {
		return w.Handler.Handle(ctx, r)
	}
	w.lost = lost
	return nil
}

// damage says what is wrong with the directory whose copy was recovered.
func (w *witness) damage(dir string) error {
	if w.lost == nil {
		return nil
	}
	return fmt.Errorf("%w: the database in %s: a copy of it was recovered, keys missing: %d, saves missing: at most %d: %s",
		kvstore.ErrCorrupt, dir, w.lost[lostKeys], w.lost[lostSaves], mend(dir))
}

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
