package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

// What the package promises beyond Crawlee, one test for each promise.

func TestMaxInFlightIsExact(t *testing.T) {
	for _, limit := range []int{1, 100, 1000, 20_000} {
		s := open(t, stats.Config{MaxInFlight: limit, LogEvery: -1})
		for i := range limit + 50 {
			s.Start(fmt.Sprint(i))
		}
		a := s.Snapshot()
		check(t, "at the limit", []int64{a.Started, a.InFlight, a.Overflow}, []int64{int64(limit), int64(limit), 50})
		for i := range limit + 50 {
			s.Finish(fmt.Sprint(i))
		}
		a = s.Snapshot()
		check(t, "their ends", []int64{a.Finished, a.Unmatched, a.InFlight}, []int64{int64(limit), 50, 0})
		j := s.Begin()
		j.Finish()
		s.Start("again")
		check(t, "room again", s.Snapshot().Started, int64(limit+2))
		closeOK(t, s)
	}
}

func TestRetryAndStart(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", 10*ms, "Ra", 20*ms, "Sa", 30*ms, "Fa") // one retry; the Start restarts the clock
		script(t, s, "Sb", 10*ms, "Rb", 40*ms, "Fb")              // the clock ran since Retry
		a := s.Snapshot()
		check(t, "retries, attempts", []int64{a.Retries, a.Attempts}, []int64{2, 4})
		check(t, "histogram", a.RetryHistogram, []int64{0, 2})
		check(t, "durations", []time.Duration{a.FinishedDuration.Min, a.FinishedDuration.Max}, []time.Duration{30 * ms, 40 * ms})
	})
}

func TestGivenRetriesWin(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		s.Start("a")
		s.StartWith("a", stats.Request{Retries: 5})
		s.Finish("a")
		check(t, "histogram", s.Snapshot().RetryHistogram, []int64{0, 0, 0, 0, 0, 1})
	})
}

func TestRetriesAreBookedAtTheEndAndAttemptsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		j := s.Begin()
		j.Retry(errAny)
		script(t, s, "Sa", "Ra")
		a := s.Snapshot()
		check(t, "before", []int64{a.Retries, a.Attempts, a.RetryErrors[0].Count, a.ErrorKinds["other"]}, []int64{0, 4, 2, 2})
		j.Finish()
		script(t, s, "Xa")
		check(t, "after", s.Snapshot().Retries, int64(2))
	})
}

func TestRejectedBeforeItBegan(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		s.Observe(stats.Outcome{Discard: stats.DiscardDuplicate, Request: stats.Request{Host: "a"}})
		a := s.Snapshot()
		check(t, "counts", []int64{a.Started, a.Discarded, a.Attempts, a.FinishedDuration.Count + a.FailedDuration.Count}, []int64{1, 1, 0, 0})
		check(t, "host", a.Hosts[0].Discarded, int64(1))
	})
}

func TestObserve(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		queued := time.Now()
		time.Sleep(time.Second)
		s.Observe(stats.Outcome{Duration: 300 * ms, StatusCode: 200, Request: stats.Request{Host: "a", QueuedAt: queued, Retries: 2}})
		s.Observe(stats.Outcome{Duration: 500 * ms, StatusCode: 500, QueueWait: time.Second, Err: errAny, Request: stats.Request{URL: "http://a/"}})
		s.Observe(stats.Outcome{Duration: -time.Hour})
		s.Observe(stats.Outcome{Duration: 1 << 62})
		a := s.Snapshot()
		check(t, "counts", []int64{a.Started, a.Finished, a.Failed, a.Attempts, a.Retries}, []int64{4, 3, 1, 4, 1})
		check(t, "queue", []time.Duration{a.QueueWait.Min, a.QueueWait.Max, a.TotalDuration.Sum}, []time.Duration{700 * ms, time.Second, 2500 * ms})
		check(t, "codes", a.StatusCodes, map[int]int64{200: 1, 500: 1})
		check(t, "example", a.Errors[0].Examples, []string{"http://a/"})
		check(t, "nonsense", a.FinishedDuration.Min, time.Duration(0))
		if err := a.Balanced(); err != nil {
			t.Error(err)
		}
	})
}

