package kvstore

import (
	"context"
	"iter"
	"time"
)

// Revision numbers the values of one key. It is opaque: compare it for
// equality, hand it back to Save and Delete, and nothing else. Zero means "the
// key must not exist", and no value has it. A key that was deleted and saved
// again gets a revision it did not have before.
type Revision uint64

// Item is a value and the revision it was stored under.
type Item struct {
	Value []byte
	Rev   Revision
}

// MaxKey is the length, in bytes, up to which every store takes any string as a
// key: the empty one, and any bytes. A longer key gives ErrTooLarge.
const MaxKey = 1024

// Store keeps small values, at most a few hundred kilobytes each, under string
// keys of up to MaxKey bytes. It is safe for concurrent use, and values are
// copied by both sides: a caller may change what it saved or loaded.
//
// A deadline of ctx is honoured within 100 ms. A store that gives up on a
// request that may have reached the engine returns ErrUnknown. No store retries
// by itself: its caller does, with the newest value.
type Store interface {
	// Load returns the value of key, ErrNotFound, or ErrCorrupt when what is
	// stored cannot be trusted. A Save with revision zero replaces a damaged
	// value; the store keeps the damaged bytes aside.
	Load(ctx context.Context, key string) (Item, error)
	// Save stores value if the key's revision is still prev, and returns the new
	// revision. It is always a compare-and-set: ErrConflict when another writer
	// came first, or when prev is zero and the key exists.
	Save(ctx context.Context, key string, value []byte, prev Revision) (Revision, error)
	// Delete removes key if its revision is still prev: ErrConflict when it is
	// not, ErrNotFound when there is no such key.
	Delete(ctx context.Context, key string, prev Revision) error
	// Close flushes and releases the store. It is idempotent, bounds itself even
	// when ctx is already done, and leaves ErrClosed for every later call.
	Close(ctx context.Context) error
}

// Lister is implemented by stores that can enumerate their keys. The order is
// unspecified; an error ends the sequence.
type Lister interface {
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// Syncer is implemented by stores whose acknowledged saves survive the death of
// the process but need a barrier to survive the loss of power.
type Syncer interface {
	Sync(ctx context.Context) error
}

// Watcher is implemented by stores that can tell of changes. The channel is
// closed when ctx ends; a slow reader sees the newest event of a key, not all.
type Watcher interface {
	Watch(ctx context.Context, prefix string) (<-chan Event, error)
}

// Event tells that the value of Key changed. Rev is zero when it was deleted.
type Event struct {
	Key string
	Rev Revision
}

// Describer is implemented by stores that can say what they are.
type Describer interface {
	Describe() Info
}

// Info describes a store.
type Info struct {
	Engine            string        // "memory", "dir", "badger", "redis", …
	Location          string        // a directory or address, for messages; never with a password
	MaxValue          int           // bytes; 0 is unknown
	Shared            bool          // more than one process can use it at a time
	SuggestedInterval time.Duration // between checkpoints; 0 leaves it to the caller
}
