package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/stats"
)

// The behaviour of Crawlee's Statistics, case by case, with its bugs mended.
// Cases about records and about text stand beside the code they are about. Some
// have no counterpart: there is no half-open object, Close is idempotent, the bus
// is always ready, its listeners run one after the other, and messages are masked
// one by one, so that nothing depends on the order they come in.

const ms = time.Millisecond

var errAny = errors.New("it did not work")

// script plays the notation of the cases: S F X C + in a fake clock.
func script(t *testing.T, s *stats.Statistics, steps ...any) {
	t.Helper()
	for i := 0; i < len(steps); i++ {
		switch step := steps[i].(type) {
		case time.Duration:
			time.Sleep(step)
		case int:
			s.StatusCode(step)
		case string:
			id := step[1:]
			switch step[0] {
			case 'S':
				s.Start(id)
			case 'F':
				s.Finish(id)
			case 'X':
				s.Fail(id, errAny)
			case 'R':
				s.Retry(id, errAny)
			default:
				t.Fatalf("step %q", step)
			}
		}
	}
}

// bubble runs fn with a fake clock and a Statistics in memory.
func bubble(t *testing.T, fn func(t *testing.T, s *stats.Statistics)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(t, stats.New()) })
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestOneRequest(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", 120*ms, "Fa")
		a := s.Snapshot()
		check(t, "counts", []int64{a.Finished, a.Failed, a.Total(), a.Retries}, []int64{1, 0, 1, 0})
		d := a.FinishedDuration
		check(t, "durations", []time.Duration{d.Min, d.Max, d.Average(), d.Sum}, []time.Duration{120 * ms, 120 * ms, 120 * ms, 120 * ms})
		check(t, "histogram", a.RetryHistogram, []int64{1})
	})
}

func TestUnknownID(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Fghost", "Xghost")
		a := s.Snapshot()
		check(t, "counts", []int64{a.Started, a.Finished, a.Failed, a.Unmatched}, []int64{0, 0, 0, 2})
	})
}

func TestSettledTwice(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa", "Fa", "Xa")
		a := s.Snapshot()
		check(t, "counts", []int64{a.Finished, a.Failed, a.Unmatched}, []int64{1, 0, 2})
	})
}

func TestKnownIDStartedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sb", 80*ms, "Sb", 40*ms, "Fb")
		a := s.Snapshot()
		check(t, "counts", []int64{a.Finished, a.Retries, a.Attempts}, []int64{1, 1, 2})
		check(t, "duration", a.FinishedDuration.Sum, 40*ms)
		check(t, "histogram", a.RetryHistogram, []int64{0, 1})
	})
}

func TestSettledIDsAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa", "Sa", "Fa")
		a := s.Snapshot()
		check(t, "counts", []int64{a.Finished, a.Retries}, []int64{2, 0})
		check(t, "histogram", a.RetryHistogram, []int64{2})
	})
}

func TestMinAndMaxAreOfFinishedOnly(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", 120*ms, "Fa", "Sb", 1*ms, "Fb", "Sc", 300*ms, "Xc", "Sd", 40*ms, "Fd")
		a := s.Snapshot()
		check(t, "finished", []time.Duration{a.FinishedDuration.Min, a.FinishedDuration.Max, a.FinishedDuration.Sum}, []time.Duration{1 * ms, 120 * ms, 161 * ms})
		check(t, "failed", a.FailedDuration.Sum, 300*ms)
		check(t, "average", a.FinishedDuration.Average().Round(time.Microsecond), 53667*time.Microsecond)
	})
}

func TestAverages(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "S0", 1*ms, "S1", 1*ms, "S2", 2*ms, "F1", 1*ms, "X0", 10*ms, "F2", 10*ms)
		a := s.Snapshot()
		sum := a.Summary()
		check(t, "averages", []time.Duration{*sum.RequestAvgFailedDuration, *sum.RequestAvgFinishedDuration}, []time.Duration{5 * ms, 8 * ms})
		check(t, "total duration", sum.RequestTotalDuration, 21*ms)
		check(t, "total", sum.RequestsTotal, int64(3))
		check(t, "histogram", sum.RetryHistogram, []int64{3})
		check(t, "runtime", sum.CrawlerRuntime, 25*ms)
		check(t, "rates", []float64{sum.RequestsFinishedPerMinute, sum.RequestsFailedPerMinute}, []float64{4800, 2400})
	})
}

