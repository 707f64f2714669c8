package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/export/terminal"
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
	os.Exit(run(o, line, logging.New(line)))
}

// run crawls until there is nothing left, or a limit is reached, or a signal
// comes. It returns the exit status.
func run(o options, line *logging.Progress, log *slog.Logger) (code int) {
	ctx := context.Background()
	failed := func(err error) int {
		log.Error("failed", "error", err)
		return terminal.ExitFailure
	}

	// What is opened first is closed last: the store outlives the statistics, and
	// these outlive the events that tell them to save.
	store, err := badgerstore.Open(badgerstore.Config{Dir: o.state, Logger: log})
	if err != nil {
		return failed(err)
	}
	defer func() {
		if err := store.Close(ctx); err != nil {
			code = failed(err)
		}
	}()
	var bus events.Bus
	st, err := stats.Open(ctx, o.statistics(store, &bus, line, log))
	if err != nil {
		return failed(err)
	}

	var terminated atomic.Bool
	cfg := terminal.RunConfig{Line: line, Logger: log, SavedTo: o.state, Report: o.report}
	code = terminal.Run(ctx, st, cfg, func(ctx context.Context) error {
		err := work(ctx, o, store, &bus, st, log)
		terminated.Store(errors.Is(context.Cause(ctx), terminal.Interrupted{Signal: syscall.SIGTERM}))
		return err
	})

	if o.report != "" {
		if err := writeReport(o.report, st); err != nil {
			code = failed(err)
		}
	}
	if code != terminal.ExitInterrupted {
		return code
	}
	log.Info("state saved: the next run goes on from here", "dir", o.state)
	if terminated.Load() {
		return 128 + int(syscall.SIGTERM) // as a shell says it
	}
	return code
}

// statistics says how the statistics are kept and told.
func (o options) statistics(store kvstore.Store, bus *events.Bus, line *logging.Progress, log *slog.Logger) stats.Config {
	cfg := stats.Config{
		ID:           o.id,
		Store:        store,
		PersistEvery: time.Hour, // PersistState comes each second, and saves the queue as well
		Events:       bus,
		Logger:       log,
		LogEvery:     o.logEvery,
		LogInline:    true,
	}
	if line.Live() { // somebody is looking, and has the line and the summary
		cfg.LogInline = false
		cfg.PeriodicLogger = log
		cfg.Logger = slog.New(tableless{log.Handler()})
		if o.logEvery == 0 {
			cfg.LogEvery = -1
		}
	}
	return cfg
}

// tableless leaves the table of the statistics out of a log.
type tableless struct{ slog.Handler }

func (t tableless) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "Statistics\n") {
		return nil
	}
	return t.Handler.Handle(ctx, r)
}

// work crawls, with everything around it that has to end before the statistics
// are closed.
func work(ctx context.Context, o options, store kvstore.Store, bus *events.Bus, st *stats.Statistics, log *slog.Logger) (err error) {
	kept, err := openLedger(ctx, o, store, st, bus)
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
		url, stopServing, err := serve(ctx, o.listen, st)
		if err != nil {
			return err
		}
		defer stopServing()
		log.Info("live page", "at", url, "metrics", url+"metrics")
	}
	ticks := local.Start(bus, local.Config{PersistEvery: time.Second, Logger: log})
	defer func() { err = errors.Join(err, ticks.Close()) }() // the last PersistState

	return crawl(ctx, o, newFrontier(kept, o.maxRequests, st.Gauge("queue.pending").Set), st, log)
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
func crawl(ctx context.Context, o options, f *frontier, st *stats.Statistics, log *slog.Logger) error {
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
