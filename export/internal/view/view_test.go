package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func open(t *testing.T, store kvstore.Store) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// second does so many requests in the next second.
func second(st *stats.Statistics, finished, failed int) {
	for range finished {
		st.Observe(stats.Outcome{Request: stats.Request{Host: "shop.example"}, Duration: 100 * time.Millisecond, StatusCode: 200})
	}
	for range failed {
		st.Observe(stats.Outcome{
			Request:  stats.Request{Host: "bad.example", URL: "https://bad.example/"},
			Duration: time.Second, StatusCode: 503, Err: stats.WithKind(stats.KindHTTP, errors.New("Service Unavailable")),
		})
	}
	time.Sleep(time.Second)
	synctest.Wait()
}

func look(st *stats.Statistics, track *Track) View {
	h := st.Health()
	return Of(Input{Snapshot: st.Snapshot(), ID: st.ID(), Now: time.Now(), Live: true, Health: &h, Track: track})
}

// Every odd crawl gives sentences instead of holes, and no number that is none.
func TestOddCrawls(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	begun := stats.Snapshot{StartedAt: now.Add(-time.Minute), Runtime: time.Minute, PersistedAt: now}
	with := func(f func(a *stats.Snapshot)) stats.Snapshot { a := begun; f(&a); return a }
	failed := stats.New()
	for range 40 {
		failed.Observe(stats.Outcome{Request: stats.Request{Host: "a.example"}, Duration: time.Second, Err: errors.New("no such page")})
	}
	crawlee, err := stats.Decode(mustRead(t, "../../../stats/testdata", "js-3.18.1-final.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in      Input
		state   State
		level   Level
		verdict string
	}{
		"nothing at all": {Input{}, NoData, Idle, "No request has been made yet."},
		"zero requests":  {Input{Snapshot: begun, Live: true}, Running, Idle, "No request has been made yet."},
		"finished, none": {Input{Snapshot: with(func(a *stats.Snapshot) { a.FinishedAt = now })}, Finished, Idle, "Finished without a single request."},
		"finished":       {Input{Snapshot: with(func(a *stats.Snapshot) { a.FinishedAt = now; a.Started, a.Finished = 5, 5 })}, Finished, OK, "Finished: 5 requests done, none failed."},
		"queue left": {Input{Snapshot: with(func(a *stats.Snapshot) {
			a.FinishedAt, a.Started, a.Finished, a.Failed = now, 50, 49, 1
			a.Gauges = map[string]float64{PendingGauge: 289}
		})}, Stopped, OK, "Stopped with 289 requests in the queue: 49 requests done, 1 failed (2.0 %)."},
		"all failed":       {Input{Snapshot: failed.Snapshot(), Live: true}, Running, Bad, "All 40 requests have failed. 100.0 % of the failed attempts are other “no such page”; 100.0 % of the failed requests are to a.example."},
		"died just now":    {Input{Gone: true, Snapshot: with(func(a *stats.Snapshot) { a.Started, a.InFlight, a.PersistedAt = 3, 3, now.Add(-2*time.Second) })}, Interrupted, Bad, "The crawl was interrupted: it ended without saving for the last time, and saved 2s ago. 3 requests are in flight."},
		"died":             {Input{Snapshot: with(func(a *stats.Snapshot) { a.Started, a.InFlight, a.PersistedAt = 3, 3, now.Add(-time.Hour) })}, Interrupted, Bad, "The crawl was interrupted: it ended without saving for the last time, and saved 1h 0m ago. 3 requests are in flight."},
		"saved just now":   {Input{Snapshot: with(func(a *stats.Snapshot) { a.Started, a.InFlight = 1, 1 })}, Running, OK, "0.0 % of 0 requests failed. 1 request is in flight."},
		"clock set back":   {Input{Snapshot: with(func(a *stats.Snapshot) { a.Started, a.InFlight, a.PersistedAt = 1, 1, now.Add(time.Hour) }), Live: true}, Running, OK, "0.0 % of 0 requests failed. 1 request is in flight."},
		"save failed":      {Input{Snapshot: begun, Live: true, Health: &stats.Health{Persisting: true, Err: errors.New("disk\nfull")}}, Running, Bad, `The state could not be saved yet: disk\x0afull`},
		"superseded":       {Input{Snapshot: begun, Live: true, Health: &stats.Health{Persisting: true, Superseded: true}}, Running, Bad, "Another process has taken the record over: this one counts on, but saves nothing."},
		"no worker":        {Input{Members: []stats.Member{}}, NoData, Idle, "No request has been made yet."},
		"all workers gone": {Input{Snapshot: begun, Members: []stats.Member{{Name: "a", State: stats.MemberSilent}}}, Interrupted, Bad, "No worker is running: 1 silent."},
		"no numbers": {Input{Snapshot: with(func(a *stats.Snapshot) {
			a.Gauges = map[string]float64{PendingGauge: math.Inf(1), PendingGauge + `{q="b"}`: math.NaN()}
			a.Started, a.Discarded, a.Discards = 1, 1, map[stats.DiscardReason]int64{"": 1}
		}), Live: true}, Running, OK, "0.0 % of 0 requests failed. 0 requests are in flight."},
		"record of Crawlee": {Input{Snapshot: crawlee}, Finished, Warn, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Now = now
			v := Of(c.in)
			if v.State != c.state || v.Verdict.Level != c.level || c.verdict != "" && v.Verdict.Text != c.verdict {
				t.Errorf("%s, %+v, want %s, %s, %q", v.State, v.Verdict, c.state, c.level, c.verdict)
			}
			checkWhole(t, v)
		})
	}
}

