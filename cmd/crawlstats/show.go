package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
)

// showing is the flags of show.
type showing struct {
	reading
	format        string
	sort          string
	hosts, errors int
	watch         bool
	every         positiveTime
}

func showCommand() command {
	return command{
		name: "show", args: "SRC", about: "the figures of a crawl", least: 1, most: 1,
		details: `Shows the figures of a crawl: a summary, and with --hosts and --errors what is behind it. The records
of a fleet are merged.`,
		setup: func(f *flag.FlagSet) action {
			var o showing
			o.flags(f)
			f.StringVar(&o.format, "format", "table", "`FORMAT`: table or json")
			f.IntVar(&o.hosts, "hosts", 0, "show `N` hosts")
			f.IntVar(&o.errors, "errors", 0, "show `N` error groups")
			f.StringVar(&o.sort, "sort", string(terminal.BusiestHosts), "`ORDER` of hosts: req, fail or p95")
			f.BoolVar(&o.watch, "watch", false, "read and show again until Ctrl-C")
			o.every = positiveTime(2 * time.Second)
			f.Var(&o.every, "every", "`TIME` between two looks of --watch")
			return func(ctx context.Context, p *program, args []string) error {
				err := errors.Join(oneOf("format", o.format, "table", "json"), oneOf("sort", o.sort, "req", "fail", "p95"))
				switch {
				case err != nil:
					return err
				case o.hosts < 0 || o.errors < 0:
					return fmt.Errorf("%w: --hosts and --errors may not be negative", source.ErrUsage)
				case o.watch && args[0] == "-":
					return fmt.Errorf("%w: standard input can be read once: --watch needs another source", source.ErrUsage)
				case o.watch:
					return o.again(ctx, p, args[0])
				}
				return o.once(ctx, p, args[0])
			}
		},
	}
}

func (o *showing) once(ctx context.Context, p *program, arg string) error {
	c, err := o.read(ctx, p, arg)
	if err != nil {
		return err
	}
	return errors.Join(o.write(p, c), c.Err)
}

func (o *showing) write(p *program, c source.Crawl) error {
	if o.format == "json" {
		return writeJSON(p, object(figuresOf(c)))
	}
	err := terminal.WriteSummary(p.out, c.Snapshot, summaryOf(c))
	if o.errors > 0 {
		fmt.Fprintln(p.out)
		err = errors.Join(err, terminal.WriteErrors(p.out, c.Snapshot, o.errors))
	}
	if o.hosts > 0 {
		fmt.Fprintln(p.out)
		err = errors.Join(err, terminal.WriteHosts(p.out, c.Snapshot, o.hosts, terminal.HostOrder(o.sort)))
	}
	if c.Members != nil {
		fmt.Fprintln(p.out)
		err = errors.Join(err, terminal.WriteMembers(p.out, c.Members))
	}
	return err
}

const clearScreen = "\x1b[H\x1b[2J"

// again shows the crawl over and over: on a terminal in place, elsewhere one after
// the other. Once it was there, what cannot be read now may be back later.
func (o *showing) again(ctx context.Context, p *program, arg string) error {
	clean := ""
	if isatty.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb" && o.format == "table" {
		clean = clearScreen
	}
	tick := time.NewTicker(time.Duration(o.every))
	defer tick.Stop()
	for seen := false; ; {
		c, err := o.read(ctx, p, arg)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case err == nil:
			seen = true
			fmt.Fprint(p.out, clean)
			err = errors.Join(o.write(p, c), p.out.Flush())
			if c.Err != nil {
				fmt.Fprintln(p.err, "crawlstats:", visible(c.Err.Error()))
			}
		case seen:
			fmt.Fprintln(p.err, "crawlstats:", visible(err.Error()))
			err = nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
