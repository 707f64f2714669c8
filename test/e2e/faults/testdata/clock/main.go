// Command clock counts while its wall clock jumps. It is built with a package
// time in which Now adds Jumped seconds: see clock_test.go.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
	_ "unsafe" // for linkname

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

//go:linkname jumped time.jumped
var jumped int64 // seconds; set by one goroutine while it is the only one that matters

// stretch is what was seen between two jumps.
type stretch struct {
	Clock   time.Time     // as the program sees it
	Elapsed time.Duration // by the monotonic clock
	Saves   int64
	Age     time.Duration // of the newest save, at the end
}

type report struct {
	Stretches  []stretch
	Counted    int64
	Elapsed    time.Duration // Open to Close
	Longest    time.Duration // of a request
	Resumed    stats.Snapshot
	Final      stats.Snapshot
	Unbalanced string
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run counts on the state in dir for a stretch at each of the offsets.
func run(dir, offsets string) error {
	store, err := kvstore.OpenDir(dir)
	if err != nil {
		return err
	}
	var r report
	var st *stats.Statistics
	begin := time.Now()
	for i, text := range strings.Split(offsets, ",") {
		if jumped, err = strconv.ParseInt(text, 10, 64); err != nil {
			return err
		}
		if i == 0 {
			st, err = stats.Open(context.Background(), stats.Config{
				ID: "clock", Store: store, PersistEvery: 100 * time.Millisecond, LogEvery: -1,
				Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			if err != nil {
				return err
			}
			begin, r.Resumed = time.Now(), st.Snapshot()
		}
		s, start, before := stretch{Clock: time.Now()}, time.Now(), st.Health().Saves
		for time.Since(start) < 1500*time.Millisecond || st.Health().Saves == before {
			j := st.Begin()
			time.Sleep(time.Millisecond)
			j.Finish()
			r.Counted++
			if time.Since(start) > 30*time.Second {
				return fmt.Errorf("no save for %v at an offset of %s", time.Since(start), text)
			}
		}
		h := st.Health()
		s.Elapsed, s.Saves, s.Age = time.Since(start), h.Saves-before, h.Age
		r.Stretches = append(r.Stretches, s)
	}
	if err := st.Close(); err != nil {
		return err
	}
	r.Elapsed, r.Final = time.Since(begin), st.Snapshot()
	r.Longest = r.Final.FinishedDuration.Max
	if err := r.Final.Balanced(); err != nil {
		r.Unbalanced = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
