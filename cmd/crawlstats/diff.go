package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"

	"github.com/crawlstats/crawlstats/export/terminal"
)

func diffCommand() command {
	return command{
		name: "diff", args: "A B", about: "two crawls side by side", least: 2, most: 2,
		details: `Shows the figures of two crawls side by side, and by how many per cent B differs from A. Both are
sources; SRC#ID names a crawl in one.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			format := f.String("format", "table", "`FORMAT`: table or json")
			return func(ctx context.Context, p *program, args []string) error {
				if err := oneOf("format", *format, "table", "json"); err != nil {
					return err
				}
				a, err := r.read(ctx, p, args[0])
				if err != nil {
					return err
				}
				b, err := r.read(ctx, p, args[1])
				if err != nil {
					return err
				}
				pairs := pairUp(figuresOf(a), figuresOf(b))
				if *format == "json" {
					err = writeJSON(p, map[string]any{"schema_version": schemaVersion, "figures": pairs})
				} else {
					err = diffTable(p, pairs)
				}
				return errors.Join(err, a.Err, b.Err)
			}
		},
	}
}

// pair is a figure of two crawls; nil is none.
type pair struct {
	Name   string   `json:"name"`
	A      any      `json:"a,omitempty"`
	B      any      `json:"b,omitempty"`
	Change *float64 `json:"change_percent,omitempty"` // from a number other than zero
}

func pairUp(a, b []figure) []pair {
	var pairs []pair
	at := map[string]int{}
	for _, f := range a {
		at[f.name] = len(pairs)
		pairs = append(pairs, pair{Name: f.name, A: f.value})
	}
	for _, f := range b {
		i, known := at[f.name]
		if !known {
			i = len(pairs)
			pairs = append(pairs, pair{Name: f.name})
		}
		pairs[i].B = f.value
		x, ok := number(pairs[i].A)
		y, also := number(f.value)
		if ok && also && x != 0 {
			change := round(100 * (y - x) / x)
			pairs[i].Change = &change
		}
	}
	return pairs
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func diffTable(p *program, pairs []pair) error {
	widest := 0
	for _, r := range pairs {
		widest = max(widest, len(r.Name))
	}
	tabs := tabwriter.NewWriter(p.out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tabs, "%-*s\tA\tB\tCHANGE\t\n", widest, "")
	for _, r := range pairs {
		change := "-"
		if r.Change != nil {
			change = fmt.Sprintf("%+.1f %%", *r.Change)
		}
		fmt.Fprintf(tabs, "%-*s\t%s\t%s\t%s\t\n", widest, r.Name, cell(r.A), cell(r.B), change)
	}
	return tabs.Flush()
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return terminal.Clean(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
