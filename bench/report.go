package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var (
	one    = setting{1, 1}
	two    = setting{2, 1}
	eight  = setting{8, 1}
	many   = setting{2, 256}
	convoy = setting{2, 512}
)

// at is the key of a contender in a setting.
func at(name string, s setting) string { return fmt.Sprintf("%s @%dx%d", name, s.procs, s.goroutines) }

// entries are all that is measured in one run.
func entries() (all []entry) {
	add := func(s setting, contenders ...contender) {
		for _, c := range contenders {
			all = append(all, entry{at(c.name, s), c, s})
		}
	}
	for _, s := range []setting{one, two, eight} {
		add(s, floors...)
		add(s, ours...)
		add(s, failures)
		add(s, peers...)
	}
	add(many, floors[1], byHandle)
	add(convoy, floors[1], byHandle, crawleePort)
	add(two, underSnapshots("read itself", true), underSnapshots("read another", false))
	return all
}

// report measures everything and writes it down.
func report(out string, e effort) error {
	began := time.Now()
	m, err := rounds(entries(), e.rounds, e.slice)
	if err != nil {
		return err
	}
	portable, err := portableRatio()
	if err != nil {
		return err
	}
	rest, err := measureRest(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var text bytes.Buffer
	writeHead(&text, e)
	writeGoals(&text, goals(m, portable, rest))
	writePeers(&text, m)
	writeStores(&text, rest.stores)
	writeScales(&text, rest.scales)
	fmt.Fprintf(&text, "\nThe whole run took %s.\n", time.Since(began).Round(time.Second))
	files := map[string]string{"RESULTS.md": text.String(), "peers.svg": peerPlot(m)}
	for _, sc := range rest.scales {
		files[plotName(sc)] = lines(sc)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(out, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// measureRest measures what has no place in a round.
func measureRest(e effort) (r rest, err error) {
	r.snapshot1, r.snapshot8 = snapshotCost(1, e.snapshots), snapshotCost(8, e.snapshots)
	r.torn, r.snapshots = torn(e.torn), e.torn
	if r.fetch, err = fetchCost(e.fetches); err != nil {
		return r, err
	}
	if r.stores, err = storeCosts(e.saves, e.idle); err != nil {
		return r, err
	}
	if r.openTook, r.openSize, err = openCost(); err != nil {
		return r, err
	}
	if r.histogramError, r.histogramSize, err = histogramError(e.durations); err != nil {
		return r, err
	}
	r.durations = e.durations
	workers, err := byWorkers(e.workers)
	r.scales = []scale{byRequests(e.requests), byInFlight(e.ids), byHosts(e.hosts), workers}
	return r, err
}

// rest is what measureRest has measured.
type rest struct {
	snapshot1, snapshot8 float64 // CPU nanoseconds of a snapshot with 1 and 8 shards
	torn, snapshots      int
	fetch                float64 // CPU nanoseconds of a GET
	stores               []storeCost
	openTook             time.Duration // CPU
	openSize             int           // bytes of the JSON in the record
	durations            int           // counted to learn the two below
	histogramError       float64       // largest of a quantile, relative
	histogramSize        int           // bytes in a record
	scales               []scale
}

// portableRatio runs the handle in a build without the pin.
func portableRatio() (float64, error) {
	cmd := exec.CommandContext(context.Background(), "go", "run", "-tags", "crawlstats_portable", ".", "-ratio")
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("portable build: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(printed)), 64)
}

func peerPlot(m samples) string {
	var rows []bar
	for _, c := range append([]contender{byHandle}, peers...) {
		rows = append(rows, bar{c.name, []float64{m.ratio(at(c.name, one), at("F2", one)), m.ratio(at(c.name, two), at("F2", two))}})
	}
	return bars("CPU time of one complete request, as a multiple of the floor (logarithmic)",
		[]string{"1 processor", "2 processors"}, rows)
}

func plotName(sc scale) string { return strings.ReplaceAll(sc.name, " ", "-") + ".svg" }
