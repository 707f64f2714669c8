//go:build unix

package local_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
)

func TestSignals(t *testing.T) {
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGTERM: "migrating",
		syscall.SIGINT:  "aborting",
	} {
		var bus events.Bus
		got := make(chan string, 2)
		events.Subscribe(&bus, func(context.Context, events.Migrating) error { got <- "migrating"; return nil })
		events.Subscribe(&bus, func(context.Context, events.Aborting) error { got <- "aborting"; return nil })
		l := local.Start(&bus, local.Config{
			Signals:  true,
			OnSignal: func(s os.Signal) { got <- s.String() },
			Logger:   noLog(t),
		})
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if event := <-got; event != want {
			t.Errorf("%v published %q, want %q", sig, event, want)
		}
		if s := <-got; s != sig.String() {
			t.Errorf("OnSignal got %q, want %q", s, sig)
		}
		l.Close()
	}
}

// TestSecondSignalEndsTheProcess runs itself as a child, in which the first
// signal meets a subscriber that never returns.
func TestSecondSignalEndsTheProcess(t *testing.T) {
	if os.Getenv("LOCAL_TEST_CHILD") != "" {
		var bus events.Bus
		events.Subscribe(&bus, func(context.Context, events.Aborting) error {
			fmt.Println("stuck")
			select {}
		})
		local.Start(&bus, local.Config{Signals: true})
		fmt.Println("ready")
		time.Sleep(time.Minute)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestSecondSignalEndsTheProcess$")
	child.Env = append(os.Environ(), "LOCAL_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ready", "stuck"} {
		var line string
		if _, err := fmt.Fscanln(out, &line); err != nil || line != want {
			child.Process.Kill()
			child.Wait()
			t.Fatalf("child said %q (%v), want %q", line, err, want)
		}
		child.Process.Signal(os.Interrupt)
	}
	err = child.Wait()
	if err == nil || !strings.Contains(err.Error(), "interrupt") {
		t.Errorf("child ended with %v, want it killed by the second interrupt", err)
	}
}
