package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
)

// reading is the flags by which a crawl is found.
type reading struct {
	pick    source.Pick
	name    string
	timeout positiveTime
}

// flags are those of commands that take any record.
func (r *reading) flags(f *flag.FlagSet) {
	r.crawl(f)
	f.StringVar(&r.pick.Key, "key", "", "read the record under the `KEY` that the crawler has chosen itself")
}

// crawl is the flags of commands that need the name of the crawl.
func (r *reading) crawl(f *flag.FlagSet) {
	f.StringVar(&r.pick.ID, "id", "", "`ID` of the crawl, where the source holds several; for a FILE, the name to give it")
	f.StringVar(&r.pick.Member, "member", "", "the member `NAME` of a fleet alone; default all of them")
	r.connection(f)
}

func (r *reading) connection(f *flag.FlagSet) {
	f.StringVar(&r.name, "store", "", "`NAME` of a store in the store, as in kvstore.Named")
	r.timeout = positiveTime(10 * time.Second)
	f.Var(&r.timeout, "timeout", "most `TIME` that reading may take")
}

// positiveTime is a flag such as 2s.
type positiveTime time.Duration

// String is the value as it is given.
func (d *positiveTime) String() string { return time.Duration(*d).String() }

// Set takes no time that is zero or less.
func (d *positiveTime) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return errors.New("give a positive time, such as 2s")
	}
	*d = positiveTime(v)
	return nil
}

func (r *reading) options(p *program) source.Options {
	return source.Options{Stdin: p.in, Logger: p.log, Name: r.name}
}

// bound returns a context that ends with the timeout.
func (r *reading) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	most := time.Duration(r.timeout)
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("nothing came within %v: see --timeout", most))
}

// read opens a source, reads a crawl and closes the source. A crawl of which
// members are missing is returned together with an error.
func (r *reading) read(ctx context.Context, p *program, arg string) (c source.Crawl, err error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	s, err := source.Open(ctx, arg, r.options(p))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	c, err = s.Read(ctx, r.pick)
	c.ID = nameOf(c, s)
	return c, err
}

// nameOf returns a name for people.
func nameOf(c source.Crawl, s *source.Source) string {
	if c.ID != "" {
		return c.ID
	}
	return s.Arg
}

func summaryOf(c source.Crawl) terminal.SummaryConfig {
	return terminal.SummaryConfig{ID: c.ID, Live: c.Live, Gone: c.Gone, Members: c.Members}
}
