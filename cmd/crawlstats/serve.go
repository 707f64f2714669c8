package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

func serveCommand() command {
	return command{
		name: "serve", args: "SRC", about: "the page of a crawl, read-only", least: 1, most: 1,
		details: `Serves the dashboard of a crawl until Ctrl-C. It reads SRC again and again and changes nothing; the copy
of a directory of badgerstore is as old as its start. Other machines reach it with --addr 0.0.0.0:8077, under
the names and addresses that --allow-host gives.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			addr := f.String("addr", "127.0.0.1:8077", "serve at `HOST:PORT`; without a host, this machine alone")
			var hosts []string
			f.Func("allow-host", "answer under the `NAME`, without port, besides localhost; may be given again", func(name string) error {
				hosts = append(hosts, name)
				return nil
			})
			every := positiveTime(2 * time.Second)
			f.Var(&every, "every", "`TIME` between two looks at SRC")
			return func(ctx context.Context, p *program, args []string) error {
				return serve(ctx, p, r, args[0], *addr, hosts, time.Duration(every))
			}
		},
	}
}

func serve(ctx context.Context, p *program, r reading, arg, addr string, hosts []string, every time.Duration) (err error) {
	s, err := source.Open(ctx, arg, r.options(p))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	first, err := r.look(ctx, s)
	if err != nil {
		return err
	}
	if first.Err != nil {
		fmt.Fprintln(p.err, "crawlstats:", visible(first.Err.Error()))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	src, refresh, err := follow(ctx, p, r, s, first, every)
	if err != nil {
		return err
	}
	var refreshing sync.WaitGroup
	refreshing.Go(refresh)
	defer refreshing.Wait()
	defer stop() // before the wait

	page := dashboard.New(src, dashboard.Config{ID: nameOf(first, s), AllowedHosts: hosts, Logger: p.log})
	server, err := dashboard.Listen(ctx, addr, page)
	if err != nil {
		return errors.Join(err, page.Close())
	}
	fmt.Fprintln(p.err, "serving", server.URL)
	<-ctx.Done()
	return errors.Join(page.Close(), server.Close())
}

// look reads the crawl within the timeout.
func (r *reading) look(ctx context.Context, s *source.Source) (source.Crawl, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	return s.Read(ctx, r.pick)
}

// follow returns what the page shows, and what keeps it up to date until ctx ends.
func follow(ctx context.Context, p *program, r reading, s *source.Source, first source.Crawl, every time.Duration) (stats.Source, func(), error) {
	if first.Members != nil {
		bound, cancel := r.bound(ctx)
		defer cancel()
		fleet, err := stats.LoadFleet(bound, s.Store, first.ID)
		return fleet, func() { _ = fleet.Run(ctx, every) }, err // what fails is in its Members
	}
	f := &followed{now: first.Snapshot, first: first.Snapshot}
	return f, func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		failing := false
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			c, err := r.look(ctx, s)
			switch {
			case err == nil:
				f.set(c.Snapshot)
			case ctx.Err() == nil && !failing:
				p.log.Warn("the source cannot be read: the page shows what was read last", "error", err)
			}
			failing = err != nil
		}
	}, nil
}

// followed is a Source that is read now and then.
type followed struct {
	mu         sync.Mutex
	now, first stats.Snapshot
}

func (f *followed) set(a stats.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.Generation != f.now.Generation {
		f.first = stats.Snapshot{Generation: a.Generation}
	}
	f.now = a
}

// Snapshot returns what was read last.
func (f *followed) Snapshot() stats.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.Merge(stats.Snapshot{}) // fresh memory
}

// Live returns what was counted since the first look.
func (f *followed) Live() stats.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.Sub(f.first)
}
