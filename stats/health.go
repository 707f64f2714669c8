package stats

import (
	"cmp"
	"errors"
	"sync"
	"time"
)

// Health tells whether what is counted is also kept. A readiness probe may fail
// on Err or Superseded, and on an Age of several checkpoint intervals.
type Health struct {
	Persisting bool          // a store is in use
	LastSave   time.Time     // newest acknowledged save; zero: none yet
	Age        time.Duration // since then; 0: none yet
	Saves      int64         // acknowledged in this process
	Failures   int64         // saves that failed in this process
	Lost       int64         // saves, at most, that the store acknowledged and lost while this process lived
	Duration   time.Duration // of the newest save, encoding included
	// Err is why the newest save failed, or left an extension out, or is not yet
	// safe from a loss of power; nil when all is well.
	Err        error
	Superseded bool // another owner has the record: nothing is saved any more
}

// Health returns how the saves are going. It never waits for the store.
func (s *Statistics) Health() Health {
	if s.keeper == nil {
		return Health{}
	}
	h := s.health.get()
	h.Persisting, h.Superseded = true, s.keeper.superseded.Load()
	if !h.LastSave.IsZero() {
		h.Age = max(time.Since(h.LastSave), 0)
		h.LastSave = wall(h.LastSave)
	}
	return h
}

// A trouble is something that can go wrong with keeping the state, and be well
// again.
type trouble int

const (
	withSave trouble = iota
	withBarrier
	withExtensions
	troubles
)

// What an operator is told when a trouble begins, and when it ends.
var troubleLines = [troubles][2]string{
	withSave: {
		"saving the statistics fails: counting goes on in memory, and the next checkpoint tries again",
		"saving the statistics works again",
	},
	withBarrier: {
		"the statistics are saved, but not yet safe from a loss of power: the barrier of the store fails",
		"the saved statistics are safe from a loss of power again",
	},
	withExtensions: {
		"the statistics are saved, but not every extension as it is: the record keeps the last value that fitted",
		"every extension is saved as it is again",
	},
}

// judge tells the log when a trouble begins or ends, and passes err on.
func (s *Statistics) judge(t trouble, err error) error {
	if !s.health.judge(t, err) || errors.Is(err, ErrSuperseded) { // tellIfSuperseded tells of that
		return err
	}
	log := s.cfg.Logger.With("crawler", s.cfg.ID, "key", s.cfg.Key)
	if err != nil {
		log.Warn(troubleLines[t][0], "error", err)
	} else {
		log.Warn(troubleLines[t][1])
	}
	return err
}

// vitals remembers the newest saves.
type vitals struct {
	mu     sync.Mutex
	health Health
	errs   [troubles]error
	saved  bool   // the record holds this generation
	state  uint64 // changes that it holds
}

func (v *vitals) get() Health {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.health
	h.Err = cmp.Or(v.errs[withSave], v.errs[withBarrier], v.errs[withExtensions])
	return h
}

// begin tells that the record holds a state: just restored, or deleted while
// there is nothing to keep.
func (v *vitals) begin(state uint64, saved bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state, v.saved = state, saved
	if saved {
		v.health.LastSave = time.Now()
	}
}

func (v *vitals) acknowledge(state uint64, took time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state, v.saved = state, true
	v.health.LastSave, v.health.Duration = time.Now(), took
	v.health.Saves++
}

func (v *vitals) lose(saves int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.health.Lost += saves
}

// judge notes how something went, and reports whether that is news.
func (v *vitals) judge(t trouble, err error) (news bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	news = (err == nil) != (v.errs[t] == nil)
	v.errs[t] = err
	if t == withSave && err != nil {
		v.health.Failures++
	}
	return news
}

// due reports whether the record is behind. A state that has not changed still
// ages: runtime and history are saved every ridingEvery.
func (v *vitals) due(state uint64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return state != v.state || v.saved && time.Since(v.health.LastSave) >= ridingEvery
}

const ridingEvery = 10 * time.Second
