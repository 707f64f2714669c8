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
	timeout time.Duration
}

// flags are those of commands that take any record.
func (r *reading) flags(f *flag.FlagSet) {
	r.crawl(f)
	f.StringVar(&r.pick.Key, "key", "", "read the record under the `KEY` that the crawler has chosen itself")
}

// crawl is the flags of commands that need the name of the crawl.
func (r *reading) crawl(f *flag.FlagSet) {
	f.StringVar(&r.pick.ID, "id", "", "`ID` of the crawl, where the source holds several")
	f.StringVar(&r.pick.Member, "member", "", "the member `NAME` of a fleet alone; default all of them")
	r.connection(f)
}

func (r *reading) connection(f *flag.FlagSet) {
	f.StringVar(&r.name, "store", "", "`NAME` of a store in the store, as in kvstore.Named")
	f.DurationVar(&r.timeout, "timeout", 10*time.Second, "most `TIME` that reading may take")
}

func (r *reading) options(p *program) source.Options {
	return source.Options{Stdin: p.in, Logger: p.log, Name: r.name}
}

// bound returns a context that ends with the timeout.
func (r *reading) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("nothing came within %v: see --timeout", r.timeout))
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
	return terminal.SummaryConfig{ID: c.ID, Live: c.Live, Members: c.Members}
}
