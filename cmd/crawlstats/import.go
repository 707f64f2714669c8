package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// importing is the flags of import.
type importing struct {
	reading
	backup
	as             string
	replace, force bool
}

func importCommand() command {
	return command{
		name: "import", args: "SRC DST", about: "move a crawl to another store", least: 2, most: 2,
		details: `Writes the records of a crawl, or the one of an exported file, into the store DST, so that the next start
of the crawler over DST goes on from them: counts, percentiles, history and all. SRC stays as it is: do not
start the crawler over it again.

DST is a directory, redis:// or nats:// URL like SRC. A directory that is missing or empty becomes one of
badgerstore; badger:DIR and dir:DIR say which. A record that is there is replaced only with --replace, and
goes to a file first; a crawler that owns it is superseded and saves no more.`,
		setup: func(f *flag.FlagSet) action {
			var o importing
			o.crawl(f)
			f.StringVar(&o.as, "as", "", "`ID` of the crawl in DST; default the one in SRC, which a file does not tell")
			f.BoolVar(&o.replace, "replace", false, "replace what is there")
			f.BoolVar(&o.force, "force", false, "move a crawl that seems to be running; what it counts from now on is not moved")
			o.add(f)
			return func(ctx context.Context, p *program, args []string) error { return o.do(ctx, p, args[0], args[1]) }
		},
	}
}

// moved is a record on its way.
type moved struct {
	id, member string
	a          stats.Snapshot
}

func (o *importing) do(ctx context.Context, p *program, from, to string) (err error) {
	ctx, cancel := o.bound(ctx)
	defer cancel()
	crawls, err := o.load(ctx, p, from)
	if err != nil {
		return err
	}
	if err := o.holds(len(crawls)); err != nil {
		return err
	}
	dst, err := source.OpenWritable(ctx, to, source.Options{Stdin: p.in, Logger: p.log, Name: o.name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close(context.WithoutCancel(ctx))) }()
	for _, m := range crawls {
		if err := o.put(ctx, p, dst, m); err != nil {
			return err
		}
		fmt.Fprintf(p.err, "%s is in %s: %d finished, %d failed\n", terminal.Clean(m.id+memberSuffix(m.member)), dst.Arg, m.a.Finished, m.a.Failed)
	}
	return nil
}

func memberSuffix(member string) string {
	if member == "" {
		return ""
	}
	return ", member " + member
}

// load reads the records that are to be moved, each on its own.
func (o *importing) load(ctx context.Context, p *program, from string) (crawls []moved, err error) {
	s, err := source.Open(ctx, from, o.options(p))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if s.Store == nil {
		c, err := s.Read(ctx, source.Pick{ID: o.pick.ID})
		if err != nil {
			return nil, err
		}
		m := moved{id: o.as, member: o.pick.Member, a: c.Snapshot}
		if m.id == "" {
			m.id = c.ID
		}
		if m.id == "" {
			return nil, fmt.Errorf("%w: %s does not tell the name of the crawl: give --id", source.ErrUsage, s.Arg)
		}
		return []moved{m}, o.mayMove(s, m, c.Live)
	}
	if s.Damage != nil {
		return nil, s.Damage // the store that took its place would not tell of it
	}
	pick := o.pick
	records, err := s.Pick(ctx, &pick)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		a, err := s.Load(ctx, r.Key)
		if err != nil {
			return nil, err
		}
		m := moved{id: r.ID, member: r.Member, a: a}
		if o.as != "" {
			m.id = o.as
		}
		if err := o.mayMove(s, m, shared(s.Store)); err != nil {
			return nil, err
		}
		crawls = append(crawls, m)
	}
	return crawls, nil
}

// shared reports whether a crawler may be at work in the store.
func shared(st kvstore.Store) bool {
	d, ok := st.(kvstore.Describer)
	return !ok || d.Describe().Shared
}

// mayMove refuses a crawl that goes on counting elsewhere.
func (o *importing) mayMove(s *source.Source, m moved, shared bool) error {
	if o.force || !shared || terminal.StateOf(m.a, terminal.SummaryConfig{}) != "running" {
		return nil
	}
	return fmt.Errorf("%q in %s was saved less than 30 s ago and is not closed: stop the crawler first, or say --force if it was killed", m.id+memberSuffix(m.member), s.Arg)
}

// put writes one record.
func (o *importing) put(ctx context.Context, p *program, dst *source.Source, m moved) error {
	key := stats.Key(m.id, m.member)
	item, err := dst.Store.Load(ctx, key)
	switch {
	case errors.Is(err, kvstore.ErrNotFound):
	case errors.Is(err, kvstore.ErrCorrupt) && o.replace: // the store itself keeps the damaged bytes
	case err != nil:
		return err
	case !o.replace:
		return fmt.Errorf("%s holds %q already%s: choose another --as, or --replace it", dst.Arg, m.id+memberSuffix(m.member), describe(item.Value))
	default:
		if err := o.keep(p, source.Record{Key: key, ID: m.id, Member: m.member}, item.Value); err != nil {
			return err
		}
	}
	err = stats.Import(ctx, dst.Store, key, m.a, item.Rev)
	if errors.Is(err, kvstore.ErrConflict) {
		err = fmt.Errorf("%w: the record was saved meanwhile: stop the crawler over %s, and import again", err, dst.Arg)
	}
	return err
}

// describe says what a record holds.
func describe(record []byte) string {
	a, err := stats.Decode(record)
	if err != nil {
		return ", which cannot be read (" + err.Error() + ")"
	}
	return fmt.Sprintf(", %s, saved at %s, %d finished", terminal.StateOf(a, terminal.SummaryConfig{}), a.PersistedAt.UTC().Format(time.RFC3339), a.Finished)
}
