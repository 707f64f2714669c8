package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
)

// member is one worker of the fleet through all its lives.
type member struct {
	t      *testing.T
	e      engine
	store  kvstore.Store
	name   string
	dir    string
	life   int
	child  *child
	before int64   // what its record counted when this life began
	kept   []entry // that a record holds, of all lives
	kills  int64
	seized int64 // in flight or interrupted in the record after the last kill
	lost   int   // entries that no record holds
	oldest time.Duration
}

func (m *member) ledger() string { return filepath.Join(m.dir, fmt.Sprintf("%s.%d", m.name, m.life)) }

func (m *member) start() {
	m.t.Helper()
	m.life++
	// With one processor, what a record holds of a life is exactly its first
	// requests: a snapshot takes several processors one by one.
	m.child = play(m.t, "worker", m.e, memberEnv+"="+m.name, ledgerEnv+"="+m.ledger(), "GOMAXPROCS=1")
}

// kill ends a life, and compares what is left of it with its ledger: of what was
// written before the last save, nothing may be missing.
func (m *member) kill() {
	m.t.Helper()
	m.child.kill()
	died := time.Now()
	m.kills++
	a, err := stats.Load(m.t.Context(), m.store, stats.Key(crawlID, m.name))
	if errors.Is(err, kvstore.ErrNotFound) { // it was killed before it had claimed its record
		return
	}
	if err != nil {
		m.t.Fatal(err)
	}
	lost := m.settle(a)
	m.seized = a.Interrupted + a.InFlight
	m.lost += len(lost)
	if a.InFlight > int64(1+len(lost)) { // the one by id, and what ended after the save
		m.t.Errorf("%s, life %d: %d in flight in its record, %d ended after it", m.name, m.life, a.InFlight, len(lost))
	}
	early := 0
	for _, e := range lost {
		if !e.at.After(a.PersistedAt) {
			early++
		}
		m.oldest = max(m.oldest, died.Sub(e.at))
	}
	if early > 1 { // one may be written and not yet told when the save begins
		m.t.Errorf("%s, life %d: %d requests from before the last save are lost", m.name, m.life, early)
	}
}

// settle takes into account what a record holds of this life, and returns the
// entries that it lacks.
func (m *member) settle(a stats.Snapshot) (lost []entry) {
	m.t.Helper()
	if err := a.Balanced(); err != nil {
		m.t.Errorf("%s: %v", m.name, err)
	}
	total := a.Finished + a.Failed + a.Discarded
	entries := readLedger(m.t, m.ledger())
	n := total - m.before
	if n < 0 || n > int64(len(entries)) {
		m.t.Fatalf("%s, life %d: its record grew by %d, its ledger has %d", m.name, m.life, n, len(entries))
	}
	m.before = total
	m.kept = append(m.kept, entries[:n]...)
	return entries[n:]
}

// A fleet of real processes on one Redis. A third of them are killed with -9 and
// started again, over and over. What the fleet adds up to equals the ledgers,
// but for what came after the last save before each kill.
func TestFleet(t *testing.T) {
	workers := long(12, 50)
	limit := time.Duration(long(10, 60)) * time.Second
	every := time.Duration(long(400, 300)) * time.Millisecond

	e := redisEngine(redistest.Start(t))
	store, dir := e.store(t), t.TempDir()
	members := make([]*member, workers)
	for i := range members {
		members[i] = &member{t: t, e: e, store: store, name: fmt.Sprintf("worker-%d", i), dir: dir}
		members[i].start()
	}
	for _, m := range members {
		m.child.await("counting")
	}
	fleet, err := stats.LoadFleet(t.Context(), store, crawlID)
	if err != nil {
		t.Fatal(err)
	}
	stopWatching := watchLive(t, fleet)

	victims := rand.Perm(workers)[:workers/3]
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(every) {
		m := members[victims[rand.IntN(len(victims))]]
		m.kill()
		m.start()
	}
	for _, m := range members {
		m.child.await("counting")
	}
	for _, m := range members {
		m.child.stop()
		if code := m.child.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("%s: exit status %d", m.name, code)
		}
	}
	stopWatching()

	var kept []entry
	var kills, seized int64
	var lost int
	var oldest time.Duration
	for _, m := range members {
		a, err := stats.Load(t.Context(), store, stats.Key(crawlID, m.name))
		if err != nil {
			t.Fatal(err)
		}
		if missing := m.settle(a); len(missing) > 0 {
			t.Errorf("%s was closed, and lacks %d requests", m.name, len(missing))
		}
		if a.Interrupted != m.seized {
			t.Errorf("%s: %d interrupted, %d were in flight in the records of the killed", m.name, a.Interrupted, m.seized)
		}
		kept = append(kept, m.kept...)
		kills, seized, lost, oldest = kills+m.kills, seized+m.seized, lost+m.lost, max(oldest, m.oldest)
	}
	if err := fleet.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := fleet.Snapshot()
	agree(t, a, kept)
	if a.Interrupted != seized || a.InFlight != 0 {
		t.Errorf("%d interrupted, %d in flight, want %d and none", a.Interrupted, a.InFlight, seized)
	}
	if kills == 0 || len(fleet.Members()) != workers {
		t.Errorf("%d kills, %d members", kills, len(fleet.Members()))
	}
	for _, m := range fleet.Members() {
		if m.State != stats.MemberFinished || m.Err != nil {
			t.Errorf("%+v", m)
		}
	}
	if most := workerInterval + 5*time.Second; oldest > most { // the interval, and a save under way at its deadline
		t.Errorf("a request is lost that was counted %v before its kill, the promise is %v", oldest, most)
	}
	t.Logf("%d workers, %d kills: %d requests counted, %d lost, the oldest %v before its kill", workers, kills, len(kept), lost, oldest.Round(time.Millisecond))
}

