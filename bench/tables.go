package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func writeHead(w io.Writer, e effort) {
	fmt.Fprintf(w, `# What counting costs

Written by `+"`make bench-peers`"+` %s. Do not edit; run it again.

- The cost is CPU time of the process (getrusage) for each request, and not wall time: a neighbour that takes a core away does not
  change it. What remains is the clock of the processor, so ratios are taken within a round, %d rounds of %s each, all contenders one after
  the other in each round and in one process. What stands here are medians.
- F1 is two readings of the monotonic clock, F2 two atomic adds on memory of their own besides. F2 is the floor: no recorder that times
  a request and counts both ends can be cheaper.
- Every contender does the same request: in flight, the clock twice, no longer in flight, outcome, status code, duration and number of retries into
  histograms. It is checked that none was lost where a contender can tell. Their handles are kept; those with "labels" look them up at each
  call, as most programs do.
- %d processors of this machine are real. With more in GOMAXPROCS than there are, it is seen what preemption does, and not how it scales.
`, today(), e.rounds, e.slice, runtime.NumCPU())
}

// today returns when and on what something was measured.
func today() string {
	return fmt.Sprintf("on %s: %s, %s/%s, %d processors, %s",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor())
}

// processor returns its name, where the system tells.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor unknown"
}

func writePeers(w io.Writer, m samples) {
	fmt.Fprint(w, "\n## One complete request\n\n![peers](peers.svg)\n\n",
		"| what | ns CPU | B | allocs | × F2, 1 processor | 2 processors [quartiles] | 8 | × handle, 1 | 2 |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, group := range [][]contender{floors, ours, {failures}, peers} {
		for _, c := range group {
			k := at(c.name, one)
			q := m.ratios(at(c.name, two), at("F2", two))
			fmt.Fprintf(w, "| %s | %.1f | %.0f | %.0f | %.2f | %.2f [%.2f to %.2f] | %.2f | %.2f | %.2f |\n",
				c.name, m.median(k, nanos), whole(m.median(k, allocated)), m.median(k, allocs), m.ratio(k, at("F2", one)),
				quantile(q, .5), quantile(q, .25), quantile(q, .75), m.ratio(at(c.name, eight), at("F2", eight)),
				m.ratio(k, at("handle", one)), m.ratio(at(c.name, two), at("handle", two)))
		}
	}
	versions := moduleVersions()
	fmt.Fprint(w, "\n| what | how | what it does not do |\n|---|---|---|\n")
	for _, c := range append(slices.Clone(ours), failures) {
		fmt.Fprintf(w, "| %s | %s | |\n", c.name, c.about)
	}
	for _, c := range peers {
		about := c.about
		if c.module != "" {
			about = fmt.Sprintf("%s %s: %s", c.module, versions[c.module], about)
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", c.name, about, c.lacks)
	}
}

func moduleVersions() map[string]string {
	versions := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			versions[d.Path] = d.Version
		}
	}
	return versions
}

func writeStores(w io.Writer, stores []storeCost) {
	fmt.Fprint(w, "\n## Saving\n\n| engine | record | save, median | CPU for each | open and idle, of a core | one save each second, of a core |\n|---|---|---|---|---|---|\n")
	for _, s := range stores {
		if s.missing != "" {
			fmt.Fprintf(w, "| %s | not measured: %s | | | | |\n", s.name, s.missing)
			continue
		}
		fmt.Fprintf(w, "| %s | %.1f KB | %s | %s | %.2f %% | %.2f %% |\n", s.name, float64(s.recordBytes)/1024,
			s.save.Round(time.Microsecond), s.cpu.Round(time.Microsecond), 100*s.idle, 100*s.everySecond)
	}
}

func writeScales(w io.Writer, scales []scale) {
	fmt.Fprint(w, "\n## Scale\n")
	for _, sc := range scales {
		fmt.Fprintf(w, "\n### %s\n\n![%s](%s)\n\n| %s | %s |\n|%s\n", sc.name, sc.name, plotName(sc), sc.name,
			strings.Join(sc.curves, " | "), strings.Repeat("---|", len(sc.curves)+1))
		for _, p := range sc.points {
			fmt.Fprintf(w, "| %d |", p.size)
			for _, v := range p.values {
				fmt.Fprintf(w, " %.4g |", v)
			}
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "\n%s.\n", strings.ToUpper(sc.note[:1])+sc.note[1:])
	}
}