func mustRead(t *testing.T, folder, name string) []byte {
	t.Helper()
	var found []byte
	for _, dir := range []string{folder, folder + "/crawlee"} {
		if data, err := os.ReadFile(dir + "/" + name); err == nil {
			found = data
		}
	}
	if found == nil {
		t.Fatal("no " + name)
	}
	return found
}

var none = regexp.MustCompile(`\b(NaN|Inf|null|undefined|nil)\b`)

// checkWhole fails the test when a panel of v is empty without a sentence, or a
// number is none.
func checkWhole(t *testing.T, v View) {
	t.Helper()
	if _, err := json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	for i := range v.Tiles {
		v.Tiles[i].Spark = nil // has null where there was no process
	}
	if text, _ := json.Marshal(v); none.Match(text) {
		t.Errorf("%s in %s", none.Find(text), text)
	}
	for panel, p := range map[string]struct {
		rows  int
		empty string
	}{
		"status": {len(v.Status.Bars), v.Status.Empty}, "retries": {len(v.Retries.Bars), v.Retries.Empty},
		"discards": {len(v.Discards.Bars), v.Discards.Empty}, "errors": {len(v.Errors.Rows), v.Errors.Empty},
		"hosts": {len(v.Hosts.Rows) + len(v.Hosts.Text), v.Hosts.Empty}, "range": {len(v.Ranges[2].Rings), v.Ranges[2].Empty},
		"workers": {len(v.Members.Rows) + map[bool]int{true: 0, false: 1}[v.Members.Fleet], v.Members.Empty},
	} {
		if (p.rows == 0) != (p.empty != "") {
			t.Errorf("%s: %d rows, and the sentence %q", panel, p.rows, p.empty)
		}
	}
	texts := []string{v.Name, string(v.State), v.Progress.Text, v.Verdict.Text, string(v.Verdict.Level), v.Latency.Text}
	for _, tile := range v.Tiles {
		texts = append(texts, tile.Title, tile.Value, tile.Text)
	}
	for _, f := range v.Facts {
		texts = append(texts, f.Label, f.Text, string(f.Level))
	}
	if len(v.Tiles) != 6 || len(v.Facts) < 3 || slices.Contains(texts, "") {
		t.Errorf("something is empty: %q", texts)
	}
}

