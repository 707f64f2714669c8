// Package terminal is for whoever watches a crawl in a terminal: the text of the
// progress line, the final summary, tables, and what Ctrl-C does.
//
//	line := logging.NewProgress(os.Stderr)
//	log := logging.New(line)
//	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store, Logger: log, LogInline: true})
//	…
//	code := terminal.Run(ctx, st, terminal.RunConfig{Line: line, Logger: log}, func(ctx context.Context) error {
//		return crawl(ctx, st) // until there is nothing left, or ctx ends
//	})
//
// [Run] shows the line while the crawl runs, drains, saves and sums up at the
// first Ctrl-C or SIGTERM, and leaves at once at the second. Nothing in this
// module catches a signal unless the program calls it.
//
// The parts are there one by one as well: [Line] gives the text for
// logging.Progress.Show, [WriteSummary] the figures of any snapshot in at most
// twelve lines, [WriteErrors], [WriteHosts] and [WriteMembers] what is behind
// them.
//
// They write plain text without colours, boxes or escape sequences, so it may go
// to a file. Texts that strangers have sent are cut to one line, with everything
// in them that does not show spelled out. All figures are those of the page and
// of the report.
//
// # Concurrency
//
// Every function may be called from any number of goroutines. The function that
// Line returns belongs to one goroutine at a time. Run starts four goroutines at
// most, for the work, for the line, and two for signals. It waits for all of them
// but the work, which it leaves behind when it does not end within
// RunConfig.DrainTimeout. A second signal starts one more, for the last words; it
// ends with the process.
package terminal
