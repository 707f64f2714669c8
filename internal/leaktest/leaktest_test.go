package leaktest

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const leakEnv = "LEAKTEST_LEAK"

func TestMain(m *testing.M) { Main(m, "github.com/crawlstats/crawlstats/internal/leaktest.foreign") }

func foreign() { select {} }

// Each kind of leak fails a run that is green otherwise.
func TestLeaksAreFound(t *testing.T) {
	for leak, says := range map[string]string{"": "", "foreign": "", "goroutine": "found unexpected goroutines", "descriptor": "descriptors", "file": "temporary files"} {
		t.Run("of "+leak, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestLeak$")
			cmd.Env = append(os.Environ(), leakEnv+"="+leak, watched+"=")
			out, err := cmd.CombinedOutput()
			if (err == nil) != (says == "") || !strings.Contains(string(out), says) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestLeak leaks what it is told to.
func TestLeak(t *testing.T) {
	switch os.Getenv(leakEnv) {
	case "goroutine":
		go func() { select {} }()
	case "foreign":
		go foreign()
	case "descriptor":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		kept = l
	case "file":
		if _, err := os.MkdirTemp("", "left"); err != nil {
			t.Fatal(err)
		}
	}
}

var kept net.Listener
