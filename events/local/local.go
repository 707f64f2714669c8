package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/crawlstats/crawlstats/events"
)

// Config configures a Local. The zero value is ready to use.
type Config struct {
	// PersistEvery is the time between PersistState events. Default 1m; negative:
	// only the one at Close.
	PersistEvery time.Duration

	// InfoEvery is the time between SystemInfo events. Default 1s; negative: never.
	InfoEvery time.Duration

	// Signals makes SIGTERM publish Migrating and SIGINT (Ctrl-C) publish
	// Aborting. Only the first signal is caught. Then both have their default
	// action again, so a second one ends the process at once, whatever it is
	// stuck in.
	Signals bool

	// OnSignal is called with the signal once its event has been handled: the
	// place to cancel the context of the crawl. Requires Signals.
	OnSignal func(os.Signal)

	// Logger gets what subscribers return, and a failure to measure the system.
	// Default slog.Default().
	Logger *slog.Logger
}

// A Local publishes events until it is closed.
type Local struct {
	bus    *events.Bus
	cfg    Config
	done   chan struct{}
	loops  sync.WaitGroup
	finish func() error
}

// Start publishes PersistState and SystemInfo on b, at once and then at their
// intervals, and the signals that cfg asks for. Close ends it. Errors of
// subscribers are logged.
func Start(b *events.Bus, cfg Config) *Local {
	if cfg.PersistEvery == 0 {
		cfg.PersistEvery = time.Minute
	}
	if cfg.InfoEvery == 0 {
		cfg.InfoEvery = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	l := &Local{bus: b, cfg: cfg, done: make(chan struct{})}
	l.finish = sync.OnceValue(l.close)

	if cfg.PersistEvery > 0 {
		l.loops.Go(func() {
			l.repeat(cfg.PersistEvery, func() { _ = publish(l, events.PersistState{}) })
		})
	}
	if cfg.InfoEvery > 0 {
		l.loops.Go(func() { l.repeat(cfg.InfoEvery, l.systemInfo()) })
	}
	if cfg.Signals {
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
		l.loops.Go(func() { l.awaitSignal(caught) })
	}
	return l
}

// Close stops all events and waits for subscribers that are still handling one.
// Then it publishes a last PersistState, then Exit, and returns what their
// subscribers returned, which is logged as well. Close is idempotent; on a nil
// Local it does nothing.
func (l *Local) Close() error {
	if l == nil {
		return nil
	}
	return l.finish()
}

func (l *Local) close() error {
	close(l.done)
	l.loops.Wait()
	return errors.Join(publish(l, events.PersistState{}), publish(l, events.Exit{}))
}

// repeat calls fn now and then each interval, measured from its return.
func (l *Local) repeat(interval time.Duration, fn func()) {
	for {
		fn()
		select {
		case <-l.done:
			return
		case <-time.After(interval):
		}
	}
}

func (l *Local) awaitSignal(caught chan os.Signal) {
	defer signal.Stop(caught)
	select {
	case <-l.done:
	case sig := <-caught:
		signal.Stop(caught) // before anything that may hang: the second signal must get through
		if sig == os.Interrupt {
			_ = publish(l, events.Aborting{}) // logged
		} else {
			_ = publish(l, events.Migrating{})
		}
		if l.cfg.OnSignal != nil {
			l.cfg.OnSignal(sig)
		}
	}
}

// systemInfo returns a function that measures the system and publishes it. A
// failure is logged when it begins, not each second.
func (l *Local) systemInfo() func() {
	failing := false
	return func() {
		info, err := measure()
		if err != nil {
			if !failing {
				l.cfg.Logger.Warn("system load cannot be measured", "error", err)
			}
			failing = true
			return
		}
		failing = false
		_ = publish(l, info)
	}
}

// publish passes no context that Close would cancel: a save that has begun is
// best finished.
func publish[E any](l *Local, e E) error {
	err := events.Publish(context.Background(), l.bus, e)
	if err != nil {
		l.cfg.Logger.Error("event not handled by all", "event", fmt.Sprintf("%T", e), "error", err)
	}
	return err
}