func TestGivenRetries(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		for i := range 3 {
			j := s.BeginWith(stats.Request{Retries: i})
			j.Finish()
		}
		for i := range 3 {
			id := fmt.Sprint(i)
			s.StartWith(id, stats.Request{Retries: i})
			s.Finish(id)
		}
		a := s.Snapshot()
		check(t, "histogram", a.RetryHistogram, []int64{2, 2, 2})
		check(t, "retries", a.Retries, int64(4))
	})
}

func TestDenseHistogram(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		j := s.BeginWith(stats.Request{Retries: 3})
		j.Fail(errAny)
		check(t, "live", s.Snapshot().RetryHistogram, []int64{0, 0, 0, 1})
		record, err := s.Snapshot().Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := stats.Decode(record)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "persisted", back.RetryHistogram, []int64{0, 0, 0, 1})
	})
}

func TestStatusCodes(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, 200, 200, 404)
		a := s.Snapshot()
		check(t, "codes", a.StatusCodes, map[int]int64{200: 2, 404: 1})
		check(t, "requests", []int64{a.Started, a.Finished, a.Failed, a.Attempts}, []int64{0, 0, 0, 0})
	})
}

func TestCodesCountResponses(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", 503, "Ra", "Sa", 503, "Ra", "Sa", 503, "Xa")
		j := s.Begin()
		for range 2 {
			j.StatusCode(503)
			j.Retry(errAny)
		}
		j.StatusCode(503)
		j.Fail(errAny)
		a := s.Snapshot()
		check(t, "codes", a.StatusCodes, map[int]int64{503: 6})
		check(t, "attempts", []int64{a.Attempts, a.Started, a.Failed}, []int64{6, 2, 2})
	})
}

func TestRatesAreRoundedAsInCrawlee(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa", "Sa", "Fa", "Sa", "Fa", "Sx", "Xx", 90*time.Second)
		sum := s.Calculate()
		check(t, "rates", []float64{sum.RequestsFinishedPerMinute, sum.RequestsFailedPerMinute}, []float64{2, 0})
		a := s.Snapshot()
		check(t, "exact rate", a.FinishedPerMinute(), 2.0)
	})
}

func TestRatesWithoutRuntime(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa")
		sum := s.Calculate()
		check(t, "rates", []float64{sum.RequestsFinishedPerMinute, sum.RequestsFailedPerMinute}, []float64{0, 0})
		text, err := json.Marshal(sum)
		if err != nil || strings.Contains(string(text)+sum.String(), "Inf") || strings.Contains(string(text)+sum.String(), "NaN") {
			t.Errorf("%s\n%s\n%v", text, sum, err)
		}
	})
}

func TestNothingToAverage(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		sum := s.Calculate()
		if sum.RequestAvgFinishedDuration != nil || sum.RequestAvgFailedDuration != nil {
			t.Errorf("averages of nothing: %v", sum)
		}
		text, _ := json.Marshal(sum)
		if !strings.Contains(string(text), `"request_avg_finished_duration":null`) {
			t.Errorf("%s", text)
		}
	})
}

func TestZeroDuration(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Fa")
		a := s.Snapshot()
		avg := a.Summary().RequestAvgFinishedDuration
		if avg == nil || *avg != 0 || a.FinishedDuration.Min != 0 || a.FinishedDuration.Max != 0 || a.FinishedDuration.Count != 1 {
			t.Errorf("durations %+v, average %v", a.FinishedDuration, avg)
		}
	})
}

func TestNoRoundingOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		for range 10 {
			s := open(t, stats.Config{Store: store})
			for range 100 {
				script(t, s, "Sa", 400*time.Microsecond, "Fa")
			}
			closeOK(t, s)
		}
		a := load(t, store)
		check(t, "sum", a.FinishedDuration.Sum, 400*ms)
		check(t, "count", a.Finished, int64(1000))
	})
}

func TestCallsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, stats.Config{Store: kvstore.NewMemory()})
		inFlight := s.Begin()
		closeOK(t, s)
		before := s.Snapshot()
		inFlight.Finish()
		j := s.Begin()
		j.Finish()
		script(t, s, "Sa", "Fa", "Ra", 200)
		s.Observe(stats.Outcome{})
		after := s.Snapshot()
		check(t, "late", after.Late, int64(7))
		after.Late = 0
		check(t, "everything else", snapshotJSON(t, after), snapshotJSON(t, before))
	})
}

func TestFrozenAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, stats.Config{})
		script(t, s, "Sa", time.Second, "Fa")
		closeOK(t, s)
		first := s.Calculate()
		time.Sleep(time.Hour)
		check(t, "an hour later", s.Calculate(), first)
	})
}

func TestRuntimeStartsWithOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := stats.Config{Store: kvstore.NewMemory()}
		time.Sleep(time.Hour)
		s := open(t, cfg)
		defer closeOK(t, s)
		time.Sleep(10 * time.Second)
		check(t, "runtime", s.Snapshot().Runtime, 10*time.Second)
	})
}

func TestResetKeepsOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(records)
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store, Logger: log.logger(), LogMessage: "mine", LogEvery: 10 * time.Second, MaxErrorGroups: 1, MaxInFlight: 1})
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		script(t, s, "Sa", "Sb", "Xa")
		time.Sleep(11 * time.Second)
		check(t, "overflow", s.Snapshot().Overflow, int64(1))
		if !log.contains("mine") {
			t.Error("no periodic line with the message after Reset")
		}
		closeOK(t, s)
		check(t, "record", load(t, store).Failed, int64(1))
	})
}

func TestResetClearsErrors(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		script(t, s, "Sa", "Ra", "Xa")
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := s.Snapshot()
		check(t, "errors", []int{len(a.Errors), len(a.RetryErrors), len(a.ErrorKinds), len(a.FailedKinds)}, []int{0, 0, 0, 0})
	})
}

func TestSecondRunAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		script(t, s, "Sa", "Fa", "Sa", "Fa", "Sx", time.Second, "Xx")
		closeOK(t, s)
		first := load(t, store)

		time.Sleep(time.Hour)
		s = open(t, stats.Config{Store: store})
		a := s.Snapshot()
		check(t, "at once", []int64{a.Finished, a.Failed}, []int64{2, 1})
		check(t, "started", a.StartedAt, first.StartedAt)
		check(t, "finished at", a.FinishedAt.IsZero(), true)
		script(t, s, "Sa", time.Second, "Fa")
		closeOK(t, s)
		second := load(t, store)
		check(t, "in the end", []int64{second.Finished, second.Failed}, []int64{3, 1})
		check(t, "later", second.FinishedAt.After(first.FinishedAt), true)
	})
}

func TestStatusCodesSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		script(t, s, 200, 200, 404)
		closeOK(t, s)
		s = open(t, stats.Config{Store: store})
		defer closeOK(t, s)
		check(t, "codes", s.Snapshot().StatusCodes, map[int]int64{200: 2, 404: 1})
	})
}

func TestPersistEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store, Events: &bus, PersistEvery: time.Hour})
		defer closeOK(t, s)
		time.Sleep(5 * time.Second)
		script(t, s, "Sa", "Fa", 200)
		if err := events.Publish(t.Context(), &bus, events.PersistState{}); err != nil {
			t.Fatal(err)
		}
		a := load(t, store)
		check(t, "counters", []int64{a.Finished, a.StatusCodes[200]}, []int64{1, 1})
		check(t, "finished at", a.FinishedAt.IsZero(), true)
		check(t, "persisted at", a.PersistedAt, time.Now().Round(0).UTC())
	})
}

func TestManual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, Events: &bus, Persist: stats.PersistManual})
		script(t, s, "Sa", "Fa")
		publish(t, &bus, events.PersistState{})
		time.Sleep(time.Minute)
		check(t, "saves before Persist", saves(store), 0)
		if err := s.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, "saves after Persist", saves(store), 1)
		script(t, s, "Sa", "Fa")
		closeOK(t, s)
		check(t, "saves after Close", saves(store), 1)
		check(t, "record", load(t, store).Finished, int64(1))
	})
}

func TestOffCallsNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, Events: &bus, Persist: stats.PersistOff})
		script(t, s, "Sa", "Fa")
		publish(t, &bus, events.PersistState{})
		time.Sleep(time.Minute)
		if err := s.Persist(t.Context()); !errors.Is(err, stats.ErrNoStore) {
			t.Errorf("Persist: %v", err)
		}
		if err := s.Reset(t.Context()); err != nil {
			t.Error(err)
		}
		closeOK(t, s)
		check(t, "calls", calls(store), 0)
	})
}

func TestKeysAreIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		for range 2 { // the second time in the other order
			a, b := open(t, stats.Config{ID: "a", Store: store}), open(t, stats.Config{ID: "b", Store: store})
			script(t, a, "S1", "F1")
			closeOK(t, b)
			closeOK(t, a)
		}
		b, a := open(t, stats.Config{ID: "b", Store: store}), open(t, stats.Config{ID: "a", Store: store})
		check(t, "finished", []int64{a.Snapshot().Finished, b.Snapshot().Finished}, []int64{2, 0})
		closeOK(t, a)
		closeOK(t, b)
	})
}

func TestNoListenerLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		for range 2 {
			s := open(t, stats.Config{Store: store, Events: &bus})
			check(t, "listeners", events.Subscribers[events.PersistState](&bus), 1)
			closeOK(t, s)
			check(t, "listeners after Close", events.Subscribers[events.PersistState](&bus), 0)
			n := saves(store)
			publish(t, &bus, events.PersistState{})
			publish(t, &bus, events.RequestStarted{ID: "late"})
			check(t, "saves after Close", saves(store), n)
			check(t, "late", s.Snapshot().Late, int64(0))
		}
	})
}

func TestDowntimeIsNoRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		s := open(t, stats.Config{Store: store})
		script(t, s, "Sa", "Fa", "Sa", "Fa", "Sa", "Fa", 90*time.Second)
		closeOK(t, s)
		time.Sleep(time.Hour)
		s = open(t, stats.Config{Store: store})
		defer closeOK(t, s)
		check(t, "runtime", s.Snapshot().Runtime, 90*time.Second)
		check(t, "rate", s.Calculate().RequestsFinishedPerMinute, 2.0)
	})
}

func TestBadRecord(t *testing.T) {
	for _, bad := range []string{
		`{"requestsFinished":"plenty"}`, `null`, `[]`, `{"requestsFinished":`, ``, "CSTAT1 schema=1", "\x00\xff", `{"requestsFinished":-3}`,
	} {
		t.Run(bad, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := new(records)
				store := kvstore.NewMemory()
				if _, err := store.Save(t.Context(), stats.Key(crawl, ""), []byte(bad), 0); err != nil {
					t.Fatal(err)
				}
				s := open(t, stats.Config{Store: store, Logger: log.logger()})
				check(t, "finished", s.Snapshot().Finished, int64(0))
				if n := log.count("WARN"); n != 1 || !log.contains(stats.Key(crawl, "")) {
					t.Errorf("%d warnings, want one that names the key:\n%s", n, log)
				}
				script(t, s, "Sa", "Fa")
				closeOK(t, s)
				check(t, "saved over it", load(t, store).Finished, int64(1))
				var kept []string
				for key, err := range store.List(t.Context(), stats.Key(crawl, "")+"/x/bad-") {
					item, err2 := store.Load(t.Context(), key)
					if err != nil || err2 != nil {
						t.Fatal(err, err2)
					}
					kept = append(kept, string(item.Value))
				}
				check(t, "kept aside", kept, []string{bad})
			})
		})
	}
}

func TestStoreFailsAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstoretest.NewFaulty(kvstore.NewMemory())
		s := open(t, stats.Config{Store: store, PersistEvery: time.Hour})
		script(t, s, "Sa", "Fa")
		failSaves(store, kvstore.ErrUnavailable)
		if err := s.Close(); !errors.Is(err, kvstore.ErrUnavailable) {
			t.Errorf("Close: %v", err)
		}
		check(t, "finished", s.Calculate().RequestsFinished, int64(1))
		check(t, "inactive", s.Snapshot().FinishedAt.IsZero(), false)
	})
}

