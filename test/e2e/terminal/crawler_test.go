package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// The environment of the crawler in the pane.
const (
	stateEnv   = "CRAWLSTATS_TEST_STATE"
	recordsEnv = "CRAWLSTATS_TEST_RECORDS" // that each of four goroutines logs
	hangEnv    = "CRAWLSTATS_TEST_HANG"    // it does not end when it is told to
)

const (
	goroutines = 4
	hostile    = "title\x1b[2J\x1b]0;owned\x07\r\x1b[31m\u202e\u009b1m"
)

func TestMain(m *testing.M) {
	if os.Getenv(stateEnv) != "" {
		os.Exit(crawl())
	}
	leaktest.Main(m)
}

// crawl logs, counts and then waits to be stopped, as a crawler would.
func crawl() int {
	line := logging.NewProgress(os.Stderr)
	log := logging.New(line)
	ctx := context.Background()
	store, err := kvstore.OpenDir(os.Getenv(stateEnv))
	if err != nil {
		log.Error("no store", "error", err)
		return 1
	}
	defer store.Close(ctx)
	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store, Logger: log, LogEvery: -1, LogInline: true})
	if err != nil {
		log.Error("no statistics", "error", err)
		return 1
	}
	records, _ := strconv.Atoi(os.Getenv(recordsEnv))
	st.Gauge("queue.pending").Set(600)
	return terminal.Run(ctx, st, terminal.RunConfig{Line: line, Logger: log, SavedTo: "./state"}, func(ctx context.Context) error {
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := range records {
					j := st.BeginWith(stats.Request{Host: "shop.example"})
					log.Info(fmt.Sprintf("record %d.%02d", g, i), "title", hostile)
					time.Sleep(time.Duration(5+g) * time.Millisecond) // the time a page takes
					j.Finish()
				}
			})
		}
		wg.Wait()
		flying := st.BeginWith(stats.Request{Host: "shop.example"})
		log.Info("all records are out")
		<-ctx.Done()
		if os.Getenv(hangEnv) != "" {
			select {}
		}
		flying.Fail(errors.New("given up"))
		return ctx.Err()
	})
}
