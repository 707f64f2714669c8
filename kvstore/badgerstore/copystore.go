package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Load returns a copy of the value of key.
func (c *Copy) Load(ctx context.Context, key string) (kvstore.Item, error) {
	return c.store.Load(ctx, key)
}

// Save returns ErrReadOnly.
func (c *Copy) Save(_ context.Context, key string, _ []byte, _ kvstore.Revision) (kvstore.Revision, error) {
	return 0, c.readOnly("save", key)
}

// Delete returns ErrReadOnly.
func (c *Copy) Delete(_ context.Context, key string, _ kvstore.Revision) error {
	return c.readOnly("delete", key)
}

func (c *Copy) readOnly(verb, key string) error {
	return fmt.Errorf("badgerstore: %s %.300q: %w: this is a copy of %s: use Open to change it", verb, key, kvstore.ErrReadOnly, c.of)
}

// List yields the keys that start with prefix.
func (c *Copy) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return c.store.List(ctx, prefix)
}

// Idle reports that no process had the directory open when it was copied. It is
// false where the lock could not be tried, as in a directory that may only be read.
func (c *Copy) Idle() bool { return c.idle }

// Damage returns nil where the directory was whole. Else it is an error that wraps
// ErrCorrupt and says what is missing: the copy is then what Open would recover.
func (c *Copy) Damage() error { return c.damage }

// Describe names the directory that was copied.
func (c *Copy) Describe() kvstore.Info {
	info := c.store.Describe()
	info.Location = c.of
	return info
}

// Close closes the copy and removes it.
func (c *Copy) Close(ctx context.Context) error {
	if err := errors.Join(c.store.Close(ctx), os.RemoveAll(c.dir)); err != nil {
		return fmt.Errorf("badgerstore: close a copy of %s: %w", c.of, err)
	}
	return nil
}
