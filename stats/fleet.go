package stats

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Fleet reads the records of all workers that share one ID, each under its
// Config.Member, as one crawl. It owns none of them and writes nothing. It is a
// Source, so whatever shows a Statistics shows a Fleet.
type Fleet struct {
	store  kvstore.Store
	lister kvstore.Lister
	id     string

	turn chan struct{} // holds a token while a Refresh is under way

	mu      sync.Mutex
	members map[string]*member // by key
	since   time.Time
}

// MemberState says what is known of a worker.
type MemberState string

// The states.
const (
	MemberRunning  MemberState = "running"
	MemberSilent   MemberState = "silent"   // has not saved for 30 s: it is gone, or its store is
	MemberFinished MemberState = "finished" // closed
	MemberVanished MemberState = "vanished" // its record is gone; what it had counted stays in Live alone
)

const silentAfter = 3 * ridingEvery

// Member is one worker of a Fleet.
type Member struct {
	Name  string        // Config.Member; "" is the record of a crawl of one process
	Age   time.Duration // since it saved, by the clocks of both machines; never negative
	State MemberState
	Err   error // why its record could not be read; what was read before still counts
}

// LoadFleet reads the records of the crawl id. The store has to be a
// kvstore.Lister, or the error wraps errors.ErrUnsupported. A crawl without any
// record is an empty Fleet.
func LoadFleet(ctx context.Context, st kvstore.Store, id string) (*Fleet, error) {
	lister, ok := st.(kvstore.Lister)
	if !ok {
		return nil, fmt.Errorf("stats: load fleet %q: %T cannot list its keys: %w: use a store that is a kvstore.Lister", id, st, errors.ErrUnsupported)
	}
	f := &Fleet{
		store: st, lister: lister, id: id, turn: make(chan struct{}, 1),
		members: make(map[string]*member), since: wall(time.Now()),
	}
	return f, f.Refresh(ctx)
}

// ID returns the name of the crawl.
func (f *Fleet) ID() string { return cleanText(f.id, math.MaxInt) }

// Refresh reads the records that have changed, several at a time. What one of
// them says that cannot be read is in its Member; an error means that the store
// did not answer, and leaves the Fleet as it was.
func (f *Fleet) Refresh(ctx context.Context) error {
	if err := f.refresh(ctx); err != nil {
		return fmt.Errorf("stats: refresh fleet %q: %w", f.id, err)
	}
	return nil
}

func (f *Fleet) refresh(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	keys, err := f.keys(ctx)
	if err != nil {
		return err
	}
	found := make([]bool, len(keys))
	inParallel(len(keys), loaders, func(i int) { found[i] = f.load(ctx, keys[i]) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	there := make(map[string]bool, len(keys))
	for i, key := range keys {
		there[key] = found[i]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, m := range f.members {
		m.vanished = !there[key]
	}
	return nil
}

const loaders = 8 // records that are read at a time

// keys returns the keys of the records of the crawl.
func (f *Fleet) keys(ctx context.Context) (keys []string, err error) {
	for key, err := range f.lister.List(ctx, Key(f.id, "")) {
		if err != nil {
			return nil, err
		}
		if f.owns(key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// owns reports whether key is that of a record: of the crawl itself or of one of
// its members, and neither of what is kept beside them nor of a crawl whose name
// only begins alike.
func (f *Fleet) owns(key string) bool {
	base := Key(f.id, "")
	name, member := strings.CutPrefix(key, base+"/m/")
	return key == base || member && !strings.Contains(name, "/")
}

// load reads the record under key, and reports whether there is one.
func (f *Fleet) load(ctx context.Context, key string) (there bool) {
	item, err := f.store.Load(ctx, key)
	if errors.Is(err, kvstore.ErrNotFound) || ctx.Err() != nil {
		return false
	}
	f.read(key, item, err)
	return true
}

// read takes over a record, if it is not the one that is known.
func (f *Fleet) read(key string, item kvstore.Item, err error) {
	f.mu.Lock()
	m := f.members[key]
	f.mu.Unlock()
	if m != nil && err == nil && m.rev == item.Rev && !m.vanished && m.err == nil {
		return
	}
	var a Snapshot
	if err == nil {
		a, err = Decode(item.Value)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m == nil {
		m = &member{name: memberName(f.id, key)}
		f.members[key] = m
	}
	m.update(item.Rev, a, err)
}

// memberName returns the name that Key has made the key of.
func memberName(id, key string) string {
	escaped, ok := strings.CutPrefix(key, Key(id, "")+"/m/")
	if !ok {
		return ""
	}
	name := make([]byte, 0, len(escaped))
	for i := 0; i < len(escaped); i++ {
		var b byte
		if n, _ := fmt.Sscanf(escaped[i:min(i+3, len(escaped))], "=%02X", &b); n == 1 {
			name = append(name, b)
			i += 2
		} else {
			name = append(name, escaped[i])
		}
	}
	return string(name)
}

// Members returns the workers, by name.
func (f *Fleet) Members() []Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	members := make([]Member, 0, len(f.members))
	for _, m := range f.members {
		members = append(members, m.describe())
	}
	slices.SortFunc(members, func(x, y Member) int { return strings.Compare(x.Name, y.Name) })
	return members
}

// Snapshot returns the records of all workers, running or not, as one:
// Runtime is the longest one, everything that counts adds up.
func (f *Fleet) Snapshot() (a Snapshot) {
	members := f.all()
	parts := make([]Snapshot, 0, len(members))
	for _, m := range members {
		if !m.vanished {
			parts = append(parts, m.now)
		}
	}
	return mergeAll(parts)
}

// Live returns what the workers have counted since this Fleet first saw each of
// them. It never falls: a worker that vanishes, resets or is rolled back keeps
// what it had added. It is a window, so Balanced refuses it.
func (f *Fleet) Live() (a Snapshot) {
	members := f.all()
	parts := make([]Snapshot, len(members))
	inParallel(len(members), runtime.GOMAXPROCS(0), func(i int) { parts[i] = members[i].growth() })
	a = mergeAll(parts)
	a.Since, a.window = f.since, true
	return a
}

// all returns copies that share only what nobody changes.
func (f *Fleet) all() []member {
	f.mu.Lock()
	defer f.mu.Unlock()
	members := make([]member, 0, len(f.members))
	for _, key := range slices.Sorted(maps.Keys(f.members)) {
		members = append(members, *f.members[key])
	}
	return members
}
