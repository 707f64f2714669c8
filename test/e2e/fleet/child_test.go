package fleet

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// child is a process of this test.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   syncbuf.Buffer
	ended chan struct{}
}

// play starts a child in a role, with these settings in its environment.
func play(t *testing.T, role string, e engine, settings ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	c.cmd.Env = append(append(os.Environ(), roleEnv+"="+role, engineEnv+"="+string(e)), settings...)
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait()
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("%s, exit status %d:\n%.4000s", role, c.cmd.ProcessState.ExitCode(), c.out.String())
		}
	})
	return c
}

// kill ends the process with -9, if it still lives, and waits for its end.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// await waits for a line that starts with a word, and returns the number behind
// it, if there is one.
func (c *child) await(word string) (n int64) {
	c.t.Helper()
	line := regexp.MustCompile(`(?m)^` + word + `\b ?(\d*)`)
	wait.For(c.t, 2*time.Minute, fmt.Sprintf("the child says %q", word), func() bool {
		m := line.FindStringSubmatch(c.out.String())
		if m == nil {
			select {
			case <-c.ended:
				c.t.Fatalf("the child ended before it said %q:\n%s", word, c.out.String())
			default:
			}
			return false
		}
		n, _ = strconv.ParseInt(m[1], 10, 64)
		return true
	})
	return n
}

// stop lets the child close what it has open, and returns how many requests it
// has counted itself.
func (c *child) stop() (own int64) {
	c.t.Helper()
	c.stdin.Close()
	own = c.await("closed")
	<-c.ended
	return own
}

// says counts the lines that contain a text.
func (c *child) says(text string) (n int) {
	for line := range strings.Lines(c.out.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
