package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

func main() { os.Exit(run(os.Args[1:])) }

// run gives a command its surroundings and turns its error into an exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	redis.SetLogger(silence{}) // what it has to say comes as an error, too
	out := bufio.NewWriter(os.Stdout)
	p := &program{
		in: os.Stdin, out: out, err: os.Stderr,
		log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	err := p.run(ctx, args)
	if flushed := out.Flush(); flushed != nil && !errors.Is(flushed, syscall.EPIPE) {
		err = errors.Join(err, flushed)
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return exitInterrupted
	}
	if err != nil && !errors.Is(err, errCheck) {
		fmt.Fprintln(os.Stderr, "crawlstats:", visible(err.Error()))
	}
	return exitCode(err)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// program is what every command gets.
type program struct {
	in  io.Reader
	out *bufio.Writer // data
	err io.Writer     // everything else
	log *slog.Logger
}

// The exit codes. Scripts rely on them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNothing     = 3
	exitLocked      = 4
	exitDamaged     = 5
	exitCheck       = 6
	exitInterrupted = 130
)

var errCheck = errors.New("a check has failed")

func exitCode(err error) int {
	for _, c := range []struct {
		err  error
		code int
	}{
		{source.ErrUsage, exitUsage},
		{kvstore.ErrLocked, exitLocked},
		{stats.ErrNewerSchema, exitDamaged},
		{kvstore.ErrCorrupt, exitDamaged},
		{errCheck, exitCheck},
		{source.ErrNothing, exitNothing},
		{kvstore.ErrNotFound, exitNothing},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	if err != nil {
		return exitFailure
	}
	return exitOK
}

// visible returns s as lines of text that shows: what is in a record, and so in
// an error about it, may come from strangers.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' {
			b.WriteRune(r)
		} else {
			b.WriteString(terminal.Clean(string(r)))
		}
	}
	return b.String()
}