func TestJobEnd(t *testing.T) {
	s := stats.New()
	visit := func(err error, p any) (result error) {
		j := s.Begin()
		defer j.End(&result)
		if p != nil {
			panic(p)
		}
		return err
	}
	_ = visit(nil, nil)
	_ = visit(errAny, nil)
	func() {
		defer func() { check(t, "the panic goes on", recover(), any("boom")) }()
		_ = visit(nil, "boom")
	}()
	a := s.Snapshot()
	check(t, "counts", []int64{a.Finished, a.Failed, a.FailedKinds["handler"]}, []int64{1, 2, 1})
}

func TestJobTook(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		j := s.Begin()
		j.Took(time.Hour)
		j.Retry(errAny) // the next attempt is timed by the clock again
		time.Sleep(20 * ms)
		j.Finish()
		j = s.Begin()
		time.Sleep(time.Second) // politeness
		j.Took(30 * ms)
		j.Finish()
		d := s.Snapshot().FinishedDuration
		check(t, "durations", []time.Duration{d.Min, d.Max}, []time.Duration{20 * ms, 30 * ms})
	})
}

func TestHandleIsSettledOnce(t *testing.T) {
	s := stats.New()
	j := s.Begin()
	j.Finish()
	j.Fail(errAny)
	j.Discard(stats.DiscardLimit)
	j.Retry(errAny)
	j.StatusCode(200)
	var zero stats.Job
	zero.Finish()
	a := s.Snapshot()
	check(t, "counts", []int64{a.Finished, a.Failed, a.Discarded, a.Unmatched, a.Attempts}, []int64{1, 0, 0, 0, 1})
}

func TestMinAndMaxAreAbsentWhileThereAreNone(t *testing.T) {
	text := snapshotJSON(t, stats.New().Snapshot())
	for _, want := range []string{`"requestMinDurationMillis": null`, `"requestAvgFinishedDurationMillis": null`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
}

func TestRestoreBringsEverythingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		for i := range 500 {
			j := s.BeginWith(stats.Request{Host: fmt.Sprintf("h%d", i%3), URL: "http://h/", QueuedAt: time.Now().Add(-time.Second)})
			time.Sleep(time.Duration(i) * ms)
			j.StatusCode(200 + i%2)
			switch i % 5 {
			case 3:
				j.Retry(errAny)
				j.Finish()
			case 4:
				j.Fail(errAny)
			default:
				j.Finish()
			}
		}
		s.Observe(stats.Outcome{Discard: stats.DiscardDepth})
		s.Finish("ghost")
		s.Counter("items", stats.Label{Key: "type", Value: "book"}).Add(7)
		s.Gauge("queue").Set(12.5)
		s.Timer("parse").Observe(time.Second)
		for i := range 1000 {
			s.Unique("urls").Add(fmt.Sprint(i))
		}
		e, _ := stats.Extend(s, "cursor", 0, nil)
		e.Update(func(n *int) { *n = 9 })
		closeOK(t, s)
		before := s.Snapshot()

		s = open(t, stats.Config{Store: store})
		after := s.Snapshot()
		check(t, "generation", after.Generation, before.Generation)
		check(t, "segments", len(after.Segments), 2)
		check(t, "clean", []bool{after.Segments[0].Clean, after.Segments[1].Clean}, []bool{true, false})
		check(t, "host of the run", after.Segments[0].Finished, before.Finished)
		check(t, "quantile", after.FinishedDuration.Quantile(.9), before.FinishedDuration.Quantile(.9))
		check(t, "uniques", after.Uniques["urls"], before.Uniques["urls"])
		if len(after.History.Seconds) == 0 {
			t.Error("no history")
		}
		// All but the facts of the new run is equal.
		for _, a := range []*stats.Snapshot{&before, &after} {
			a.LastStartedAt, a.FinishedAt, a.PersistedAt, a.Segments = time.Time{}, time.Time{}, time.Time{}, nil
		}
		check(t, "everything else", snapshotJSON(t, after), snapshotJSON(t, before))

		s.Gauge("queue").Add(1)
		s.Counter("items", stats.Label{Key: "type", Value: "book"}).Inc()
		a := s.Snapshot()
		check(t, "gauge goes on", a.Gauges["queue"], 13.5)
		check(t, "counter goes on", a.Counters[`items{type="book"}`], int64(8))
		live := s.Live()
		check(t, "live", []int64{live.Finished, live.Counters[`items{type="book"}`], live.Unmatched}, []int64{0, 1, 0})
		closeOK(t, s)
	})
}

func TestInFlightAtAKillIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		script(t, s, "Sa", "Sb", "Sc", "Fa")
		time.Sleep(2 * time.Second) // a checkpoint
		script(t, s, "Fb")          // after it: lost with the process
		killed := copyOf(t, store)
		closeOK(t, s)

		time.Sleep(time.Hour)
		s = open(t, stats.Config{Store: killed})
		a := s.Snapshot()
		check(t, "counts", []int64{a.Started, a.Finished, a.Interrupted, a.InFlight}, []int64{3, 1, 2, 0})
		check(t, "runtime", a.Runtime < 3*time.Second && a.Runtime >= time.Second, true)
		check(t, "segments", []bool{a.Segments[0].Clean, a.Segments[1].Clean}, []bool{false, false})
		if err := a.Balanced(); err != nil {
			t.Error(err)
		}
		closeOK(t, s)
	})
}

// copyOf returns the store as a kill would leave it.
func copyOf(t *testing.T, store *kvstore.Memory) *kvstore.Memory {
	t.Helper()
	c := kvstore.NewMemory()
	for key, err := range store.List(t.Context(), "") {
		item, err2 := store.Load(t.Context(), key)
		_, err3 := c.Save(t.Context(), key, item.Value, 0)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestSavesOnlyWhenSomethingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, LogEvery: -1})
		defer closeOK(t, s)
		check(t, "claim", saves(store), 1)
		time.Sleep(9500 * ms)
		check(t, "an idle crawl", saves(store), 1)
		time.Sleep(1000 * ms)
		check(t, "runtime rides on a save each 10 s", saves(store), 2)
		for name, change := range map[string]func(){
			"start":   func() { s.Start("a") },
			"finish":  func() { s.Finish("a") },
			"status":  func() { s.StatusCode(200) },
			"stray":   func() { s.Finish("ghost") },
			"counter": func() { s.Counter("c").Inc() },
			"gauge":   func() { s.Gauge("g").Set(0) },
			"timer":   func() { s.Timer("t").Observe(0) },
			"unique":  func() { s.Unique("u").Add("x") },
		} {
			n := saves(store)
			change()
			time.Sleep(1100 * ms)
			check(t, "saves after "+name, saves(store) > n, true)
			n = saves(store)
			time.Sleep(2000 * ms)
			check(t, "idle after "+name, saves(store), n)
		}
	})
}

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		defer closeOK(t, s)
		counter, gauge, timer, unique := s.Counter("c"), s.Gauge("g"), s.Timer("t"), s.Unique("u")
		counter.Inc()
		gauge.Set(3)
		timer.Observe(time.Second)
		unique.Add("x")
		script(t, s, "Sa", "Sold", "Fa", 200, "Fghost")
		before := s.Begin()
		time.Sleep(time.Minute)
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := stats.Load(t.Context(), store, stats.Key(crawl, "")); !errors.Is(err, kvstore.ErrNotFound) {
			t.Errorf("the record is still there: %v", err)
		}
		a := s.Snapshot()
		check(t, "counts", []int64{a.Started, a.Finished, a.InFlight, a.Unmatched, int64(len(a.StatusCodes)), a.Counters["c"], a.Timers["t"].Count, a.Uniques["u"]}, make([]int64, 8))
		check(t, "generation", a.Generation, uint64(1))
		check(t, "since", a.Since, time.Now().Round(0).UTC())
		check(t, "runtime", a.Runtime, time.Duration(0))
		check(t, "history", len(a.History.Seconds), 0)

		before.Finish()
		script(t, s, "Fold")
		counter.Inc()
		gauge.Set(4)
		timer.Observe(time.Second)
		unique.Add("x")
		script(t, s, "Sa", "Fa")
		a = s.Snapshot()
		check(t, "after", []int64{a.Started, a.Finished, a.InFlight, a.Unmatched, a.Counters["c"], a.Timers["t"].Count, a.Uniques["u"]}, []int64{1, 1, 0, 2, 1, 1, 1})
		if err := a.Balanced(); err != nil {
			t.Error(err)
		}
	})
}

