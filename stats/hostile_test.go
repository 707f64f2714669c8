package stats_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// Everything a site can multiply at once: the record stays under 200 KB, totals
// are exact, and what did not fit is visible.
func TestBoundedWhateverTheSiteSends(t *testing.T) {
	s := stats.New()
	s.Start("patient")
	for range 100_000 {
		s.Retry("patient", errAny)
	}
	s.Finish("patient")
	for i := range 10_000 {
		s.Observe(stats.Outcome{Request: stats.Request{Host: fmt.Sprintf("%d.%s.example", i, strings.Repeat("x", 200))}, Duration: time.Duration(i) * ms})
	}
	for code := range 5_000 {
		s.StatusCode(code)
	}
	for i := range 4_000 {
		j := s.BeginWith(stats.Request{URL: "http://" + strings.Repeat("u", 5_000) + fmt.Sprint(i)})
		j.Fail(errors.New(letters(i) + strings.Repeat(" and so on", 500)))
	}
	for i := range 20 {
		id := fmt.Sprint(i, strings.Repeat("\x00\x1b[2J", 25_000))
		s.Start(id)
		s.Discard(id, stats.DiscardReason(id))
		s.Counter(id).Inc()
		s.Timer(id, stats.Label{Key: id, Value: id}).Observe(time.Second)
		s.Unique(id).Add(id)
	}

	a := s.Snapshot()
	record, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := stats.Decode(record)
	if err != nil {
		t.Fatal(err)
	}
	body := snapshotJSON(t, saved)
	if len(record) > 200<<10 || len(strings.Join(strings.Fields(body), "")) > 200<<10 {
		t.Errorf("record of %d bytes, body of %d", len(record), len(body))
	}
	for name, a := range map[string]stats.Snapshot{"counted": a, "saved": saved} {
		if err := a.Balanced(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check(t, name+" requests", []int64{a.Finished, a.Failed, a.Discarded, a.Attempts}, []int64{10_001, 4_000, 20, 114_021})
		var hosts, codes, errs int64
		for _, h := range a.Hosts {
			hosts += h.Finished
		}
		for _, n := range a.StatusCodes {
			codes += n
		}
		for _, g := range a.Errors {
			errs += g.Count
		}
		check(t, name+" hosts", hosts+a.HostsOther.Finished, int64(10_000))
		check(t, name+" codes", codes, int64(5_000))
		check(t, name+" errors", errs+a.ErrorsOther, int64(4_000))
		check(t, name+" what did not fit", a.HostsOther.Finished > 0 && a.StatusCodes[0] > 0 && a.ErrorsOther > 0, true)
		check(t, name+" 64 retries or more", a.RetryHistogram[64], int64(1))
		check(t, name+" reason", a.Discards[stats.DiscardOther], int64(20))
	}
	for _, raw := range []string{"\x1b", "\x00", "\u202e"} {
		if strings.Contains(body, raw) || strings.Contains(a.Summary().String(), raw) {
			t.Errorf("%q came through", raw)
		}
	}
}

// letters returns a word that no mask touches, different for each i.
func letters(i int) string {
	word := make([]byte, 6)
	for k := range word {
		word[k] = 'a' + byte(i%7)
		i /= 7
	}
	return string(word)
}

// The four event types of statsd, as instruments.
func TestSeed002_TimerIncrGaugeSet(t *testing.T) {
	s := stats.New()
	s.Timer("jobs.working").Observe(time.Second)
	s.Counter("jobs.ok").Inc()
	s.Gauge("queue").Set(3)
	s.Unique("servers").Add("a")
	a := s.Snapshot()
	check(t, "instruments", []any{a.Timers["jobs.working"].Count, a.Counters["jobs.ok"], a.Gauges["queue"], a.Uniques["servers"]}, []any{int64(1), int64(1), 3.0, int64(1)})
}

// mutate_requests_total{allowed,status_code}: a counter with two labels.
func TestSeed003_LabelledCounter(t *testing.T) {
	s := stats.New()
	count := func(allowed, code string) {
		s.Counter("mutate_requests", stats.Label{Key: "allowed", Value: allowed}, stats.Label{Key: "status_code", Value: code}).Inc()
	}
	count("False", "403")
	count("True", "202")
	count("True", "202")
	check(t, "counters", s.Snapshot().Counters, map[string]int64{
		`mutate_requests{allowed="False",status_code="403"}`: 1,
		`mutate_requests{allowed="True",status_code="202"}`:  2,
	})
}