// The verdict compares the last minute with what was before, and names the cause.
func TestVerdictNamesTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t, kvstore.NewMemory())
		defer st.Close()
		var track Track
		run := func(seconds, finished, failed int) View {
			for range seconds {
				track.Look(st.Snapshot(), time.Now())
				second(st, finished, failed)
			}
			v := look(st, &track)
			checkWhole(t, v)
			return v
		}
		if v := run(5, 10, 0); v.Verdict.Text != "All is well: 10.0 requests per second, 0.0 % failed in the last 5 s." {
			t.Error(v.Verdict)
		}
		if v := run(300, 99, 1); v.Verdict.Text != "All is well: 99.0 requests per second, 1.0 % failed in the last minute." {
			t.Error(v.Verdict)
		}
		v := run(60, 92, 8)
		if want := "Failure rate is 8.0 % over the last minute; it was 1.0 % before. 100.0 % of the failed attempts are http “Service Unavailable”; 100.0 % of the failed requests are to bad.example."; v.Verdict.Text != want || v.Verdict.Level != Warn {
			t.Errorf("%+v, want %q", v.Verdict, want)
		}
		if tile := v.Tiles[1]; tile.Text != "8.0 % in the last minute" || tile.Level != Warn {
			t.Errorf("the tile has another number: %+v", tile)
		}
		var sum int64
		for _, n := range v.Errors.Rows[0].Trend {
			sum += n
		}
		if sum < 700 || sum > 780 { // 300 and 480, without what came after the last look
			t.Errorf("the trend is %v", v.Errors.Rows[0].Trend)
		}
		if v := run(61, 0, 20); v.Verdict.Level != Bad || !strings.HasPrefix(v.Verdict.Text, "All 1,200 requests of the last minute have failed. 100.0 %") {
			t.Error(v.Verdict)
		}
		if v := run(900, 20, 0); v.Verdict.Level != OK {
			t.Error(v.Verdict)
		}
		if v := run(61, 5, 0); v.Verdict.Text != "5.0 requests per second finished in the last minute; it was 20.0 before." {
			t.Error(v.Verdict)
		}
		st.Start("hangs")
		if v := run(61, 0, 0); v.Verdict.Level != Bad || v.Verdict.Text != "Stalled: the last request finished 1m 1s ago, with 1 in flight and 0 queued." {
			t.Error(v.Verdict)
		}
	})
}

// There is no percentage without a queue, and no estimate while it grows.
func TestProgressIsHonest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t, kvstore.NewMemory())
		defer st.Close()
		var track Track
		second(st, 300, 0)
		if p := look(st, &track).Progress; p.Known || p.Text != "300 requests done; the crawler does not report its queue" {
			t.Error(p)
		}
		pending := st.Gauge(PendingGauge)
		run := func(seconds int, change float64) Progress {
			for range seconds {
				pending.Add(change)
				second(st, 10, 0)
				track.Look(st.Snapshot(), time.Now())
			}
			return look(st, &track).Progress
		}
		pending.Set(1000)
		if p := run(5, 0); p.Left != 0 || p.Text != "350 of 1,350 requests known; watching the queue" {
			t.Error(p)
		}
		if p := run(60, 10); p.Left != 0 || !strings.HasSuffix(p.Text, "; the queue is not getting shorter") {
			t.Error(p)
		}
		p := run(320, -4)
		if p.Pending != 320 || p.Left < 75*time.Second || p.Left > 85*time.Second || !strings.HasSuffix(p.Text, " left at this pace") {
			t.Error(p)
		}
		pending.Set(0)
		if p := run(20, 0); p.Percent != 100 || !strings.HasSuffix(p.Text, "; nothing is left in the queue") {
			t.Error(p)
		}
	})
}

