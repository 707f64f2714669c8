package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	}
	line := logging.NewProgress(os.Stderr)
	log := logging.New(line)

	err = run(o, line, log)
	_ = line.Close()
	sig, stopped := err.(signalled) //nolint:errorlint // wrapped or joined, something else went wrong as well
	if err != nil && !stopped {
		log.Error("failed", "error", err)
		os.Exit(1)
	}
	log.Info("state saved: the next run goes on from here", "dir", o.state)
	if stopped {
		os.Exit(128 + int(sig))
	}
}

// signalled is the error of a run that a signal has stopped.
type signalled syscall.Signal

func (s signalled) Error() string { return "stopped by signal: " + syscall.Signal(s).String() }

// run crawls until there is nothing left, or a limit is reached, or a signal
// comes.
func run(o options, line *logging.Progress, log *slog.Logger) (err error) {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)

	// What is opened first is closed last: the store outlives the statistics, and
	// these outlive the events that tell them to save.
	store, err := badgerstore.Open(badgerstore.Config{Dir: o.state, Logger: log})
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return store.Close(context.Background()) })

	var bus events.Bus
	st, err := stats.Open(ctx, stats.Config{
		ID:           o.id,
		Store:        store,
		PersistEvery: time.Hour, // PersistState comes each second, and saves the queue as well
		Events:       &bus,
		Logger:       log,
		LogEvery:     o.logEvery,
		LogInline:    !line.Live(),
	})
	if err != nil {
		return err
	}
	defer closing(&err, st.Close)

	kept, err := openLedger(ctx, o, store, st, &bus)
	if err != nil {
		return err
	}
	if o.statsd != nil {
		cfg := *o.statsd
		cfg.Logger = log
		pusher, err := statsdpush.Start(st, cfg)
		if err != nil {
			return err
		}
		defer func() {
			if err := pusher.Close(); err != nil { // no reason for a crawl to fail
				log.Warn("what was counted last did not reach statsd", "error", err)
			}
		}()
	}

	if o.listen != "" {
		where, stopServing, err := serveMetrics(ctx, o.listen, st)
		if err != nil {
			return err
		}
		defer stopServing()
		log.Info("metrics", "at", where)
	}

	loc := local.Start(&bus, local.Config{
		PersistEvery: time.Second,
		Signals:      true,
		OnSignal: func(s os.Signal) {
			_ = line.Close()
			log.Info("stopping: finishing the requests in flight, then saving; a second signal stops at once", "signal", s.String())
			sig, _ := s.(syscall.Signal)
			stop(signalled(sig))
		},
		Logger: log,
	})
	defer closing(&err, loc.Close)

	return crawl(ctx, o, newFrontier(kept, o.maxRequests), st, line, log)
}

// openLedger restores the ledger: from the record of the statistics, which has
// room for a small site, or from keys of its own, which take any.
func openLedger(ctx context.Context, o options, store kvstore.Store, st *stats.Statistics, bus *events.Bus) (keeper, error) {
	if o.start == nil {
		extension, err := stats.Extend(st, "frontier", ledger{}, nil)
		if err == nil && o.fresh {
			err = st.Reset(ctx)
		}
		return extension, err
	}
	j, err := openJournal(ctx, kvstore.Named(store, "queue"), o.id)
	if err == nil && o.fresh {
		err = errors.Join(st.Reset(ctx), j.clear(ctx))
	}
	if err != nil {
		return nil, err
	}
	events.Subscribe(bus, func(ctx context.Context, _ events.PersistState) error { return j.save(ctx, st) })
	return j, nil
}

// crawl crawls what the frontier holds, and all that leads to.
func crawl(ctx context.Context, o options, f *frontier, st *stats.Statistics, line *logging.Progress, log *slog.Logger) error {
	found, left := f.size()
	switch {
	case found == 0:
		f.add(o.seed())
	case left == 0:
		log.Info("nothing left to crawl: the last run came to the end, and -fresh starts anew", "urls", found)
		return nil
	default:
		log.Info("going on where the last run stopped", "urls", found, "left", left)
	}
	origin, closeSite, err := o.origin()
	if err != nil {
		return err
	}
	defer closeSite()

	c, err := newCrawler(ctx, origin, o.timeout, o.delay, f, st, log)
	if err != nil {
		return err
	}
	defer watch(line, st, f)()
	c.run(ctx, o.concurrency)

	found, left = f.size()
	switch {
	case ctx.Err() != nil:
		log.Info("stopped", "urls", found, "left", left)
		return context.Cause(ctx)
	case left > 0:
		log.Info("stopped at -max-requests", "urls", found, "left", left)
	default:
		log.Info("complete", "urls", found)
	}
	return nil
}

// watch keeps the progress line up to date until stop is called.
func watch(line *logging.Progress, st *stats.Statistics, f *frontier) (stop func()) {
	if !line.Live() {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				line.Set("")
				return
			case <-tick.C:
				found, left := f.size()
				line.Set(progress(st.Live(), found, left))
			}
		}
	}()
	return func() { close(done); <-ended }
}

// progress formats the line: what is worth most stands first, for the terminal
// cuts what it has no room for.
func progress(s stats.Snapshot, found, left int) string {
	rate := 0.0
	if s.Runtime > 0 {
		rate = float64(s.Total()) / s.Runtime.Seconds()
	}
	return fmt.Sprintf("%d of %d found  %.0f/s  %d failed  %d retried  p95 %v  %d in flight",
		found-left, found, rate, s.Failed, s.Retries,
		s.FinishedDuration.Quantile(0.95).Round(time.Millisecond), s.InFlight)
}

// closing is for defer: it adds the error of close to err, if there is one.
func closing(err *error, close func() error) {
	if e := close(); e != nil {
		*err = errors.Join(*err, e)
	}
}