// watchLive follows the fleet as a page does, and fails the test when what it
// shows falls.
func watchLive(t *testing.T, fleet *stats.Fleet) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := fleet.Run(ctx, 500*time.Millisecond); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for shown := int64(0); ; {
			select {
			case <-ctx.Done():
				if shown == 0 {
					t.Error("the fleet showed nothing while it ran")
				}
				return
			case <-tick.C:
			}
			now := fleet.Live().Finished
			if now < shown {
				t.Errorf("Live fell from %d to %d", shown, now)
			}
			shown = now
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

// agree compares a snapshot with the ledgers.
func agree(t *testing.T, a stats.Snapshot, entries []entry) {
	t.Helper()
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	counts := make(map[byte]int64)
	hosts := make(map[string]int64)
	durations := make(map[byte][]time.Duration)
	sums := make(map[byte]time.Duration)
	for _, e := range entries {
		counts[e.outcome]++
		if e.outcome == 'd' {
			continue
		}
		hosts[e.hostName()]++
		durations[e.outcome] = append(durations[e.outcome], e.duration)
		sums[e.outcome] += e.duration
	}
	if got := (map[byte]int64{'f': a.Finished, 'x': a.Failed, 'd': a.Discarded}); !maps.Equal(got, counts) {
		t.Errorf("counted %v, the ledgers have %v", got, counts)
	}
	if a.StatusCodes[200] != counts['f'] || a.StatusCodes[503] != counts['x'] {
		t.Errorf("status codes %v, the ledgers have %v", a.StatusCodes, counts)
	}
	merged := make(map[string]int64)
	for _, h := range a.Hosts {
		merged[h.Host] = h.Finished + h.Failed
	}
	if !maps.Equal(merged, hosts) {
		t.Errorf("hosts %v, the ledgers have %v", merged, hosts)
	}
	for outcome, d := range map[byte]stats.Durations{'f': a.FinishedDuration, 'x': a.FailedDuration} {
		all := durations[outcome]
		slices.Sort(all)
		if d.Count != int64(len(all)) || d.Sum != sums[outcome] || d.Min != all[0] || d.Max != all[len(all)-1] {
			t.Errorf("durations %c: %d of %v, %v to %v; the ledgers have %d of %v, %v to %v", outcome,
				d.Count, d.Sum, d.Min, d.Max, len(all), sums[outcome], all[0], all[len(all)-1])
		}
		for _, q := range []float64{.01, .5, .9, .95, .99, .999} {
			want := all[max(int(math.Ceil(q*float64(len(all))*(1-1e-12)))-1, 0)] // the nearest rank
			if off := math.Abs(float64(d.Quantile(q)-want)) / float64(want); off > .008 {
				t.Errorf("quantile %v of %c: %v, the ledgers have %v, off by %.2f %%", q, outcome, d.Quantile(q), want, 100*off)
			}
		}
	}
}