// A stop leaves a gap and a mark; nothing is drawn across it, and nothing is lost.
func TestResumedCrawlHasAGapAndAMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		st := open(t, store)
		for range 100 {
			second(st, 10, 0)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		st = open(t, store)
		defer st.Close()
		for range 60 {
			second(st, 10, 0)
		}
		v := look(st, nil)
		if len(v.Marks) != 1 || !v.Marks[0].Clean || v.Facts[2].Label != "Resumed" || !strings.HasPrefix(v.Facts[2].Text, "1×, last 20") {
			t.Errorf("marks %+v, facts %+v", v.Marks, v.Facts)
		}
		for _, r := range v.Ranges {
			steps := v.Steps(r)
			var finished int64
			gaps := 0
			for _, s := range steps {
				if s.Gap() {
					gaps++
				} else {
					finished += s.Row[ColFinished]
				}
			}
			if gaps != 1 || r.Rings[0] != 0 || r.Name != "5 min" && finished != 1600 {
				t.Errorf("%s: %d gaps, %d finished, rings %v", r.Name, gaps, finished, r.Rings)
			}
		}
		if w := v.Minute; w.Seconds != 60 || w.Finished != 600 || w.FinishedRate != 10 {
			t.Errorf("%+v", w)
		}
		spark := v.Tiles[0].Spark
		if spark[len(spark)-1] == nil || *spark[len(spark)-1] != 10 || spark[len(spark)-20] != nil {
			t.Errorf("spark %v", spark)
		}
		saved := Of(Input{Snapshot: st.Snapshot(), Now: time.Now().Add(time.Hour)})
		if saved.State != Interrupted {
			t.Error(saved.State)
		}
	})
}

// The charts take the finest ring that goes back far enough, and beyond three
// hours the minutes behind the hours, without a hole or an overlap.
func TestRanges(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 14, 7, 0, time.UTC)
	points := func(age, step time.Duration, most int) (all []stats.Point) {
		for at := now.Add(-age).Truncate(step).Add(step); !at.After(now); at = at.Add(step) {
			all = append(all, stats.Point{At: at, Finished: 1})
		}
		return all[max(0, len(all)-most):]
	}
	for _, c := range []struct {
		age  time.Duration
		want [3]string
	}{
		{2 * time.Second, [3]string{"[0]", "[0]", "[0]"}},
		{5 * time.Minute, [3]string{"[0]", "[0]", "[0]"}},
		{14 * time.Minute, [3]string{"[0]", "[1]", "[1]"}},
		{2 * time.Hour, [3]string{"[0]", "[1]", "[2]"}},
		{6 * time.Hour, [3]string{"[0]", "[1]", "[3 2]"}},
		{300 * time.Hour, [3]string{"[0]", "[1]", "[3 2]"}},
	} {
		v := Of(Input{Now: now, Live: true, Snapshot: stats.Snapshot{
			StartedAt: now.Add(-c.age), Started: 1,
			History: stats.History{
				Seconds: points(c.age, time.Second, 300), TenSeconds: points(c.age, 10*time.Second, 90),
				Minutes: points(c.age, time.Minute, 180), Hours: points(c.age, time.Hour, 168),
			},
		}})
		for i, r := range v.Ranges {
			if got := fmt.Sprint(r.Rings); got != c.want[i] {
				t.Errorf("after %v %s has the rings %s, want %s", c.age, r.Name, got, c.want[i])
			}
			steps := v.Steps(r)
			for i, s := range steps[1:] {
				if s.Row[ColAt]-s.Seconds != steps[i].Row[ColAt] {
					t.Errorf("after %v %s has a step from %d, but the one before ends at %d", c.age, r.Name, s.Row[ColAt]-s.Seconds, steps[i].Row[ColAt])
				}
			}
		}
	}
}

// A tick has what is new or has changed, and nothing else.
func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := open(t, kvstore.NewMemory())
		defer st.Close()
		for range 30 {
			second(st, 1, 0)
		}
		before := look(st, nil)
		second(st, 2, 0)
		after := look(st, nil)
		changed := slices.Clone(before.Rings[0].Rows[3])
		changed[ColFinished]++
		before.Rings[0].Rows[3] = changed
		tick := after.Tick(before.Rings)
		if rows := tick.Rings[0].Rows; len(rows) != 2 || !slices.Equal(rows[0], after.Rings[0].Rows[3]) || rows[1][ColFinished] != 2 {
			t.Errorf("rows %v", rows)
		}
		if len(after.Rings[0].Rows) != 31 {
			t.Error("the view itself has changed")
		}
	})
}
