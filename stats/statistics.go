package stats

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Version of this library, as it stands in segments and exporters.
const Version = "0.1.0"

// Statistics counts the requests of a crawler, remembers them across restarts
// and shows them to whoever reads. Make one with New or Open. All methods are
// safe for concurrent use.
type Statistics struct {
	cfg   Config
	epoch time.Time // zero of the monotonic clock that requests are timed by

	recorder                   atomic.Pointer[recorder]
	closed                     atomic.Bool
	unmatched, late, overflows atomic.Int64

	instruments instruments
	taps        taps
	extensions  extensions
	history     historian

	resets sync.Mutex // one Reset at a time; held for no I/O

	mu  sync.Mutex // guards era and its pairing with recorder
	era era

	host   string  // of the machine
	keeper *keeper // nil: nothing is persisted
	health vitals
	fenced atomic.Bool // Superseded was told
	loop   *loop       // nil: New has no goroutine
	leave  []func()    // unsubscribes from the bus

	ended    chan struct{} // closed when Close is done
	closeErr error         // read after ended
}

// era is what stays the same between Open, Reset and Close.
type era struct {
	base       Snapshot // restored, immutable: counts of the runs before
	recorder   *recorder
	opened     time.Time // with its monotonic reading
	since      time.Time // counting began, maybe in an earlier run
	generation uint64
	closed     time.Time // zero while open
	persisted  time.Time // newest acknowledged save, of this run or an earlier one
}

// New returns a Statistics that lives in memory only: no goroutine, no I/O, no
// history, and nothing to close.
func New() *Statistics {
	s := newStatistics(Config{}.withDefaults())
	s.start(Snapshot{})
	return s
}

func newStatistics(cfg Config) *Statistics {
	host, _ := os.Hostname() // "" where it cannot be told
	return &Statistics{cfg: cfg, epoch: time.Now(), host: host, ended: make(chan struct{})}
}

// start begins a new era on top of what was restored.
func (s *Statistics) start(restored Snapshot) {
	now := time.Now()
	e := era{
		recorder: newRecorder(s),
		opened:   now, since: restored.Since,
		generation: restored.Generation, persisted: restored.PersistedAt,
	}
	if e.since.IsZero() {
		e.since = wall(now)
	}
	e.base = s.inherit(restored)
	s.history.begin(now, restored.History)

	s.mu.Lock()
	defer s.mu.Unlock()
	e.closed = s.era.closed
	s.era = e
	s.recorder.Store(e.recorder)
	if s.closed.Load() { // a Close that came first has sealed the one before
		e.recorder.seal()
	}
}

// inherit turns a restored snapshot into the base of this run: what was in
// flight is Interrupted, and what has a live form moves into it.
func (s *Statistics) inherit(restored Snapshot) Snapshot {
	base := restored.inherited().Merge(Snapshot{})
	base.History = History{}

	s.instruments.restoreGauges(base.Gauges)
	s.extensions.restore(base.Extensions)
	base.Gauges, base.Extensions = nil, nil
	return base
}

// inherited returns a record as the next run finds it: what was in flight has
// ended with the process that wrote it.
func (a Snapshot) inherited() Snapshot {
	a.Interrupted, a.InFlight = add(a.Interrupted, a.InFlight), 0
	a.OldestInFlight, a.FinishedAt = 0, time.Time{}
	return a
}

// now returns the time on the clock that requests are timed by: one cheap
// monotonic reading.
func (s *Statistics) now() time.Duration { return time.Since(s.epoch) }

// wall returns t as it stands in records: UTC, without a monotonic reading.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }

func (s *Statistics) currentEra() era {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.era
}

// runtime returns how long this run has lasted.
func (e *era) runtime() time.Duration {
	if e.closed.IsZero() {
		return time.Since(e.opened)
	}
	return e.closed.Sub(e.opened)
}

// ID returns Config.ID, the name of the crawl, with what does not show spelled
// out.
func (s *Statistics) ID() string { return cleanText(s.cfg.ID, math.MaxInt) }

// Member returns Config.Member, likewise.
func (s *Statistics) Member() string { return cleanText(s.cfg.Member, math.MaxInt) }

// Live returns what this process has counted since Open or the last Reset.
func (s *Statistics) Live() Snapshot {
	e := s.currentEra()
	return s.live(&e)
}

func (s *Statistics) live(e *era) Snapshot {
	// Extensions first: a crawler settles a request here and then in its queue, so
	// what is done in a saved queue is in the counts saved with it.
	extended := s.extensions.snapshot()
	a := e.recorder.snapshot(s.now())
	a.Extensions = extended
	a.Unmatched = s.unmatched.Load()
	a.Late = s.late.Load()
	a.Overflow = s.overflows.Load()
	s.instruments.snapshot(&a)

	a.StartedAt = wall(e.opened)
	a.LastStartedAt, a.Since = a.StartedAt, a.StartedAt
	a.FinishedAt = wall(e.closed)
	a.PersistedAt = e.persisted
	a.Generation = e.generation
	a.Runtime = e.runtime()
	a.Segments = []Segment{s.segment(e, &a)}
	a.History = s.history.copy()
	return a
}

// Snapshot returns what was counted since the first run, or the last Reset.
func (s *Statistics) Snapshot() Snapshot {
	e := s.currentEra()
	live := s.live(&e)
	a := e.base.Merge(live)
	a.Runtime = add(e.base.Runtime, live.Runtime)
	a.Since = e.since
	return a
}

// Calculate returns the summary of what was counted: Snapshot().Summary().
func (s *Statistics) Calculate() Summary { return s.Snapshot().Summary() }

// totals returns what the history is made of.
func (s *Statistics) totals() totals { return s.recorder.Load().totals() }

// changes grows with every change that is worth a save. It falls in a Reset.
func (s *Statistics) changes() uint64 {
	n := s.recorder.Load().changes() + s.instruments.changes() + s.extensions.changes()
	return n + uint64(s.unmatched.Load()+s.late.Load()+s.overflows.Load())
}
