package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/stats"
)

func mergeCommand() command {
	return command{
		name: "merge", args: "-o DST A B…", about: "several crawls as one", least: 1, most: math.MaxInt,
		details: `Adds up crawls and writes the JSON of the result, as export does: counts add, percentiles are exact,
error groups and hosts are united, the runtime is the longest. Sources that hold the same run would count
it twice and are refused.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			out := f.String("o", "", "write to the file `DST`, which must not be there yet; - is standard output")
			replace := f.Bool("replace", false, "write over DST")
			return func(ctx context.Context, p *program, args []string) error {
				if *out == "" {
					return fmt.Errorf("%w: say with -o where the result goes", source.ErrUsage)
				}
				if _, err := os.Stat(*out); *out != "-" && !*replace && !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s is there already: choose another file, or --replace", *out)
				}
				return merge(ctx, p, r, args, *out)
			}
		},
	}
}

func merge(ctx context.Context, p *program, r reading, args []string, out string) error {
	var sum stats.Snapshot
	var left error
	runs := map[string]int{} // the argument with each run, by its owner
	for i, arg := range args {
		c, err := r.read(ctx, p, arg)
		if err != nil {
			return err
		}
		for _, s := range c.Snapshot.Segments {
			if other, twice := runs[s.Owner]; twice && other != i && s.Owner != "" {
				return fmt.Errorf("%s and %s hold the same run %.80q: together they would count it twice", args[other], arg, s.Owner)
			}
			runs[s.Owner] = i
		}
		sum = sum.Merge(c.Snapshot)
		left = errors.Join(left, c.Err)
	}
	data, err := line(json.Marshal(sum))
	if err != nil {
		return err
	}
	return errors.Join(p.output(out, data), left)
}
