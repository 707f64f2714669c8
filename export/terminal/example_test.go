package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// crawlShop is what a main calls: the line, the signals, the last save and the
// summary, in one call.
//
// quoted: program
func crawlShop(ctx context.Context, store kvstore.Store, fetch func(context.Context, string) error, urls []string) (code int) {
	line := logging.NewProgress(os.Stderr)
	log := logging.New(line) // every record goes above the line
	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store, Logger: log, LogInline: !line.Live()})
	if err != nil {
		log.Error("cannot start", "error", err)
		return terminal.ExitFailure
	}
	pending := st.Gauge("queue.pending") // for the bar and the eta

	cfg := terminal.RunConfig{Line: line, Logger: log, SavedTo: "./crawl-state"}
	return terminal.Run(ctx, st, cfg, func(ctx context.Context) error {
		for i, url := range urls {
			if ctx.Err() != nil { // Ctrl-C: what is in flight has been finished
				return context.Cause(ctx)
			}
			pending.Set(float64(len(urls) - i - 1))
			j := st.Begin()
			err := fetch(ctx, url)
			j.End(&err)
		}
		return nil
	})
}

// end

func Example() {
	store := kvstore.NewMemory() // badgerstore.Open in a program
	defer store.Close(context.Background())
	fetch := func(context.Context, string) error { return nil }
	code := crawlShop(context.Background(), store, fetch, []string{"https://shop.example/"})
	fmt.Println("exit code", code)
	// Output: exit code 0
}

// The line, the signals, the last save and the summary, in one call. A program
// ends with os.Exit(code).
func ExampleRun() {
	st := stats.New() // stats.Open in a crawl that is to be remembered

	cfg := terminal.RunConfig{
		Line:    logging.NewProgress(os.Stderr),
		Logger:  slog.New(slog.DiscardHandler),
		Summary: discard{}, // the default is the terminal
	}
	code := terminal.Run(context.Background(), st, cfg, func(ctx context.Context) error {
		for range 3 {
			var stopped terminal.Interrupted
			if errors.As(context.Cause(ctx), &stopped) {
				return fmt.Errorf("before the end: %w", stopped)
			}
			st.Observe(stats.Outcome{Duration: time.Millisecond})
		}
		return nil
	})
	fmt.Println(code, st.Snapshot().Finished)
	// Output: 0 3
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func ExampleLine() {
	st := stats.New()
	st.Gauge("queue.pending").Set(9) // where the crawler knows it
	st.Observe(stats.Outcome{Err: errors.New("refused")})
	text := terminal.Line(st)
	fmt.Println(text(12))
	// In a program: defer line.Show(100*time.Millisecond, terminal.Line(st))()

	// Output:
	// 10 %  1/10
}

func ExampleSummaryConfig() {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	st := stats.New()
	st.Observe(stats.Outcome{Duration: 176 * time.Millisecond, StatusCode: 200})
	a := st.Snapshot()
	a.StartedAt, a.FinishedAt, a.Runtime = at.Add(-time.Minute), at, time.Minute
	err := terminal.WriteSummary(os.Stdout, a, terminal.SummaryConfig{ID: "shop", SavedTo: "./crawl-state"})
	fmt.Println(err)
	// Output:
	//   shop  finished after 1m 0s
	//
	//   Requests    1 finished   0 failed (0.0 %)   0 retried
	//   Speed       <0.1/s average
	//   Latency     p50 176 ms, p95 176 ms, p99 176 ms, max 176 ms
	//   Status      2xx 1
	//   Errors      No errors so far.
	//   State       saved to ./crawl-state
	// <nil>
}

func ExampleHostOrder() {
	st := stats.New()
	for _, host := range []string{"a.example", "b.example", "b.example"} {
		st.Observe(stats.Outcome{Request: stats.Request{Host: host}, Duration: 2 * time.Millisecond})
	}
	var order terminal.HostOrder = terminal.BusiestHosts
	if err := terminal.WriteHosts(os.Stdout, st.Snapshot(), 1, order); err != nil {
		fmt.Println(err)
	}
	// Output:
	// FINISHED  FAILED  FAIL %  DISCARDED     P50     P95  HOST
	//          2       0   0.0 %          0  2.0 ms  2.0 ms  b.example
	//   and 1 more host
}
