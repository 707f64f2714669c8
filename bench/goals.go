package main

import (
	"fmt"
	"io"
)

// goal is one row of what was aimed at.
type goal struct {
	what     string
	want     float64
	atLeast  bool // want is a lower bound, else an upper one
	measured float64
	unit     string
}

func (g goal) met() bool {
	if g.atLeast {
		return g.measured >= g.want
	}
	return g.measured <= g.want
}

func goals(m samples, portable float64, r rest) []goal {
	floor := func(name string) float64 { return m.ratio(at(name, one), at("F2", one)) }
	faster := func(name string, s setting) float64 { return m.ratio(at(name, s), at("handle", s)) }
	most := func(what string, want, measured float64, unit string) goal {
		return goal{what, want, false, measured, unit}
	}
	least := func(what string, want, measured float64) goal { return goal{what, want, true, measured, "×"} }
	all := []goal{
		most("handle / F2, default build", 1.25, floor("handle"), "×"),
		most("handle / F2, portable build", 1.40, portable, "×"),
		most("handle allocates", 0, whole(m.median(at("handle", one), allocated)), " B"),
		most("handle, 2 processors / 1", 1.05, m.ratio(at("handle", two), at("handle", one)), "×"),
		most("handle, 8 processors / 1", 1.05, m.ratio(at("handle", eight), at("handle", one)), "×"),
		most("handle, 256 goroutines a processor / 1", 1.10, m.ratio(at("handle", many), at("handle", two)), "×"),
		most("handle with host, bytes, sizes, distinct URLs / F2", 1.65, floor("handle, everything"), "×"),
		most("the same allocates", 0, whole(m.median(at("handle, everything", one), allocated)), " B"),
		most("by id / F2", 2.0, floor("by id"), "×"),
		most("Observe / one atomic add", 3.5, m.ratio(at("observe", one), at("atomic", one)), "×"),
	}
	for _, p := range []struct {
		name     string
		one, two float64
	}{{"tally", 1.35, 2}, {"VictoriaMetrics", 1.45, 3}, {"Prometheus", 1.5, 4}, {"Crawlee port", 2.5, 2.8}} {
		all = append(all,
			least(p.name+" / handle, 1 processor", p.one, faster(p.name, one)),
			least(p.name+" / handle, 2 processors", p.two, faster(p.name, two)))
	}
	all = append(all,
		least("Crawlee port / handle, 8 processors", 4, faster("Crawlee port", eight)),
		least("Crawlee port / handle, 1,024 goroutines", 8, faster("Crawlee port", convoy)))
	for _, p := range []struct {
		name string
		want float64
	}{
		{"Prometheus, labels", 2.5},
		{"VictoriaMetrics, labels", 2.5},
		{"tally, labels", 2.5},
		{"OpenTelemetry, labels", 2.5},
		{"OpenTelemetry", 6},
		{"datadog-go", 4},
		{"cactus", 4.5},
	} {
		all = append(all, least(p.name+" / handle", p.want, faster(p.name, one)))
	}
	last := func(sc scale) []float64 { return sc.points[len(sc.points)-1].values }
	ids, workers := last(r.scales[1]), r.scales[3].points
	all = append(all,
		most("memory of an id in flight, the most there are", 40, ids[2], " B"),
		most("garbage collection with them", 5, ids[3], " ms CPU"),
		most("slowest Start with them", 5, ids[4], " ms CPU"),
		most("snapshot, for each shard more", 2.5, (r.snapshot8-r.snapshot1)/7/1e3, " µs CPU"),
		most("writers under 1,000 snapshots a second", 1.03, m.ratio(at("read itself", two), at("read another", two)), "×"),
		most(fmt.Sprintf("torn of %d snapshots", r.snapshots), 0, float64(r.torn), ""),
		most("handle with everything, of a loopback GET of 10 KB", 0.6, 100*m.median(at("handle, everything", one), nanos)/r.fetch, " %"),
	)
	all = append(all,
		most(fmt.Sprintf("error of a quantile of %d durations", r.durations), 0.8, 100*r.histogramError, " %"),
		most("their distribution in a record", 3, float64(r.histogramSize)/1024, " KB"),
		most(fmt.Sprintf("Open of a record with %d KB of JSON", r.openSize>>10), 20, float64(r.openTook)/1e6, " ms CPU"),
	)
	for _, p := range workers {
		if p.size == 1000 {
			all = append(all, most("decode and merge 1,000 records, on all processors", 100, p.values[0], " ms"))
		}
	}
	for _, s := range r.stores {
		if s.name == "Badger" {
			all = append(all, most(fmt.Sprintf("a save to Badger each second (open and idle: %.2f %%)", 100*s.idle), 0.5, 100*s.everySecond, " % of a core"))
		}
	}
	return all
}

// whole drops what the runtime allocates beside the measured code.
func whole(b float64) float64 { return float64(int(b)) }

func writeGoals(w io.Writer, all []goal) {
	fmt.Fprint(w, "\n## Goals\n\n| what | goal | measured | |\n|---|---|---|---|\n")
	for _, g := range all {
		sign, met := "≤", "met"
		if g.atLeast {
			sign = "≥"
		}
		if !g.met() {
			met = "**not met**"
		}
		fmt.Fprintf(w, "| %s | %s %g%s | %.3g%s | %s |\n", g.what, sign, g.want, g.unit, g.measured, g.unit, met)
	}
	fmt.Fprint(w, "\nWhat is not met is explained in [LIMITS.md](LIMITS.md).\n")
}
