package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/stats"
)

// limits are what check holds a crawl to; a negative number and a time of zero are
// none.
type limits struct {
	failRate percent
	p95, p99 positiveTime
	finished int64
	age      positiveTime
	ended    bool
}

func checkCommand() command {
	return command{
		name: "check", args: "SRC", about: "whether a crawl keeps to limits, for CI", least: 1, most: 1,
		details: `Compares a crawl with limits and exits with 6 when one of them is not kept. A rate or a percentile of
nothing keeps no limit: an empty crawl passes no check.`,
		setup: func(f *flag.FlagSet) action {
			var r reading
			r.flags(f)
			l := limits{failRate: -1, finished: -1}
			f.Var(&l.failRate, "max-fail-rate", "most `PERCENT` of finished and failed requests that may have failed, such as 5%")
			f.Var(&l.p95, "max-p95", "longest p95 of finished requests, a `TIME` such as 2s")
			f.Var(&l.p99, "max-p99", "longest p99 of finished requests, a `TIME`")
			f.Var(&l.age, "max-age", "most `TIME` since the state was saved, by each unfinished worker of a fleet")
			f.Func("min-finished", "fewest requests, a `NUMBER`, that must have finished", func(s string) (err error) {
				l.finished, err = strconv.ParseInt(s, 10, 64)
				if err == nil && l.finished < 0 {
					err = errors.New("it is negative")
				}
				return err
			})
			f.BoolVar(&l.ended, "finished", false, "the crawl must have come to its end")
			return func(ctx context.Context, p *program, args []string) error {
				if l == (limits{failRate: -1, finished: -1}) {
					return fmt.Errorf("%w: give at least one limit: see crawlstats check --help", source.ErrUsage)
				}
				c, err := r.read(ctx, p, args[0])
				if err == nil {
					err = c.Err // of a part of a fleet nobody can say that it keeps a limit
				}
				if err != nil {
					return err
				}
				return l.check(p, c)
			}
		},
	}
}

// percent is a flag such as 5% or 0.5.
type percent float64

// String is the value as it is given.
func (p *percent) String() string {
	if p == nil || *p < 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'f', -1, 64) + "%"
}

// Set takes a number from 0 to 100, with a sign or without.
func (p *percent) Set(s string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%")), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > 100 {
		return errors.New("give a number from 0% to 100%")
	}
	*p = percent(v)
	return nil
}

// check writes a line for each limit.
func (l limits) check(p *program, c source.Crawl) error {
	a := c.Snapshot
	var failed error
	say := func(ok bool, what, is, limit string) {
		word := "ok  "
		if !ok {
			word, failed = "FAIL", errCheck
		}
		fmt.Fprintf(p.out, "%s  %-14s %s, limit %s\n", word, what, is, limit)
	}
	if l.failRate >= 0 {
		rate := failedPercent(a)
		if a.Total() == 0 {
			say(false, "fail rate", "no request has finished or failed", l.failRate.String())
		} else {
			say(100*float64(a.Failed) <= float64(l.failRate)*float64(a.Total()), "fail rate", strconv.FormatFloat(rate, 'f', -1, 64)+"%", l.failRate.String())
		}
	}
	for _, q := range []struct {
		name  string
		q     float64
		limit positiveTime
	}{{"p95", .95, l.p95}, {"p99", .99, l.p99}} {
		d := a.FinishedDuration
		switch {
		case q.limit == 0:
		case d.Count == 0:
			say(false, q.name, "no request has finished", q.limit.String())
		case d.Count == d.Unbucketed:
			say(false, q.name, "unknown: a record of another library has no distribution", q.limit.String())
		default:
			v := d.Quantile(q.q)
			say(v <= time.Duration(q.limit), q.name, v.Round(time.Microsecond).String(), q.limit.String())
		}
	}
	if l.finished >= 0 {
		say(a.Finished >= l.finished, "finished", count(a.Finished), "at least "+count(l.finished))
	}
	if l.age > 0 {
		if a.PersistedAt.IsZero() {
			say(false, "saved", "never", l.age.String()+" ago")
		} else {
			age := savedAgo(c)
			say(age <= time.Duration(l.age), "saved", age.Round(time.Second).String()+" ago", l.age.String()+" ago")
		}
	}
	if l.ended {
		state := terminal.StateOf(a, summaryOf(c))
		say(state == "finished", "state", state, "finished")
	}
	return failed
}

// savedAgo is the time since the crawl was saved, or since the member of a fleet
// was that has not finished and is silent for longest.
func savedAgo(c source.Crawl) time.Duration {
	age := max(time.Since(c.Snapshot.PersistedAt), 0)
	for _, m := range c.Members {
		if m.State != stats.MemberFinished {
			age = max(age, m.Age)
		}
	}
	return age
}