func TestExtensions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type cursor struct{ Pages []int }
		store, log := kvstore.NewMemory(), new(records)
		s := open(t, stats.Config{Store: store, Logger: log.logger()})
		def := cursor{Pages: []int{1, 2}}
		e, err := stats.Extend(s, "cursor", def, nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "default", e.Value(), def)
		e.Update(func(c *cursor) { c.Pages[0] = 7 })
		check(t, "the default is a copy", def.Pages[0], 1)
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, "after Reset", e.Value(), def)
		if _, err := stats.Extend(s, "cursor", 1, nil); err == nil {
			t.Error("the name was given twice")
		}
		other, err := stats.Extend(s, "other", 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		other.Update(func(n *int) { *n = 5 })
		closeOK(t, s)

		s = open(t, stats.Config{Store: store, Logger: log.logger()})
		defer closeOK(t, s)
		bad, err := stats.Extend(s, "cursor", "text", nil) // the record holds an object
		if err != nil || bad.Value() != "text" || log.count("WARN") != 1 {
			t.Errorf("value %q, error %v, %d warnings", bad.Value(), err, log.count("WARN"))
		}
		good, err := stats.Extend(s, "other", 1, nil)
		if err != nil || good.Value() != 5 {
			t.Errorf("value %d, error %v", good.Value(), err)
		}
	})
}

func TestPeriodicLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, periodic := new(records), new(records)
		s := open(t, stats.Config{Logger: log.logger(), PeriodicLogger: periodic.logger()})
		time.Sleep(50 * time.Second)
		check(t, "lines at 50 s", periodic.count("INFO"), 0)
		time.Sleep(10*time.Second + ms)
		check(t, "lines at 60.001 s", periodic.count("INFO"), 1)
		closeOK(t, s)
		check(t, "final lines", log.count("INFO"), 1)
		time.Sleep(time.Hour)
		check(t, "lines after Close", periodic.count("INFO"), 1)
	})
}

func TestErrorGroups(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		// Groups are made of kind and message alone: where an error was made and
		// its Go type do not tell errors apart, a kind of the caller's does.
		for _, err := range []error{
			errors.New("abc"), fmt.Errorf("abc"), errors.New("cde"), errors.New("Another value error efg"), errors.New(""),
			stats.WithKind(stats.KindParse, errors.New("abc")),
		} {
			j := s.Begin()
			j.Fail(err)
		}
		a := s.Snapshot()
		var total int64
		for _, g := range a.Errors {
			total += g.Count
		}
		check(t, "total and unique", []int64{total, int64(len(a.Errors))}, []int64{6, 5})
	})
}

func TestFirstOfAGroupIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		var opened []events.ErrorGroupOpened
		events.Subscribe(&bus, func(_ context.Context, e events.ErrorGroupOpened) error {
			opened = append(opened, e)
			return errors.New("the snapshot could not be taken")
		})
		log, store := new(records), kvstore.NewMemory()
		for range 2 { // a restart opens no group again
			s := open(t, stats.Config{Store: store, Events: &bus, Logger: log.logger()})
			for i := range 3 {
				j := s.BeginWith(stats.Request{URL: fmt.Sprintf("http://a/%d", i)})
				j.Fail(fmt.Errorf("no price on page %d", i))
			}
			closeOK(t, s)
		}
		if len(opened) != 1 || opened[0].Crawler != crawl || opened[0].URL != "http://a/0" || log.count("WARN") != 1 {
			t.Errorf("published %+v, %d warnings", opened, log.count("WARN"))
		}
		a := load(t, store)
		check(t, "counted", []int64{a.Failed, a.Errors[0].Count}, []int64{6, 6})
		check(t, "examples survive the merge", a.Errors[0].Examples, []string{"http://a/0", "http://a/1", "http://a/2"})
	})
}

