package grafana

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

// output is what a server has printed.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// serve runs a server until the test ends.
func serve(t *testing.T, name string, args ...string) {
	t.Helper()
	log := &output{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s:\n%.4000s", filepath.Base(name), log.b.String())
		}
	})
}

// push sends all that st has counted over TCP, which confirms that it was read.
func push(t *testing.T, st *stats.Statistics, address string, cfg statsdpush.Config) {
	t.Helper()
	cfg.Network, cfg.Address, cfg.Interval, cfg.CloseTimeout = "tcp", address, 50*time.Millisecond, 20*time.Second
	p, err := statsdpush.Start(st, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Timings == statsdpush.TimingEvents {
		record(st) // it sends what happens from now on
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if h := p.Health(); h.Errors+h.Dropped+h.Unconfirmed != 0 {
		t.Errorf("health: %+v", h)
	}
}
