package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// command is a subcommand. Its setup adds flags and returns what to do.
type command struct {
	name, args, about, details string
	least, most                int // arguments
	setup                      func(*flag.FlagSet) action
}

type action func(ctx context.Context, p *program, args []string) error

func commands() []command {
	return []command{
		listCommand(), showCommand(), exportCommand(), importCommand(), reportCommand(), diffCommand(),
		checkCommand(), mergeCommand(), resetCommand(), serveCommand(),
	}
}

const sources = `SRC is one of
  DIR                        a directory of badgerstore or kvstore.OpenDir; it is only read
  FILE, -                    what export has written; standard input
  redis://HOST:PORT/DB       and rediss://; ?prefix=P as in redisstore.Config
  nats://HOST:PORT/BUCKET    and ?prefix=P as in natsstore.Config
  http://HOST:PORT/PATH      a running dashboard, where it is mounted; and https://
SRC#ID names one crawl of several, as --id does.
`

const codes = `Exit codes: 0 good, 1 failure, 2 usage, 3 nothing found, 4 locked by a crawler that runs,
5 damaged or of a newer schema, 6 a check failed, 130 interrupted.
`

// run finds the command and runs it.
func (p *program) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		p.overview(p.err)
		return fmt.Errorf("%w: say what to do", source.ErrUsage)
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(args) == 0 {
			p.overview(p.out)
			return nil
		}
		name, args = args[0], []string{"--help"}
	case "version", "--version":
		if len(args) > 0 {
			return fmt.Errorf("%w: version takes nothing", source.ErrUsage)
		}
		return p.version()
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("%w: there is no command %q: see crawlstats help", source.ErrUsage, name)
	}
	return p.call(ctx, all[i], args)
}

func (p *program) call(ctx context.Context, c command, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	do := c.setup(flags)
	args, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.help(c, flags)
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w: see crawlstats %s --help", source.ErrUsage, err, c.name)
	case len(args) < c.least || len(args) > c.most:
		return fmt.Errorf("%w: crawlstats %s %s", source.ErrUsage, c.name, c.args)
	}
	err = do(ctx, p, args)
	if errors.Is(err, kvstore.ErrLocked) {
		err = fmt.Errorf("%w: the crawler is running: %s", err, whileLocked(c.name))
	}
	return err
}

// whileLocked says what to do about a directory that a running crawler has.
func whileLocked(command string) string {
	switch command {
	case "list":
		return "ask its dashboard: crawlstats show http://HOST:PORT"
	case "import", "reset":
		return "stop it first"
	}
	return "ask its dashboard: name http://HOST:PORT instead"
}

// parse lets flags stand between and after the arguments.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		left := flags.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if i := len(args) - len(left); i > 0 && args[i-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// version tells what a report of a fault should tell.
func (p *program) version() error {
	module := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		module = info.Main.Version // with the commit, where it was built from one
	}
	_, err := fmt.Fprintf(p.out, "crawlstats %s, module %s, %s %s/%s\n", stats.Version, module, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func (p *program) overview(w io.Writer) {
	fmt.Fprint(w, "crawlstats looks into what crawls have saved.\n\n")
	tabs := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(tabs, "  crawlstats %s %s\t%s\n", c.name, c.args, c.about)
	}
	fmt.Fprint(tabs, "  crawlstats version\tthe version of this program\n")
	_ = tabs.Flush() // w is the terminal
	fmt.Fprint(w, "\ncrawlstats COMMAND --help tells its flags.\n\n", sources, "\n", codes)
}

func (p *program) help(c command, flags *flag.FlagSet) {
	fmt.Fprintf(p.out, "crawlstats %s %s\n\n%s\n", c.name, c.args, strings.TrimSpace(c.details))
	head := "\nFlags:\n"
	tabs := tabwriter.NewWriter(p.out, 0, 0, 3, ' ', 0)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		if value != "" {
			value = " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(tabs, "%s  --%s%s\t%s\n", head, f.Name, value, usage)
		head = ""
	})
	_ = tabs.Flush()
	fmt.Fprint(p.out, "\nWhat SRC may be, and the exit codes: crawlstats help.\n")
}
