package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// profileFor is how long a contender runs: a thousand samples.
const profileFor = 10 * time.Second

// profiled are the contenders whose goals LIMITS.md tells to be out of reach.
var profiled = []string{"handle", "handle, everything", "by id", "observe"}

// profiles writes where the time of a request goes, to PROFILES.md.
func profiles(out string) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, `# Where the time goes

Written by `+"`make bench-profiles`"+` %s. Do not edit; run it again. Each contender of RESULTS.md runs for %v on
one processor, sampled 100 times a second. *flat* is the function itself, *cum* with what it calls; the loop of the benchmark is in it.
`, today(), profileFor)
	for _, name := range profiled {
		fmt.Fprintf(&text, "\n## %s\n\n```\n", name)
		if err := profile(&text, name); err != nil {
			return err
		}
		fmt.Fprint(&text, "```\n")
	}
	cmd := exec.CommandContext(context.Background(), "go", "run", "-tags", "crawlstats_portable", ".", "-profile", "handle")
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("portable build: %w", err)
	}
	fmt.Fprintf(&text, "\n## handle, portable build\n\n```\n%s```\n", printed)
	return os.WriteFile(filepath.Join(out, "PROFILES.md"), text.Bytes(), 0o644)
}

// profile runs a contender and prints the functions that take most of its time.
func profile(w io.Writer, name string) error {
	for _, c := range append(ours, failures) {
		if c.name == name {
			return c.profile(w)
		}
	}
	return fmt.Errorf("no contender of ours is called %q", name)
}

func (c *contender) profile(w io.Writer) (err error) {
	f, err := os.CreateTemp("", "crawlstats-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	defer func() { _ = f.Close() }()

	runtime.GOMAXPROCS(1)
	subject := c.open()
	subject.loop(requests, 0, warmUp)
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	for start, at := time.Now(), 0; time.Since(start) < profileFor; at += 977 {
		subject.loop(requests, at, tableSize)
	}
	pprof.StopCPUProfile()

	self, err := os.Executable()
	if err != nil {
		return err
	}
	top, err := exec.CommandContext(context.Background(), "go", "tool", "pprof", "-top", "-nodecount", "24", self, f.Name()).Output()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	_, table, _ := strings.Cut(string(top), "Showing nodes")
	_, err = fmt.Fprintf(w, "Showing nodes%s", strings.ReplaceAll(table, "github.com/crawlstats/crawlstats/", ""))
	return err
}
