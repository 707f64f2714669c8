package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

func exportCommand() command {
	return command{
		name: "export", args: "SRC", about: "a crawl as JSON, CSV, Prometheus text or a record of Crawlee", least: 1, most: 1,
		details: `Writes a crawl in a form for other programs:
  json      everything, as docs/FORMAT.md says; what every command reads as FILE, import included
  csv       tables for a spreadsheet; --what says which
  prom      the text format of Prometheus; counters are those of all runs
  crawlee   the record of Crawlee for JavaScript`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			format := f.String("format", "json", "`FORMAT`: json, csv, prom or crawlee")
			what := f.String("what", "", "the `TABLE` of --format csv: totals, hosts, errors or history; default totals")
			out := f.String("o", "", "write to `FILE`, over the one that is there; default standard output")
			return func(ctx context.Context, p *program, args []string) error {
				table := cmp.Or(*what, "totals")
				err := errors.Join(oneOf("format", *format, "json", "csv", "prom", "crawlee"),
					oneOf("what", table, "totals", "hosts", "errors", "history"))
				if err == nil && *what != "" && *format != "csv" {
					err = fmt.Errorf("%w: --what is for --format csv", source.ErrUsage)
				}
				if err != nil {
					return err
				}
				c, err := r.read(ctx, p, args[0])
				if err != nil {
					return err
				}
				data, err := encode(c, *format, table)
				if err != nil {
					return err
				}
				return errors.Join(p.output(*out, data), c.Err)
			}
		},
	}
}

func encode(c source.Crawl, format, what string) ([]byte, error) {
	switch format {
	case "csv":
		return encodeCSV(c, what)
	case "prom":
		return encodeProm(c)
	case "crawlee":
		return line(c.Snapshot.EncodeCrawlee())
	}
	return line(json.Marshal(c.Snapshot))
}

// still is a Source that does not change. What all runs have counted takes the
// place of what one process has.
type still struct{ a stats.Snapshot }

func (s still) Snapshot() stats.Snapshot { return s.a }
func (s still) Live() stats.Snapshot     { return s.a }

func encodeProm(c source.Crawl) ([]byte, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(promcollect.New(still{c.Snapshot}, promcollect.Config{Crawler: c.ID, Hosts: promcollect.MaxHosts})); err != nil {
		return nil, err
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return nil, fmt.Errorf("write metrics: %w", err)
		}
	}
	return text.Bytes(), nil
}
