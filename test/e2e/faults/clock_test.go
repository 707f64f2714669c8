package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// clockReport is what testdata/clock prints.
type clockReport struct {
	Stretches []struct {
		Clock   time.Time
		Elapsed time.Duration
		Saves   int64
		Age     time.Duration
	}
	Counted          int64
	Elapsed, Longest time.Duration
	Resumed, Final   stats.Snapshot
	Unbalanced       string
}

// The wall clock jumps by hours, during runs and between them: saves come at
// their interval, neither a storm nor a pause, runtime and durations are those of
// the monotonic clock, and every count goes on.
func TestClockJumps(t *testing.T) {
	exe := buildClock(t)
	dir := t.TempDir()
	during, between := table.row("the clock jumps during a run, on dir"), table.row("the clock jumps between runs, on dir")
	var counted int64
	var runtime time.Duration
	for _, offsets := range []string{
		"0,3600,-3600,0",
		"-3600,0",
		"7200,-7200",
		"-86400",
		"0",
	} {
		cmd := exec.Command(exe, dir, offsets)
		cmd.Stderr = t.Output()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", offsets, err)
		}
		var r clockReport
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatal(err)
		}
		wrong := r.Resumed.Finished != counted
		if wrong || r.Resumed.Runtime < runtime || r.Resumed.Runtime > runtime+time.Second {
			t.Errorf("%s: resumed with %d finished in %v, want %d in %v", offsets, r.Resumed.Finished, r.Resumed.Runtime, counted, runtime)
		}
		between.add(outcome{past: wrong})
		counted += r.Counted
		grown := r.Final.Runtime - r.Resumed.Runtime
		if r.Final.Finished != counted || r.Unbalanced != "" || grown < 0 || grown > r.Elapsed+time.Second || r.Longest > r.Elapsed+time.Second {
			t.Errorf("%s: %d finished, want %d; %v more runtime in %v, the longest request %v; %s",
				offsets, r.Final.Finished, counted, grown, r.Elapsed, r.Longest, r.Unbalanced)
		}
		runtime = r.Final.Runtime
		for i, s := range r.Stretches {
			most := int64(s.Elapsed/(100*time.Millisecond)) + 2
			if s.Saves < 1 || s.Saves > most || s.Age < 0 || s.Age > s.Elapsed+time.Second {
				t.Errorf("%s, stretch %d: %d saves in %v, at most %d are due; the newest is %v old", offsets, i, s.Saves, s.Elapsed, most, s.Age)
			}
			if off := time.Until(s.Clock).Abs(); i > 0 && off < 30*time.Minute && !strings.HasSuffix(offsets, ",0") {
				t.Errorf("%s, stretch %d: the clock is only %v off", offsets, i, off)
			}
			if i > 0 {
				during.add(outcome{past: s.Saves > most})
			}
		}
	}
}

// buildClock builds testdata/clock with a package time whose wall clock can be
// moved: to the program that is what a step of the system's clock is, and nothing
// else on this machine notices.
func buildClock(t *testing.T) (exe string) {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(goroot)), "src/time/time.go")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	moved := strings.Replace(string(source), now, "//go:linkname jumped\nvar jumped int64\n\n"+now+"\tsec += jumped\n", 1)
	if moved == string(source) {
		t.Fatalf("time.Now of %s is written otherwise: mend this test", runtime.Version())
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "time.go")
	if err := os.WriteFile(changed, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	exe = filepath.Join(dir, "clock")
	run(t, "go", "build", "-overlay", list, "-o", exe, "./testdata/clock")
	return exe
}
