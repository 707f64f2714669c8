package grafana

import (
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

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
