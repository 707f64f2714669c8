package kvstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

const (
	dirLock  = "lock"                 // locked by each write, never removed
	dirTemp  = "tmp"                  // one name is enough: whoever holds the lock writes
	closeMax = 500 * time.Millisecond // that Close waits for the call under way
)

// Dir is a Store with one file per key in a directory. A save is on the disk
// when it returns, so it survives the loss of power; it costs two fsyncs, about
// a millisecond on a local disk. Any number of processes may use the directory,
// given a local file system with working locks. Dir implements Lister and
// Describer and works inside a testing/synctest bubble.
//
// A file is a header line with key, revision and CRC-32C, then the value as it
// is. A file that does not agree with its header is ErrCorrupt; the Save with
// revision zero that replaces it first renames it to *.bad-<nanoseconds>.
type Dir struct {
	path   string
	turn   chan struct{} // holds a token while a call is under way
	closed atomic.Bool
}

// OpenDir opens the store in dir and creates the directory if it is missing.
// A directory that cannot be written still opens, for reading. Errors:
// ErrPermission, ErrReadOnly, ErrNoSpace, or ErrUnavailable for every other one.
func OpenDir(dir string) (*Dir, error) {
	if dir == "" {
		return nil, errors.New("kvstore: open directory: it has no name: give one")
	}
	path, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("kvstore: open directory %s: %w", dir, diskError(err))
	}
	return &Dir{path: path, turn: make(chan struct{}, 1)}, nil
}

// Load reads the file of key.
func (d *Dir) Load(ctx context.Context, key string) (Item, error) {
	it, err := do(ctx, d, key, reading, func() (Item, error) { return d.read(key) })
	if err != nil {
		return Item{}, fmt.Errorf("kvstore: load %q: %w", key, err)
	}
	return it, nil
}

// Save replaces the file of key if its revision is still prev. It waits for the
// lock of the directory until ctx ends.
func (d *Dir) Save(ctx context.Context, key string, value []byte, prev Revision) (Revision, error) {
	value = slices.Clone(value) // the write may outlive this call
	rev, err := do(ctx, d, key, writing, func() (Revision, error) { return d.replace(key, value, prev) })
	if err != nil {
		return 0, fmt.Errorf("kvstore: save %q: %w", key, err)
	}
	return rev, nil
}

// Delete removes the file of key if its revision is still prev. It waits for
// the lock of the directory until ctx ends.
func (d *Dir) Delete(ctx context.Context, key string, prev Revision) error {
	_, err := do(ctx, d, key, writing, func() (struct{}, error) { return struct{}{}, d.remove(key, prev) })
	if err != nil {
		return fmt.Errorf("kvstore: delete %q: %w", key, err)
	}
	return nil
}

// List yields the keys that start with prefix. Files whose header is damaged
// are reported by one error after all keys.
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		type listing struct {
			keys    []string
			damaged error
		}
		l, err := do(ctx, d, prefix, reading, func() (l listing, err error) {
			l.keys, l.damaged, err = d.keys()
			return l, err
		})
		if err != nil {
			yield("", fmt.Errorf("kvstore: list %q: %w", prefix, err))
			return
		}
		for _, key := range l.keys {
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
		if l.damaged != nil {
			yield("", fmt.Errorf("kvstore: list %q: %w", prefix, l.damaged))
		}
	}
}

// Describe names the directory.
func (d *Dir) Describe() Info {
	return Info{Engine: "dir", Location: d.path, Shared: filelock.Works, SuggestedInterval: time.Second}
}

// Close waits, for half a second at most, for the call under way.
func (d *Dir) Close(context.Context) error {
	if d.closed.Swap(true) {
		return nil
	}
	timer := time.NewTimer(closeMax)
	defer timer.Stop()
	select {
	case d.turn <- struct{}{}:
		<-d.turn
		return nil
	case <-timer.C:
		return fmt.Errorf("kvstore: close %s: a call still waits for the disk: %w", d.path, ErrUnknown)
	}
}

// replace writes the next revision of key. The caller holds the lock.
func (d *Dir) replace(key string, value []byte, prev Revision) (Revision, error) {
	name := filepath.Join(d.path, fileName(key))
	cur, err := d.read(key)
	switch {
	case errors.Is(err, ErrCorrupt) && prev == 0:
		if err := os.Rename(name, fmt.Sprintf("%s.bad-%d", name, time.Now().UnixNano())); err != nil {
			return 0, diskError(err)
		}
	case err != nil && !errors.Is(err, ErrNotFound):
		return 0, err
	case cur.Rev != prev:
		return 0, ErrConflict
	}
	rev := prev + 1
	if prev == 0 {
		rev = Revision(rand.Uint64()>>1) + 1 // a deleted key must not get its old revisions again
	}
	return rev, d.write(name, encodeFile(key, rev, value))
}

// write puts data in place of the file as a whole: there is never half of it.
func (d *Dir) write(name string, data []byte) error {
	temp := filepath.Join(d.path, dirTemp)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return diskError(err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		return diskError(err)
	}
	return d.sync()
}

// remove deletes the file of key. The caller holds the lock.
func (d *Dir) remove(key string, prev Revision) error {
	cur, err := d.read(key)
	if err != nil {
		return err
	}
	if cur.Rev != prev {
		return ErrConflict
	}
	if err := os.Remove(filepath.Join(d.path, fileName(key))); err != nil {
		return diskError(err)
	}
	return d.sync()
}

// sync makes a rename or removal durable.
func (d *Dir) sync() error {
	if err := syncDir(d.path); err != nil {
		return fmt.Errorf("%w: sync directory: %w", ErrUnknown, err)
	}
	return nil
}

func (d *Dir) read(key string) (Item, error) {
	name := filepath.Join(d.path, fileName(key))
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Item{}, ErrNotFound
	case err != nil:
		return Item{}, diskError(err)
	}
	stored, it, ok := decodeFile(data)
	if !ok || stored != key {
		return Item{}, fmt.Errorf("%w: %s does not agree with its checksum; save with revision zero to replace it", ErrCorrupt, name)
	}
	return it, nil
}

// keys returns the keys of all files, and the files it could not read the key of.
func (d *Dir) keys() (keys []string, damaged, err error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, nil, diskError(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), fileSuffix) {
			continue
		}
		key, ok, err := readKey(filepath.Join(d.path, e.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
		case err != nil:
			return nil, nil, diskError(err)
		case !ok || fileName(key) != e.Name():
			damaged = errors.Join(damaged, fmt.Errorf("%w: header of %s", ErrCorrupt, e.Name()))
		default:
			keys = append(keys, key)
		}
	}
	return keys, damaged, nil
}
