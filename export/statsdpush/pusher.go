package statsdpush

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// ErrClosed is the error of a Flush after Close.
var ErrClosed = errors.New("pusher is closed")

// Pusher sends what a Source counts to a statsd server. Make one with Start. All
// methods are safe for concurrent use and on nil.
type Pusher struct {
	src    stats.Source
	cfg    Config
	out    outlet
	health vitals
	tap    *tap // nil: no events are sent

	// Owned by the goroutine.
	sent       map[string]int64 // counters by series, as far as they were sent
	generation uint64
	names      namer

	requests chan request
	stop     chan struct{}
	once     sync.Once
	ctx      context.Context // ends what the goroutine waits for
	cancel   context.CancelFunc
	done     chan struct{}
	closeErr error // read after done
}

// request is a Flush on its way to the goroutine.
type request struct {
	ctx   context.Context
	reply chan<- error
}

// Start begins to send what src counts, at once and then each Config.Interval,
// everything since Open or the last Reset included. It does not wait for the
// server: when there is none, counts go out once there is. Have one Pusher for a
// Source and a server, and Close it before the Source.
func Start(src stats.Source, cfg Config) (*Pusher, error) {
	if src == nil {
		return nil, errors.New("statsdpush: start: the Source is nil: give a *stats.Statistics or a *stats.Fleet")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults(src)
	rules, _ := cfg.Profile.rules()
	p := &Pusher{
		src: src, cfg: cfg,
		sent:     map[string]int64{},
		names:    newNamer(cfg),
		requests: make(chan request),
		stop:     make(chan struct{}), done: make(chan struct{}),
	}
	if cfg.Client != nil {
		p.out = &borrowed{cfg.Client, rules.absolute}
	} else {
		w, err := newWire(cfg, rules.absolute)
		if err != nil {
			return nil, err
		}
		p.out = w
	}
	if cfg.Timings == TimingEvents || cfg.Sets {
		t, err := newTap(src, cfg)
		if err != nil {
			return nil, err
		}
		p.tap = t
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	go p.run()
	return p, nil
}

func (p *Pusher) run() {
	defer close(p.done)
	tick := time.NewTicker(p.cfg.Interval)
	defer tick.Stop()
	_ = p.flush(p.ctx) // told by the log and Health, here and below
	for {
		select {
		case <-tick.C:
			_ = p.flush(p.ctx)
		case r := <-p.requests:
			r.reply <- p.flushFor(r.ctx)
		case <-p.stop:
			p.closeErr = p.finish()
			return
		}
	}
}

// Flush sends now what has changed since the last flush, and waits until the
// kernel has taken it.
func (p *Pusher) Flush(ctx context.Context) error {
	if p == nil {
		return nil
	}
	reply := make(chan error, 1)
	select {
	case p.requests <- request{ctx, reply}:
	case <-p.done:
		return fmt.Errorf("statsdpush: flush: %w", ErrClosed)
	case <-ctx.Done():
		return fmt.Errorf("statsdpush: flush: %w", ctx.Err())
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return fmt.Errorf("statsdpush: flush: %w", ctx.Err())
	}
}

// flushFor flushes until ctx or the Pusher ends.
func (p *Pusher) flushFor(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	return p.flush(ctx)
}

// flush sends one round of lines. What is not sent stays above the watermark and
// goes with the next.
func (p *Pusher) flush(ctx context.Context) error {
	events := p.events() // first, so that what they tell of is in the counters
	lines := p.collect()
	t, err := p.out.send(ctx, append(lines, events...))
	for i := range lines[:min(t.settled, len(lines))] {
		if l := &lines[i]; l.series != "" {
			p.sent[l.series] = l.total
		}
	}
	p.eventsSent(max(t.settled-len(lines), 0))
	began, ended := p.health.flushed(t, err)
	switch {
	case began:
		p.cfg.Logger.Warn("statsd: lines cannot be sent, trying again with each flush", "error", err)
	case ended:
		p.cfg.Logger.Info("statsd: lines are sent again", "errors", p.health.get().Errors)
	}
	if err != nil {
		return fmt.Errorf("statsdpush: flush: %w", err)
	}
	return nil
}

// finish is the last flush, and what could not be sent in it is lost.
func (p *Pusher) finish() error {
	if p.tap != nil {
		p.tap.remove()
	}
	err := p.flush(p.ctx)
	if err != nil {
		left := len(p.collect()) + len(p.events())
		p.health.update(func(h *Health) { h.Dropped += int64(left) })
		err = fmt.Errorf("statsdpush: close: %d lines are lost: %w", left, errors.Unwrap(err))
	}
	if n := p.out.close(p.ctx); n > 0 {
		p.health.update(func(h *Health) { h.Unconfirmed = n })
		p.cfg.Logger.Warn("statsd: the server did not hang up after the last line, so it may not have read them all", "unconfirmed", n)
	}
	return err
}

// Close flushes for the last time, hangs up and waits, at most
// Config.CloseTimeout. It returns what went wrong with the last flush. It is
// idempotent.
func (p *Pusher) Close() error {
	if p == nil {
		return nil
	}
	p.once.Do(func() {
		close(p.stop)
		time.AfterFunc(p.cfg.CloseTimeout, p.cancel)
	})
	select {
	case <-p.done:
	case <-p.ctx.Done():
		if !p.ended() {
			return fmt.Errorf("statsdpush: close: the client has not returned within %v, and its goroutine is left behind; give a Config.Client whose calls end", p.cfg.CloseTimeout)
		}
	}
	p.cancel()
	return p.closeErr
}

// ended waits for the goroutine after its context has ended. Our own connection
// lets go of it at once, and what is left to do is counted; a client of the
// caller's may never.
func (p *Pusher) ended() bool {
	if p.cfg.Client == nil {
		<-p.done
		return true
	}
	select {
	case <-p.done:
		return true
	case <-time.After(grace):
		return false
	}
}

const grace = 200 * time.Millisecond

// Health returns how the sending goes. It never waits.
func (p *Pusher) Health() Health {
	if p == nil {
		return Health{}
	}
	return p.health.get()
}
