package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

func resetCommand() command {
	return command{
		name: "reset", args: "SRC --id ID --yes", about: "delete what is saved of a crawl", least: 1, most: 1,
		details: `Deletes the records of a crawl, all members of a fleet, or with --member one, so that its next start begins
at zero. Each goes to a file first, which import brings back. A crawler that owns a record is superseded and
saves no more.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.crawl(f)
			var b backup
			b.add(f)
			yes := f.Bool("yes", false, "really delete")
			force := f.Bool("force", false, "reset a crawl that seems to be running")
			return func(ctx context.Context, p *program, args []string) error {
				switch {
				case r.pick.ID == "":
					return fmt.Errorf("%w: say with --id which crawl", source.ErrUsage)
				case !*yes:
					return fmt.Errorf("%w: this deletes the statistics of %q: say --yes", source.ErrUsage, r.pick.ID)
				}
				return reset(ctx, p, r, b, args[0], *force)
			}
		},
	}
}

func reset(ctx context.Context, p *program, r reading, b backup, arg string, force bool) (err error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	// Looking first makes no directory of a wrong name.
	if looked, err := source.Open(ctx, arg, r.options(p)); err != nil {
		return err
	} else if err := looked.Close(ctx); err != nil {
		return err
	}
	s, err := source.OpenWritable(ctx, arg, r.options(p))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	records, err := s.Pick(ctx, &r.pick)
	if err != nil {
		return err
	}
	if err := b.holds(len(records)); err != nil {
		return err
	}
	for _, rec := range records { // all of them, before one is gone
		if err := b.secure(ctx, p, s.Store, rec, force); err != nil {
			return err
		}
	}
	for _, rec := range records {
		if err := forget(ctx, p, s.Store, rec); err != nil {
			return err
		}
		fmt.Fprintf(p.err, "%s is deleted\n", terminal.Clean(rec.ID+memberSuffix(rec.Member)))
	}
	return nil
}

// secure keeps a record that may go; of a damaged one the store keeps the bytes.
func (b backup) secure(ctx context.Context, p *program, st kvstore.Store, rec source.Record, force bool) error {
	item, err := st.Load(ctx, rec.Key)
	switch {
	case errors.Is(err, kvstore.ErrCorrupt):
		return nil
	case err != nil:
		return err
	}
	if a, err := stats.Decode(item.Value); err == nil && !force && shared(st) && terminal.StateOf(a, terminal.SummaryConfig{}) == "running" {
		return fmt.Errorf("%q was saved less than 30 s ago and is not closed: stop the crawler first, or say --force if it was killed", rec.ID+memberSuffix(rec.Member))
	}
	return b.keep(p, rec, item.Value)
}

// forget deletes a record as Statistics.Reset does, so that an older owner learns
// of it and does not bring the record back.
func forget(ctx context.Context, p *program, st kvstore.Store, rec source.Record) error {
	s, err := stats.Open(ctx, stats.Config{ID: rec.ID, Key: rec.Key, Store: st, Persist: stats.PersistManual, LogEvery: -1, Logger: p.log})
	if err != nil {
		return err
	}
	return errors.Join(s.Reset(ctx), s.Close())
}
