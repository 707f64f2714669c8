// Command bench measures crawlstats against its peers in one process, and writes
// docs/bench: RESULTS.md and its plots.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	out := flag.String("out", "../docs/bench", "folder for RESULTS.md and the plots")
	short := flag.Bool("short", false, "fewer rounds and smaller sizes: a minute instead of ten")
	only := flag.Bool("ratio", false, "print the ratio of the handle to the floor and nothing else")
	all := flag.Bool("profiles", false, "write PROFILES.md, where the time of a request goes, and nothing else")
	name := flag.String("profile", "", "print where the time of this contender goes, and nothing else")
	flag.Parse()
	e := full
	if *short {
		e = quick
	}
	run := func() error { return report(*out, e) }
	switch {
	case *only:
		run = printRatio
	case *all:
		run = func() error { return profiles(*out) }
	case *name != "":
		run = func() error { return profile(os.Stdout, *name) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// effort is how much is measured.
type effort struct {
	rounds                          int
	slice                           time.Duration
	requests, ids, hosts, workers   int
	snapshots, torn, fetches, saves int
	durations                       int
	idle                            time.Duration
}

var (
	full = effort{
		rounds: 25, slice: 15 * time.Millisecond,
		requests: 1_000_000_000, ids: 5_000_000, hosts: 1_000_000, workers: 10_000,
		snapshots: 20_000, torn: 100_000, fetches: 20_000, saves: 200, durations: 10_000_000, idle: 20 * time.Second,
	}
	quick = effort{
		rounds: 9, slice: 5 * time.Millisecond,
		requests: 10_000_000, ids: 1_000_000, hosts: 100_000, workers: 1_000,
		snapshots: 2_000, torn: 5_000, fetches: 2_000, saves: 20, durations: 1_000_000, idle: 3 * time.Second,
	}
)

// printRatio is how a build with another tag tells its figure: see portable.
func printRatio() error {
	m, err := rounds([]entry{{"F2", floors[1], one}, {"handle", byHandle, one}}, full.rounds, full.slice)
	if err == nil {
		_, err = fmt.Println(m.ratio("handle", "F2"))
	}
	return err
}
