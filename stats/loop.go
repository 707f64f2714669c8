package stats

import (
	"context"
	"sync"
	"time"
)

const checkpointTimeout = 5 * time.Second

// loop is the one goroutine of a Statistics that was opened: it keeps the
// history and says when it is time to save and to log. Both run beside it, one of
// each at a time, for a store or a terminal may hang.
type loop struct {
	s        *Statistics
	reporter *reporter
	quit     chan struct{}
	done     chan struct{}

	saving, logging chan struct{}  // hold a token while one is under way
	others          sync.WaitGroup // what runs beside the loop
}

func startLoop(s *Statistics) *loop {
	l := &loop{
		s: s, reporter: newReporter(s),
		quit: make(chan struct{}), done: make(chan struct{}),
		saving: make(chan struct{}, 1), logging: make(chan struct{}, 1),
	}
	go l.run()
	return l
}

// stop ends the loop and waits for it. What runs beside it goes on.
func (l *loop) stop() {
	if l != nil {
		close(l.quit)
		<-l.done
	}
}

// beside runs fn on a goroutine that wait waits for.
func (l *loop) beside(fn func()) {
	if l != nil {
		l.others.Go(fn)
	}
}

// wait waits for what runs beside the loop until ctx ends.
func (l *loop) wait(ctx context.Context) {
	if l == nil {
		return
	}
	idle := make(chan struct{})
	go func() {
		l.others.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

func (l *loop) run() {
	defer close(l.done)
	history := time.NewTicker(rings[0].step)
	defer history.Stop()
	persist := newTicker(l.s.cfg.PersistEvery, l.s.cfg.Persist == PersistAuto)
	defer persist.stop()
	log := newTicker(l.s.cfg.LogEvery, l.s.cfg.LogEvery > 0)
	defer log.stop()
	for {
		select {
		case <-l.quit:
			l.s.history.sample(time.Now(), l.s.totals)
			return
		case <-history.C:
			l.s.history.sample(time.Now(), l.s.totals)
		case <-persist.c:
			if l.s.health.due(l.s.changes()) && !l.s.keeper.superseded.Load() {
				l.checkpoint()
			}
		case <-log.c:
			l.log()
		}
	}
}

// checkpoint saves, unless the save before is late: the next tick then saves the
// newest state.
func (l *loop) checkpoint() {
	if !take(l.saving) {
		return
	}
	l.others.Add(1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), checkpointTimeout)
		defer cancel()
		err := l.s.save(ctx, l.s.health.due) // told by Health and the log; a Reset may have come first
		<-l.saving
		l.others.Done()
		// Not waited for: a handler that hears of it may be closing.
		l.s.tellIfSuperseded(err)
	}()
}

// log writes the periodic line, unless the one before is still being written.
func (l *loop) log() {
	if take(l.logging) {
		l.beside(func() {
			defer func() { <-l.logging }()
			l.reporter.log()
		})
	}
}

// take takes the token if it is free.
func take(token chan struct{}) bool {
	select {
	case token <- struct{}{}:
		return true
	default:
		return false
	}
}

// ticker is a time.Ticker that may be off.
type ticker struct {
	c <-chan time.Time
	t *time.Ticker
}

func newTicker(every time.Duration, on bool) ticker {
	if !on {
		return ticker{}
	}
	t := time.NewTicker(every)
	return ticker{t.C, t}
}

func (t ticker) stop() {
	if t.t != nil {
		t.t.Stop()
	}
}
