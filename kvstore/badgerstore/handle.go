package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

// limits are what the tests change.
type limits struct {
	free       func(dir string) (uint64, error)
	floor      uint64        // free bytes below which nothing is opened or saved
	syncEvery  time.Duration // when something was saved
	copyEvery  time.Duration // likewise, for the side copy
	closeMost  time.Duration // that Close waits when its context does not end
	closeGrace time.Duration // that Close waits after that
	silent     bool          // of recoveries: they are of a copy, which tells of them itself
}

func defaultLimits() limits {
	return limits{
		free:       freeSpace,
		floor:      max(32<<20, 4*memTableSize),
		syncEvery:  10 * time.Second,
		copyEvery:  time.Minute,
		closeMost:  10 * time.Second,
		closeGrace: time.Second,
	}
}

const (
	lockPoll  = 50 * time.Millisecond // between two tries for a directory that another process has
	turnGrace = 50 * time.Millisecond // that a call with a done context waits for its turn
)

// handle is a directory and its database, shared by the Stores of this process
// on it. Badger refuses a second opener, even of the same process.
type handle struct {
	dir   string
	log   *slog.Logger
	lim   limits
	users int           // guarded by handles.mu
	turn  chan struct{} // holds a token while a call is under way

	// The rest belongs to whoever has the turn.
	lock   *filelock.Lock // nil until the directory is ours
	db     *database      // nil until it is open
	keeper *keeper        // lives as long as db
	warned bool           // of waiting for the lock
}

// handles has the handle of each directory, by its real path.
var handles = struct {
	mu sync.Mutex
	of map[string]*handle
}{of: make(map[string]*handle)}

// acquire returns the handle of dir with its database open, unless another
// process has the directory.
func acquire(dir string, log *slog.Logger, lim limits) (*handle, error) {
	dir, err := realDir(dir)
	if err != nil {
		return nil, typed(err, kvstore.ErrUnavailable)
	}
	handles.mu.Lock()
	h := handles.of[dir]
	if h == nil {
		h = &handle{dir: dir, log: log, lim: lim, turn: make(chan struct{}, 1)}
		handles.of[dir] = h
	}
	h.users++
	handles.mu.Unlock()

	h.turn <- struct{}{}
	err = h.open()
	<-h.turn
	if err != nil && !errors.Is(err, kvstore.ErrLocked) {
		h.leave()
		return nil, err
	}
	return h, nil
}

func realDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// leave gives up the use of h and says whether it was the last one.
func (h *handle) leave() (last bool) {
	handles.mu.Lock()
	defer handles.mu.Unlock()
	h.users--
	if h.users == 0 {
		delete(handles.of, h.dir)
	}
	return h.users == 0
}

// own locks the directory, or returns a LockedError. The caller has the turn.
func (h *handle) own() error {
	if h.lock != nil {
		return nil
	}
	path := filepath.Join(h.dir, "lock")
	lock, err := filelock.Try(path)
	switch {
	case errors.Is(err, filelock.ErrHeld):
		locked := &kvstore.LockedError{PID: readPID(path)}
		if !h.warned && locked.PID != os.Getpid() { // else the last Store of this process is being closed
			h.warned = true
			h.log.Warn("waiting for the process that has the directory, as long as the context of the call lasts", "dir", h.dir, "pid", locked.PID)
		}
		return locked
	case err != nil:
		return typed(err, kvstore.ErrUnavailable)
	}
	h.lock, h.warned = lock, false
	writePID(lock.File()) // only for messages: a full disk must not stop the owner
	return nil
}

func writePID(f *os.File) {
	pid := strconv.Itoa(os.Getpid()) + "\n"
	if _, err := f.WriteAt([]byte(pid), 0); err == nil {
		_ = f.Truncate(int64(len(pid)))
	}
}

func readPID(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

// open opens the database if it is not open yet. The caller has the turn.
func (h *handle) open() error {
	if h.db != nil {
		return nil
	}
	if err := h.own(); err != nil {
		return err
	}
	db, err := openDatabase(h.dir, h.log, h.lim)
	if err != nil {
		h.disown()
		return err
	}
	h.db = db
	h.keeper = startKeeper(h)
	return nil
}

func (h *handle) disown() {
	if h.lock != nil {
		_ = h.lock.Unlock() // the system frees it with the process at the latest
		h.lock = nil
	}
}

// release ends the use of h by one Store. See Store.Close for how long.
func (h *handle) release(ctx context.Context) error {
	last := h.leave()
	done := make(chan error, 1)
	go func() {
		h.turn <- struct{}{}
		done <- h.finish(last)
		<-h.turn
	}()
	most := time.NewTimer(h.lim.closeMost)
	defer most.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	case <-most.C:
	}
	grace := time.NewTimer(h.lim.closeGrace)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fmt.Errorf("%w: the database hangs and was abandoned; see whether its disk answers", kvstore.ErrUnknown)
	}
}

// finish flushes the database, and closes it when last. The caller has the turn.
func (h *handle) finish(last bool) error {
	switch {
	case h.db == nil:
		return nil
	case !last:
		return h.db.flush()
	}
	h.keeper.stop()
	err := h.db.close()
	h.db = nil
	h.disown()
	return err
}