func TestStoreDownAtOpen(t *testing.T) {
	store := kvstoretest.NewFaulty(kvstore.NewMemory())
	store.Inject(kvstoretest.Fault{Err: kvstore.ErrUnavailable})
	if s, err := stats.Open(t.Context(), stats.Config{ID: crawl, Store: store}); s != nil || !errors.Is(err, kvstore.ErrUnavailable) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestStoreThatFailsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(records)
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, Logger: log.logger(), LogEvery: -1})
		failSaves(store, kvstore.ErrNoSpace)
		for range 30 {
			script(t, s, "Sa", time.Second, "Fa")
		}
		check(t, "warnings while it fails", log.count("WARN"), 1)
		check(t, "health", errors.Is(s.Health().Err, kvstore.ErrNoSpace) && s.Health().Failures > 5, true)
		store.Heal()
		script(t, s, "Sa", 2500*ms, "Fa") // between two checkpoints
		check(t, "warnings in all", log.count("WARN"), 2)
		check(t, "health again", s.Health().Err, nil)
		check(t, "newest state", load(t, store).Finished, int64(30))
		closeOK(t, s)
	})
}

// A store that never answers costs nobody a request, and Close ends by its
// deadline.
func TestStoreThatBlocksForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		store := kvstoretest.NewFaulty(deaf{kvstore.NewMemory(), release})
		s := open(t, stats.Config{Store: store, LogEvery: -1, CloseTimeout: 3 * time.Second})
		for i := range 100 {
			s.Start(fmt.Sprint(i))
			time.Sleep(100 * ms)
			s.Finish(fmt.Sprint(i))
		}
		check(t, "finished", s.Snapshot().Finished, int64(100))
		check(t, "history goes on", len(s.Snapshot().History.Seconds) >= 9, true)
		start := time.Now()
		err := s.Close()
		check(t, "reported", errors.Is(err, kvstore.ErrUnavailable) || errors.Is(err, kvstore.ErrUnknown), true)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("Close took %v", took)
		}
		close(release)
	})
}

// deaf accepts the claim and then no save, whatever the context says.
type deaf struct {
	*kvstore.Memory
	release chan struct{}
}

func (d deaf) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	if prev != 0 {
		<-d.release
	}
	return d.Memory.Save(ctx, key, value, prev)
}

func TestNewerSchemaIsNeverOverwritten(t *testing.T) {
	store := kvstore.NewMemory()
	const front, back = "CSTAT1 schema=99 epoch=1 seq=1 owner=x enc=json len=2", " at=2026-01-01T00:00:00Z\n{}"
	record := fmt.Appendf(nil, "%s crc32c=%08x%s", front, crc32.Checksum([]byte(front+back), crc32.MakeTable(crc32.Castagnoli)), back)
	rev, err := store.Save(t.Context(), stats.Key(crawl, ""), record, 0)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := stats.Open(t.Context(), stats.Config{ID: crawl, Store: store}); s != nil || !errors.Is(err, stats.ErrNewerSchema) {
		t.Errorf("%v, %v", s, err)
	}
	item, err := store.Load(t.Context(), stats.Key(crawl, ""))
	if err != nil || item.Rev != rev {
		t.Errorf("the record was touched: %v", err)
	}
}

func TestRecordOfCrawleeIsFound(t *testing.T) {
	for _, prefix := range []string{"__CRAWLER_STATISTICS_", "SDK_CRAWLER_STATISTICS_", "CRAWLEE_CRAWLER_STATISTICS_"} {
		store := kvstore.NewMemory()
		if _, err := store.Save(t.Context(), prefix+crawl, []byte(`{"requestsFinished":3,"requestsFailed":1}`), 0); err != nil {
			t.Fatal(err)
		}
		s := open(t, stats.Config{Store: store})
		a := s.Snapshot()
		check(t, prefix, []int64{a.Finished, a.Failed, a.Started}, []int64{3, 1, 4})
		closeOK(t, s)
		check(t, "saved as ours", load(t, store).Finished, int64(3))
	}
}

func TestKeys(t *testing.T) {
	check(t, "plain", stats.Key("shop-1_A", ""), "__CRAWLER_STATISTICS_shop-1_A")
	check(t, "member", stats.Key("shop", "w/1"), "__CRAWLER_STATISTICS_shop/m/w=2F1")
	check(t, "odd", stats.Key("a b=é", ""), "__CRAWLER_STATISTICS_a=20b=3D=C3=A9")
}

func TestTwoOwnersInOneProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		var told []string
		store, log := kvstore.NewMemory(), new(records)
		older := open(t, stats.Config{Store: store, Events: &bus, Logger: log.logger()})
		events.Subscribe(&bus, func(_ context.Context, e events.Superseded) error {
			told = append(told, e.Key)
			return older.Close() // from inside the handler
		})
		script(t, older, "Sa", "Fa")
		time.Sleep(2 * time.Second)

		newer := open(t, stats.Config{Store: store})
		check(t, "taken over", newer.Snapshot().Finished, int64(1))
		script(t, older, "Sb", "Fb")
		script(t, newer, "Sc", "Fc", "Sd", "Fd")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		check(t, "told", told, []string{stats.Key(crawl, "")})
		check(t, "warned", log.count("WARN") >= 1, true)
		check(t, "health", older.Health().Superseded, true)
		if err := older.Persist(t.Context()); !errors.Is(err, stats.ErrClosed) {
			t.Errorf("Persist: %v", err)
		}
		check(t, "older counts on", older.Snapshot().Finished, int64(2))
		closeOK(t, newer)
		check(t, "record of the newer", load(t, store).Finished, int64(3))
	})
}

func TestSupersededPersistAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		older := open(t, stats.Config{Store: store})
		newer := open(t, stats.Config{Store: store})
		script(t, older, "Sa", "Fa")
		for range 2 {
			if err := older.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
				t.Errorf("Persist: %v", err)
			}
		}
		if err := older.Reset(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
			t.Errorf("Reset: %v", err)
		}
		if err := older.Close(); !errors.Is(err, stats.ErrSuperseded) {
			t.Errorf("Close: %v", err)
		}
		closeOK(t, newer)
	})
}

// An answer that gets lost is settled by reading: the save was applied.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, PersistEvery: time.Hour})
		for range 3 {
			script(t, s, "Sa", "Fa")
			store.Inject(kvstoretest.Fault{Op: kvstoretest.Save, Nth: 1, Applied: true, Err: kvstore.ErrUnknown})
			if err := s.Persist(t.Context()); err != nil {
				t.Error(err)
			}
		}
		check(t, "record", load(t, store).Finished, int64(3))
		closeOK(t, s)
	})
}

// A record that somebody garbles while the crawl runs is put aside, and the
// newest state takes its place.
func TestRecordGarbledMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, key := kvstore.NewMemory(), stats.Key(crawl, "")
		s := open(t, stats.Config{Store: store})
		item, err := store.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Save(t.Context(), key, []byte("garbage"), item.Rev); err != nil {
			t.Fatal(err)
		}
		script(t, s, "Sa", "Fa")
		if err := s.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, "record", load(t, store).Finished, int64(1))
		var aside int
		for range store.List(t.Context(), key+"/x/bad-") {
			aside++
		}
		check(t, "put aside", aside, 1)
		closeOK(t, s)
	})
}

func TestStoreClosedTooEarly(t *testing.T) {
	store := kvstore.NewMemory()
	s := open(t, stats.Config{Store: store, LogEvery: -1})
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Start("a")
	if err := s.Close(); !errors.Is(err, kvstore.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
}

func TestCloseSavesInAPanic(t *testing.T) {
	store := kvstore.NewMemory()
	func() {
		defer func() { _ = recover() }()
		s := open(t, stats.Config{Store: store, LogEvery: -1})
		defer s.Close()
		s.Start("a")
		s.Finish("a")
		panic("the crawler is broken")
	}()
	check(t, "record", load(t, store).Finished, int64(1))
}

func TestCloseIsIdempotentAndNilSafe(t *testing.T) {
	var none *stats.Statistics
	closeOK(t, none)
	closeOK(t, stats.New())
	s := open(t, stats.Config{Store: kvstore.NewMemory(), LogEvery: -1})
	closeOK(t, s)
	closeOK(t, s)
	if err := s.Persist(t.Context()); !errors.Is(err, stats.ErrClosed) {
		t.Errorf("Persist after Close: %v", err)
	}
	if err := s.Reset(t.Context()); !errors.Is(err, stats.ErrClosed) {
		t.Errorf("Reset after Close: %v", err)
	}
}

func TestEventsCheckpointBeforePublishReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store, Events: &bus, PersistEvery: time.Hour})
		var want int64
		for _, publish := range []func() error{
			func() error { return events.Publish(t.Context(), &bus, events.PersistState{}) },
			func() error { return events.Publish(t.Context(), &bus, events.Migrating{}) },
			func() error { return events.Publish(t.Context(), &bus, events.Aborting{}) },
			func() error { return events.Publish(t.Context(), &bus, events.Exit{}) },
		} {
			script(t, s, "Sa", "Fa")
			want++
			if err := publish(); err != nil {
				t.Error(err)
			}
			check(t, "record", load(t, store).Finished, want)
		}
		closeOK(t, s)
	})
}

func TestRequestEventsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		s, other := open(t, stats.Config{Events: &bus}), open(t, stats.Config{ID: "other", Events: &bus})
		publish(t, &bus, events.RequestStarted{Crawler: crawl, ID: "a", Host: "h", URL: "http://h/"})
		publish(t, &bus, events.StatusReceived{Crawler: crawl, ID: "a", Code: 503})
		publish(t, &bus, events.RequestRetried{Crawler: crawl, ID: "a", Err: errAny})
		publish(t, &bus, events.RequestFailed{Crawler: crawl, ID: "a", Err: errAny})
		publish(t, &bus, events.RequestStarted{ID: "b", Retries: 2})
		publish(t, &bus, events.RequestFinished{ID: "b"})
		publish(t, &bus, events.RequestStarted{ID: "c"})
		publish(t, &bus, events.RequestDiscarded{ID: "c", Reason: "robots"})
		a, o := s.Snapshot(), other.Snapshot()
		check(t, "mine", []int64{a.Started, a.Finished, a.Failed, a.Discards[stats.DiscardRobots], a.StatusCodes[503], a.Hosts[0].Failed}, []int64{3, 1, 1, 1, 1, 1})
		check(t, "histogram", a.RetryHistogram, []int64{0, 1, 1})
		check(t, "other's", []int64{o.Started, o.Finished, o.Failed, o.Discarded}, []int64{2, 1, 0, 1})
		closeOK(t, s)
		closeOK(t, other)
	})
}

func TestCloseFromInsideAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store, Events: &bus})
		events.Subscribe(&bus, func(context.Context, events.Aborting) error { return s.Close() })
		script(t, s, "Sa", "Fa")
		publish(t, &bus, events.Aborting{})
		check(t, "record", load(t, store).FinishedAt.IsZero(), false)
	})
}

func TestResumedLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := kvstore.NewMemory(), new(records)
		s := open(t, stats.Config{Store: store, Logger: log.logger()})
		check(t, "first run", log.count("INFO"), 0)
		script(t, s, "Sa", "Fa", "Sb")
		closeOK(t, s)
		log = new(records)
		s = open(t, stats.Config{Store: store, Logger: log.logger()})
		line := log.lines()[0]
		check(t, "line", []any{len(log.lines()), line["msg"], line["finished"], line["interrupted"], line["clean"]}, []any{1, "resumed", 1.0, 1.0, true})
		closeOK(t, s)
	})
}

func TestExtensionTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		queue, err := stats.Extend(s, "queue", []string{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		small, err := stats.Extend(s, "small", 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		queue.Update(func(q *[]string) { *q = []string{"fits"} })
		if err := s.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		queue.Update(func(q *[]string) { *q = []string{strings.Repeat("x", 20<<10)} })
		small.Update(func(n *int) { *n = 2 })
		script(t, s, "Sa", "Fa")
		if err := s.Persist(t.Context()); !errors.Is(err, stats.ErrTooLarge) || !strings.Contains(err.Error(), "queue") {
			t.Errorf("Persist: %v", err)
		}
		a := load(t, store)
		check(t, "the rest is saved", a.Finished, int64(1))
		n, _ := stats.ExtensionOf[int](a, "small", nil)
		check(t, "the small one too", n, 2)
		q, _ := stats.ExtensionOf[[]string](a, "queue", nil)
		check(t, "the large one as it was", q, []string{"fits"})
		if err := s.Close(); !errors.Is(err, stats.ErrTooLarge) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestExtensionThatNobodyAsksForIsCarriedThrough(t *testing.T) {
	store := kvstore.NewMemory()
	s := open(t, stats.Config{Store: store, LogEvery: -1})
	if _, err := stats.Extend(s, "cursor", map[string]int{"page": 7}, nil); err != nil {
		t.Fatal(err)
	}
	closeOK(t, s)
	closeOK(t, open(t, stats.Config{Store: store, LogEvery: -1}))
	s = open(t, stats.Config{Store: store, LogEvery: -1})
	e, err := stats.Extend(s, "cursor", map[string]int{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "value", e.Value(), map[string]int{"page": 7})
	closeOK(t, s)
}

// ownForm has no exported field and a JSON of its own, which begins empty.
type ownForm struct{ seen map[string]bool }

func (o ownForm) MarshalJSON() ([]byte, error) {
	return json.Marshal(maps.Collect(maps.All(o.seen)))
}

func (o *ownForm) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.seen) }

func TestExtendRefuses(t *testing.T) {
	s := stats.New()
	if _, err := stats.Extend(s, "channel", make(chan int), nil); err == nil {
		t.Error("a channel")
	}
	if _, err := stats.Extend(s, "hidden", struct {
		X json.Number
	}{"1e999x"}, nil); err == nil {
		t.Error("a value that JSON refuses")
	}
	type queue struct{ urls []string }
	if _, err := stats.Extend(s, "queue", queue{urls: []string{"/"}}, nil); err == nil {
		t.Error("a struct without exported fields")
	}
	if _, err := stats.Extend(s, "none", struct{}{}, nil); err != nil {
		t.Error(err)
	}
	if _, err := stats.Extend(s, "own form", ownForm{}, nil); err != nil {
		t.Error(err)
	}
	if _, err := stats.Extend(s, "", 1, nil); err == nil {
		t.Error("no name")
	}
	if _, err := stats.Extend(s, "a\nb", 1, nil); err == nil {
		t.Error("a control character in the name")
	}
}

func TestReservedAndHostileInstrumentNames(t *testing.T) {
	s := stats.New()
	s.Counter("http.conn.accept.success").Inc()
	s.Counter("").Inc()
	s.Counter("dup", stats.Label{Key: "a", Value: "1"}, stats.Label{Key: "a", Value: "2"}).Inc()
	s.Counter("ok", stats.Label{Key: "b", Value: "2\n\"\\"}, stats.Label{Key: "a", Value: "1"}).Inc()
	s.Counter("ok", stats.Label{Key: "a", Value: "1"}, stats.Label{Key: "b", Value: "2\n\"\\"}).Inc()
	for i := range 10_000 {
		s.Counter(fmt.Sprint("name", i)).Inc()
	}
	a := s.Snapshot()
	var total int64
	for key, n := range a.Counters {
		total += n
		if strings.ContainsAny(key, "\n\x00") {
			t.Errorf("key %q", key)
		}
	}
	check(t, "total", total, int64(10_005))
	check(t, "bounded", len(a.Counters) <= 201, true)
	check(t, "refused are visible", []bool{a.Counters["custom.other"] > 9_000, a.Dropped > 9_000}, []bool{true, true})
	check(t, "one key for both orders", a.Counters[`ok{a="1",b="2\\n\"\\"}`]+a.Counters["ok{a=\"1\",b=\"2\\\\x0a\\\"\\\\\"}"] == 2, true)
}

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]stats.Config{
		"ID":           {Store: kvstore.NewMemory()},
		"Key":          {ID: "a", Key: "k", Member: "m"},
		"PersistEvery": {PersistEvery: -1},
		"CloseTimeout": {CloseTimeout: -1},
		"MaxInFlight":  {MaxInFlight: -1},
		"MaxHosts":     {MaxHosts: -1},
		"Persist":      {Persist: 7},
	} {
		if _, err := stats.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWindowDoesNotBalance(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa", "Sb")
		before := s.Snapshot()
		script(t, s, "Xb", "Sc", "Fc")
		w := s.Snapshot().Sub(before)
		check(t, "window", []int64{w.Started, w.Finished, w.Failed}, []int64{1, 1, 1})
		if err := w.Balanced(); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("Balanced: %v", err)
		}
	})
}
