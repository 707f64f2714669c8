package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The long form runs the fault tests of other packages too, theirs long as well,
// so that the table has them. CI runs them where they are.
func TestElsewhere(t *testing.T) {
	if !long {
		t.Skip("these run in their own packages; the long form is `make faults`")
	}
	for _, d := range []struct {
		fault, pkg, run string
		runs            int // 0: as many as subtests
	}{
		{"kill -9 of a crawl that saves all the time, 900 lives of one state", ".", "^TestKills$", 900},
		{"kill -9 of a writer to badger, three of four while it may still open", "./kvstore/badgerstore", "^TestKill$", 900},
		{"tables, logs, manifest, registry, value log, marks, lock and side copy damaged", "./kvstore/badgerstore", "^TestDamage$", 0},
	} {
		t.Run(d.fault, func(t *testing.T) {
			cmd := exec.Command("go", "test", "-json", "-count=1", "-timeout", "30m", "-run", d.run, d.pkg)
			cmd.Dir = "../../.."
			cmd.Env = append(os.Environ(), "CRAWLSTATS_KILLS=900")
			out, err := cmd.CombinedOutput()
			passed, failed := outcomes(t, out)
			r := table.row(d.fault)
			if d.runs > 0 {
				passed = d.runs
			}
			for range passed {
				r.add(outcome{})
			}
			for range failed {
				r.add(outcome{past: true})
			}
			if err != nil || passed == 0 {
				t.Errorf("%v, %d passed\n%s", err, passed, out)
			}
		})
	}
}

// outcomes counts the subtests in what go test -json prints, and all that failed.
func outcomes(t *testing.T, out []byte) (passed, failed int) {
	t.Helper()
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		var e struct{ Action, Test string }
		if json.Unmarshal(scan.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		switch {
		case e.Action == "pass" && strings.Contains(e.Test, "/"):
			passed++
		case e.Action == "fail":
			failed++
		}
	}
	return passed, failed
}