func TestHundredThousandRetries(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		s.Start("a")
		for range 100_000 {
			s.Start("a")
		}
		s.Finish("a")
		a := s.Snapshot()
		check(t, "histogram", len(a.RetryHistogram), 65)
		check(t, "64 or more", a.RetryHistogram[64], int64(1))
		check(t, "attempts", a.Attempts, int64(100_001))
		record, err := a.Encode()
		if err != nil || len(record) > 16<<10 {
			t.Errorf("record of %d bytes, %v", len(record), err)
		}
	})
}

func TestDiscard(t *testing.T) {
	bubble(t, func(t *testing.T, s *stats.Statistics) {
		s.Start("a")
		s.Discard("a", stats.DiscardRobots)
		j := s.Begin()
		j.Discard("a reason that is not in the set")
		a := s.Snapshot()
		check(t, "discards", a.Discards, map[stats.DiscardReason]int64{stats.DiscardRobots: 1, stats.DiscardOther: 1})
		check(t, "counts", []int64{a.InFlight, a.Discarded, a.Finished, a.Failed, a.FinishedDuration.Count}, []int64{0, 2, 0, 0, 0})
	})
}

func TestChangeSinceTheLastLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(records)
		s := open(t, stats.Config{Logger: log.logger(), LogEvery: 10 * time.Second, LogInline: true})
		script(t, s, "Sa", "Xa", "Sb", "Xb", 11*time.Second)
		script(t, s, 10*time.Second)
		closeOK(t, s)
		since := log.values("failed_since")
		check(t, "failed since the line before", since, []string{"2", "0"})
	})
}

// TestStateModel and the nine options of the constructor: see FROM-CRAWLEE.
func TestSeed004_OptionsAndMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		inner, log, periodic := kvstore.NewMemory(), new(records), new(records)
		s, err := stats.Open(t.Context(), stats.Config{
			ID:             "seed",                   // names what persist_state_key names
			Events:         &bus,                     // event_manager
			Persist:        stats.PersistAuto,        // persistence_enabled
			Store:          kvstore.Named(inner, ""), // key_value_store, persist_state_kvs_name
			Key:            "mine",                   // persist_state_key
			LogMessage:     "Shop statistics",        // log_message
			Logger:         log.logger(),             //
			PeriodicLogger: periodic.logger(),        // periodic_message_logger
			LogEvery:       time.Minute,              // log_interval
		})
		if err != nil {
			t.Fatal(err)
		}
		items, err := stats.Extend(s, "items", 0, nil) // state_model
		if err != nil {
			t.Fatal(err)
		}
		items.Update(func(n *int) { *n += 3 })
		script(t, s, "Sa", "Fa", "Sb", "Xb", 200) // record_request_processing_*, register_status_code
		check(t, "calculate", s.Calculate().RequestsTotal, int64(2))
		time.Sleep(time.Minute)
		synctest.Wait()
		if !periodic.contains("Shop statistics") || log.contains("Shop statistics") {
			t.Error("the periodic line is not on the periodic logger alone")
		}
		closeOK(t, s) // __aexit__
		check(t, "listeners", events.Subscribers[events.PersistState](&bus), 0)
		if _, err := stats.Load(t.Context(), kvstore.Named(inner, "another"), "mine"); !errors.Is(err, kvstore.ErrNotFound) {
			t.Errorf("another store name meets the same record: %v", err)
		}
		a, err := stats.Load(t.Context(), kvstore.Named(inner, "default"), "mine")
		if err != nil {
			t.Fatal(err)
		}
		n, err := stats.ExtensionOf[int](a, "items", nil)
		check(t, "state model", n, 3)
		if err != nil || a.Finished != 1 || a.Failed != 1 {
			t.Errorf("%+v %v", a, err)
		}

		s, err = stats.Open(t.Context(), stats.Config{Store: kvstore.Named(inner, ""), Key: "mine", Logger: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Reset(t.Context()); err != nil { // reset
			t.Fatal(err)
		}
		if _, err := stats.Load(t.Context(), kvstore.Named(inner, ""), "mine"); !errors.Is(err, kvstore.ErrNotFound) {
			t.Errorf("the record is still there after Reset: %v", err)
		}
		closeOK(t, s)
	})
}
