package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
)

func listCommand() command {
	return command{
		name: "list", args: "SRC", about: "the crawls in a store", least: 1, most: 1,
		details: `Lists the crawls in a directory, Redis or NATS, and the members of fleets: state, requests, when
they were last saved.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.connection(f)
			format := f.String("format", "table", "`FORMAT`: table or json")
			return func(ctx context.Context, p *program, args []string) error {
				if err := oneOf("format", *format, "table", "json"); err != nil {
					return err
				}
				return list(ctx, p, r, args[0], *format)
			}
		},
	}
}

// oneOf checks the value of a flag.
func oneOf(name, value string, allowed ...string) error {
	for _, a := range allowed {
		if a == value {
			return nil
		}
	}
	last := len(allowed) - 1
	return fmt.Errorf("%w: --%s is %q, and may be %s or %s", source.ErrUsage, name, value, strings.Join(allowed[:last], ", "), allowed[last])
}

// listed is a record as list shows it.
type listed struct {
	ID       string     `json:"id"`
	Member   string     `json:"member,omitempty"`
	Key      string     `json:"key"`
	State    string     `json:"state"`
	Finished int64      `json:"requests_finished"`
	Failed   int64      `json:"requests_failed"`
	SavedAt  *time.Time `json:"saved_at,omitempty"`
	Error    string     `json:"error,omitempty"`
}

func list(ctx context.Context, p *program, r reading, arg, format string) (err error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	s, err := source.Open(ctx, arg, r.options(p))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return s.Empty()
	}
	rows := make([]listed, len(records))
	damaged := errors.Join(s.Damage, s.Hidden)
	for i, rec := range records {
		a, err := s.Load(ctx, rec.Key)
		rows[i] = listed{ID: rec.ID, Member: rec.Member, Key: rec.Key, Finished: a.Finished, Failed: a.Failed}
		if err != nil {
			rows[i].State, rows[i].Error = "unreadable", err.Error()
			damaged = errors.Join(damaged, err)
			continue
		}
		rows[i].State = terminal.StateOf(a, terminal.SummaryConfig{Gone: s.Gone})
		if !a.PersistedAt.IsZero() {
			at := a.PersistedAt.UTC()
			rows[i].SavedAt = &at
		}
	}
	if format == "json" {
		err = writeJSON(p, map[string]any{"schema_version": schemaVersion, "crawls": rows})
	} else {
		err = listTable(p, rows)
	}
	return errors.Join(err, damaged)
}

func listTable(p *program, rows []listed) error {
	tabs := tabwriter.NewWriter(p.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tabs, "ID\tMEMBER\tSTATE\tFINISHED\tFAILED\tSAVED")
	for _, row := range rows {
		saved := "-"
		if row.SavedAt != nil {
			saved = row.SavedAt.Format(time.DateTime) + " UTC"
		}
		member := row.Member
		if member == "" {
			member = "-"
		}
		fmt.Fprintf(tabs, "%s\t%s\t%s\t%s\t%s\t%s\n", terminal.Clean(row.ID), terminal.Clean(member), row.State,
			strconv.FormatInt(row.Finished, 10), strconv.FormatInt(row.Failed, 10), saved)
	}
	return tabs.Flush()
}
