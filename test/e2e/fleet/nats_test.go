package fleet

import (
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
)

func startBusyOnNATS(t *testing.T) (*natstest.Cluster, *busy, string) {
	t.Helper()
	c := natstest.Start(t)
	bucket := natstest.Bucket(t, natstest.Connect(t, c.URLs())).Bucket()
	return c, startBusy(t, natsEngine(c, bucket)), bucket
}

// The leader of the bucket is shut down while a Statistics saves: nothing that
// was acknowledged is lost.
func TestNATSLeaderDown(t *testing.T) {
	c, b, bucket := startBusyOnNATS(t)
	for range long(2, 8) {
		b.saving(50)
		leader := c.Leader(t, bucket)
		c.Stop(leader)
		known := b.acked.Load()
		b.counting(1000)
		b.recovers()
		if a := b.stored(); a.Finished < known {
			t.Errorf("%d are stored, %d were acknowledged", a.Finished, known)
		}
		c.Run(t, leader)
		c.Ready(t)
	}
	h := b.st.Health()
	if b.reports() != 0 || h.Lost != 0 {
		t.Errorf("%d losses were told, there was none", b.reports())
	}
	t.Logf("%d saves, %d failed", h.Saves, h.Failures)
}

// With two of three servers down nothing is saved, each save ends by its
// deadline, and the newest state is stored when they are back.
func TestNATSMajorityDown(t *testing.T) {
	c, b, _ := startBusyOnNATS(t)
	b.saving(5)
	c.Stop(0)
	c.Stop(1)
	b.fails(kvstore.ErrUnknown, kvstore.ErrUnavailable)
	b.counting(10_000)
	c.Run(t, 0)
	c.Run(t, 1)
	c.Ready(t)
	b.recovers()
	if b.reports() != 0 {
		t.Errorf("%d losses were told, there was none", b.reports())
	}
}

// The servers come back with nothing. Once the bucket is made again, the newest
// state stands in it, and the loss is told.
func TestNATSEmptied(t *testing.T) {
	c, b, bucket := startBusyOnNATS(t)
	b.saving(20)
	known := b.acked.Load()
	for i := range 3 {
		c.Stop(i)
	}
	for i := range 3 {
		c.Empty(t, i)
	}
	b.fails(kvstore.ErrUnknown, kvstore.ErrUnavailable)
	for i := range 3 {
		c.Run(t, i)
	}
	c.Ready(t)
	natstest.Named(t, natstest.Connect(t, c.URLs()), bucket)
	b.recovers()
	if a := b.stored(); a.Finished < known {
		t.Errorf("%d are stored, %d were acknowledged", a.Finished, known)
	}
	if b.reports() == 0 || b.st.Health().Lost < 20 {
		t.Errorf("told %d times, as %d saves; at least 20 were lost", b.reports(), b.st.Health().Lost)
	}
}
