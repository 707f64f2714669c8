package stats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

const maxClaims = 16 // of newcomers that open at the same moment

// restored is what Open found under the key.
type restored struct {
	snapshot Snapshot
	header   header
	found    bool
	raw      []byte // the record it was read from, as long as it is good
	// damage tells what could not be read, and where that is kept now; then the
	// snapshot comes from the copy of the last Open, or is empty.
	damage error
}

// load reads the record, or what can be saved of it.
func (k *keeper) load(ctx context.Context, legacy []string) (restored, error) {
	var r restored
	err := k.run(ctx, func() (err error) {
		r, err = k.read(ctx, legacy)
		return err
	})
	return r, err
}

func (k *keeper) read(ctx context.Context, legacy []string) (restored, error) {
	item, err := k.store.Load(ctx, k.key)
	switch {
	case errors.Is(err, kvstore.ErrNotFound):
		k.rev = 0
		return k.readMissing(ctx, legacy)
	case errors.Is(err, kvstore.ErrCorrupt):
		// The store keeps the damaged bytes itself when revision 0 replaces them.
		k.rev = 0
		return k.readCopy(ctx, err)
	case err != nil:
		return restored{}, err
	}
	k.rev = item.Rev
	r, err := readRecord(item.Value)
	switch {
	case err == nil, errors.Is(err, ErrNewerSchema):
		return r, err
	}
	aside, asideErr := k.putAside(ctx, item.Value)
	if asideErr != nil {
		return restored{}, errors.Join(err, asideErr)
	}
	return k.readCopy(ctx, fmt.Errorf("%w; it is kept under %q", err, aside))
}

// putAside keeps bytes that cannot be read before they are written over. The
// same bytes are kept once.
func (k *keeper) putAside(ctx context.Context, record []byte) (key string, err error) {
	key = fmt.Sprintf("%s/x/bad-%08x", k.key, checksum(record))
	_, err = k.store.Save(ctx, key, record, 0)
	if err != nil && !errors.Is(err, kvstore.ErrConflict) {
		return "", fmt.Errorf("put a damaged record aside: %w", err)
	}
	return key, nil
}

func readRecord(record []byte) (restored, error) {
	h, a, err := decodeRecord(record)
	if err != nil {
		return restored{header: h}, err
	}
	return restored{snapshot: a, header: h, found: true, raw: record}, nil
}

// readCopy falls back to the record that the last Open found, or to nothing.
func (k *keeper) readCopy(ctx context.Context, damage error) (restored, error) {
	item, err := k.store.Load(ctx, k.copyKey())
	if err == nil {
		var r restored
		if r, err = readRecord(item.Value); err == nil {
			r.damage = damage
			return r, nil
		}
	}
	if errors.Is(err, kvstore.ErrNotFound) || errors.Is(err, kvstore.ErrCorrupt) {
		return restored{damage: damage}, nil
	}
	return restored{}, errors.Join(damage, err)
}

func (k *keeper) copyKey() string { return k.key + "/x/last-open" }

// readMissing is for a key without a record. Where a Reset has left its empty
// copy, its epoch is followed; any other copy tells of a record that got lost.
func (k *keeper) readMissing(ctx context.Context, legacy []string) (restored, error) {
	item, err := k.store.Load(ctx, k.copyKey())
	switch {
	case errors.Is(err, kvstore.ErrNotFound):
		return k.readLegacy(ctx, legacy)
	case errors.Is(err, kvstore.ErrCorrupt):
		return restored{}, nil
	case err != nil:
		return restored{}, err
	}
	r, err := readRecord(item.Value)
	switch {
	case err != nil:
		return restored{}, nil //nolint:nilerr // a copy that cannot be read, of a record that is gone
	case r.snapshot.StartedAt.IsZero():
		return restored{header: r.header}, nil
	}
	r.damage = fmt.Errorf("%w: the record is gone, and was not reset", kvstore.ErrNotFound)
	return r, nil
}

// readLegacy looks for a record of Crawlee under the keys it uses.
func (k *keeper) readLegacy(ctx context.Context, legacy []string) (restored, error) {
	for _, key := range legacy {
		if key == k.key {
			continue
		}
		item, err := k.store.Load(ctx, key)
		if errors.Is(err, kvstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return restored{}, err
		}
		r, err := readRecord(item.Value)
		if err != nil {
			r = restored{damage: fmt.Errorf("a record of Crawlee under %q, left as it is: %w", key, err)}
		}
		return r, nil
	}
	return restored{}, nil
}

// adopt makes the next record of this owner follow what was restored.
func (k *keeper) adopt(r restored) {
	k.head = header{schema: schema, epoch: r.header.epoch + 1, seq: r.header.seq, owner: k.owner}
}

// claim makes this owner the one of the next epoch, by writing the restored
// state under its name. When another was faster, what it wrote is read and
// claimed instead.
func (k *keeper) claim(ctx context.Context, r restored, legacy []string, encode func(header, Snapshot) ([]byte, error)) (restored, error) {
	err := k.run(ctx, func() (err error) {
		for range maxClaims {
			claimed, err := k.take(ctx, r, encode)
			if claimed || err != nil {
				return err
			}
			if r, err = k.read(ctx, legacy); err != nil {
				return err
			}
		}
		return fmt.Errorf("%w: others write %q all the time: give each worker a Config.Member of its own", kvstore.ErrConflict, k.key)
	})
	return r, err
}

// take tries to claim once, and reports false when the record has changed.
func (k *keeper) take(ctx context.Context, r restored, encode func(header, Snapshot) ([]byte, error)) (claimed bool, err error) {
	if err := k.keepCopy(ctx, r.raw); err != nil {
		return false, err
	}
	k.adopt(r)
	k.head.seq++
	k.head.at = wall(time.Now())
	record, err := encode(k.head, r.snapshot)
	if err != nil {
		return false, err
	}
	rev, err := k.store.Save(ctx, k.key, record, k.rev)
	if inDoubt(ctx, err) {
		if claimed, rev, err = k.settle(ctx); !claimed && (err == nil || errors.Is(err, ErrSuperseded)) {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	k.rev, k.ours, k.acked = rev, true, k.head
	return true, nil
}

// keepCopy saves the record that was found as the one to fall back to.
func (k *keeper) keepCopy(ctx context.Context, record []byte) error {
	if record == nil {
		return nil
	}
	item, err := k.store.Load(ctx, k.copyKey())
	if err != nil && !errors.Is(err, kvstore.ErrNotFound) && !errors.Is(err, kvstore.ErrCorrupt) {
		return err
	}
	_, err = k.store.Save(ctx, k.copyKey(), record, item.Rev)
	if errors.Is(err, kvstore.ErrConflict) {
		return nil // another newcomer keeps the same record
	}
	return err
}

// Load reads the record under key without owning it: nothing is claimed and
// nothing written. A record of Crawlee is read as ours. ErrNotFound when there
// is none, kvstore.ErrCorrupt when it is damaged, ErrNewerSchema when this
// library is too old for it.
func Load(ctx context.Context, st kvstore.Store, key string) (Snapshot, error) {
	item, err := st.Load(ctx, key)
	if err != nil {
		return Snapshot{}, fmt.Errorf("stats: load: %w", err)
	}
	a, err := Decode(item.Value)
	if err != nil {
		return Snapshot{}, fmt.Errorf("stats: load %q: %w", key, err)
	}
	return a, nil
}
