package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/dashboard"
)

func reportCommand() command {
	return command{
		name: "report", args: "SRC -o FILE", about: "the report of a crawl, one HTML file", least: 1, most: 1,
		details: `Writes the report of a crawl as one HTML file without script, for an email or a CI artifact.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			out := f.String("o", "", "write to `FILE`, over the one that is there; - is standard output")
			return func(ctx context.Context, p *program, args []string) error {
				if *out == "" {
					return fmt.Errorf("%w: say with -o where the report goes", source.ErrUsage)
				}
				c, err := r.read(ctx, p, args[0])
				if err != nil {
					return err
				}
				report := dashboard.Report{ID: c.ID, Live: c.Live, Gone: c.Gone, Members: c.Members}
				write := func(w io.Writer) error { return report.Write(w, c.Snapshot) }
				if *out == "-" {
					return errors.Join(write(p.out), c.Err)
				}
				return errors.Join(writeFile(*out, write), c.Err)
			}
		},
	}
}
