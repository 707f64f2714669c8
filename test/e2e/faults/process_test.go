package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// process is a part that is played.
type process struct {
	*exec.Cmd
	ledger *ledger
	out    bytes.Buffer
	errs   bytes.Buffer
	ended  chan struct{} // closed when it is dead
	err    error         // of Wait, once ended
}

// start starts a part. A crawl gets a ledger of its own.
func start(t *testing.T, p part) *process {
	t.Helper()
	c := &process{ended: make(chan struct{})}
	if p.Role == "crawl" {
		f, err := os.CreateTemp(t.TempDir(), "ledger-")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		p.Ledger = f.Name()
		c.ledger = createLedger(t, p.Ledger)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	c.Cmd = exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), partEnv+"="+string(text),
		"GORACE=atexit_sleep_ms=0") // else each takes a second to end under -race
	c.Stdout, c.Stderr = &c.out, &c.errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.err = c.Wait()
		close(c.ended)
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-c.ended
	})
	return c
}

// crawl starts a crawler and waits until it counts.
func crawl(t *testing.T, p part) *process {
	t.Helper()
	p.Role = "crawl"
	c := start(t, p)
	within(t, time.Minute, "the crawler has opened its state", func() bool { return c.ledger.isOpen() || c.isDead() })
	c.alive(t)
	return c
}

func (c *process) isDead() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// alive fails the test when the process has died.
func (c *process) alive(t *testing.T) {
	t.Helper()
	if c.isDead() {
		t.Fatalf("the crawler died: %v\n%.3000s", c.err, c.errs.Bytes())
	}
}

func (c *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(sig); err != nil {
		t.Fatalf("%v: %v\n%.3000s", sig, err, c.errs.Bytes())
	}
}

// kill ends the process with -9, and returns when that was.
func (c *process) kill(t *testing.T) (at time.Time) {
	t.Helper()
	at = time.Now()
	_ = c.Process.Kill()
	<-c.ended
	return at
}

// finish asks the process to close, and waits until it has, without an error.
func (c *process) finish(t *testing.T) {
	t.Helper()
	c.end(t)
	if c.err != nil {
		t.Fatalf("the crawler ended with %v\n%.3000s", c.err, c.errs.Bytes())
	}
}

// end asks the process to close, and waits until it has.
func (c *process) end(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(90 * time.Second):
		_ = c.Process.Signal(syscall.SIGQUIT)
		<-c.ended
		t.Fatalf("the crawler does not end\n%s", c.errs.Bytes())
	}
}

// look opens a state in a process of its own. Badger may kill it, deaths times at
// the most; that is what its guards count on.
func look(t *testing.T, p part, deaths int) (found, error) {
	t.Helper()
	p.Role = "look"
	for {
		c := start(t, p)
		<-c.ended
		if c.err == nil {
			var f found
			if err := json.Unmarshal(c.out.Bytes(), &f); err != nil {
				t.Fatal(err)
			}
			return f, nil
		}
		crashed := bytes.Contains(c.errs.Bytes(), []byte("panic:")) || bytes.Contains(c.errs.Bytes(), []byte("[signal"))
		if !crashed {
			return found{}, fmt.Errorf("%w: %.2000s", c.err, c.errs.Bytes())
		}
		if deaths == 0 {
			return found{}, errors.New(string(c.errs.Bytes()[:min(3000, c.errs.Len())]))
		}
		deaths--
	}
}

// mustLook is look where nothing may go wrong.
func mustLook(t *testing.T, p part) found {
	t.Helper()
	f, err := look(t, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// copyTree copies a directory as it is.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", "--sparse=always", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
