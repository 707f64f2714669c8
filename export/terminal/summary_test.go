package terminal

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/stats"
)

func summary(t *testing.T, a stats.Snapshot, cfg SummaryConfig) string {
	t.Helper()
	var out strings.Builder
	if cfg.Now.IsZero() {
		cfg.Now = at.Add(time.Hour)
	}
	if err := WriteSummary(&out, a, cfg); err != nil {
		t.Error(err)
	}
	plain(t, out.String())
	if n := strings.Count(out.String(), "\n"); n > 12 {
		t.Errorf("%d lines:\n%s", n, &out)
	}
	return out.String()
}

func TestSummary(t *testing.T) {
	got := summary(t, shop(t), SummaryConfig{ID: "shop", SavedTo: "./crawl-state", Report: "./report.html"})
	want := `
  shop  finished after 14m 52s (resumed once, 13m 58s running)

  Verdict     Finished: 920 requests done, 60 failed (6.1 %).
  Requests    920 finished   60 failed (6.1 %)   0 retried
  Speed       1.1/s average, 2.0/s in the best minute
  Latency     p50 501 ms, p95 952 ms, p99 994 ms, max 1.0 s
  Status      2xx 690 · 3xx 250 · 5xx 50
  Discarded   robots 20
  Errors      50 http: <n> from upstream · 10 timeout: no answer
  State       saved to ./crawl-state   report in ./report.html
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestResumedManyTimes: a Snapshot has the newest 32 runs, and maybe there were more.
func TestResumedManyTimes(t *testing.T) {
	a := shop(t)
	for len(a.Segments) < 32 {
		next := a.Segments[len(a.Segments)-1]
		next.Start, next.End = next.End, next.End.Add(time.Second)
		a.Segments = append(a.Segments, next)
	}
	if got := summary(t, a, SummaryConfig{}); !strings.Contains(got, " (resumed 31 times or more, 13m 58s running)") {
		t.Error(got)
	}
	a.Segments = a.Segments[:31]
	if got := summary(t, a, SummaryConfig{}); !strings.Contains(got, " (resumed 30 times, 13m 58s running)") {
		t.Error(got)
	}
}

// TestWorkersResumeNothing: three workers side by side, as one snapshot.
func TestWorkersResumeNothing(t *testing.T) {
	a := shop(t)
	if got := summary(t, a.Merge(a).Merge(a), SummaryConfig{}); !strings.Contains(got, " (resumed once, 13m 58s running)") {
		t.Error(got)
	}
}

// TestNoBestMinute: a crawl that takes seconds has none that is worth telling.
func TestNoBestMinute(t *testing.T) {
	a := shop(t)
	a.Runtime = 10 * time.Second
	if got := summary(t, a, SummaryConfig{}); !strings.Contains(got, "92.0/s average\n") {
		t.Error(got)
	}
}

// TestPage: docs/TERMINAL.md shows what the tests of this package expect.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/TERMINAL.md")
	if err != nil {
		t.Fatal(err)
	}
	a := shop(t)
	a.InFlight, a.Started = 48, a.Started+48
	unknown := Line(still(a))(200)
	a.Gauges = map[string]float64{"queue.pending": 952}
	for _, want := range []string{
		summary(t, shop(t), SummaryConfig{ID: "shop", SavedTo: "./crawl-state", Report: "./report.html"}),
		Line(still(a))(200) + "\n", unknown + "\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/TERMINAL.md does not show\n%s", want)
		}
	}
}

// TestSummaryOfLittle is about crawls of which there is little to tell.
func TestSummaryOfLittle(t *testing.T) {
	refused := stats.New()
	for range 5 {
		refused.Observe(stats.Outcome{Err: errors.New("refused")})
	}
	failed := refused.Snapshot()
	failed.FinishedAt = failed.StartedAt.Add(time.Second)
	one := shop(t)
	one.Hosts, one.FinishedAt, one.PersistedAt = one.Hosts[:1], time.Time{}, at
	back := shop(t)
	back.StartedAt, back.FinishedAt = at.Add(time.Hour), at // the clock was set back
	left := shop(t)                                         // in one line, so without the sentence about the errors
	left.Failed, left.Started = left.Failed+left.Finished, left.Started+left.Finished
	left.Gauges = map[string]float64{"queue.pending": 289}
	zero := stats.New().Snapshot()
	empty := stats.Snapshot{StartedAt: at, FinishedAt: at}
	for name, c := range map[string]struct {
		a    stats.Snapshot
		cfg  SummaryConfig
		want []string
	}{
		"nothing":     {stats.Snapshot{}, SummaryConfig{}, []string{"crawl  nothing was recorded", "0 finished", "no request has finished", "No status code"}},
		"no request":  {zero, SummaryConfig{ID: "new", Live: true}, []string{"new  running for 0s", "No request has been made yet."}},
		"ended empty": {empty, SummaryConfig{}, []string{"finished after 0s", "Finished without a single request."}},
		"all failed":  {failed, SummaryConfig{}, []string{"0 finished   5 failed (100.0 %)", "other: refused"}},
		"queue left":  {left, SummaryConfig{}, []string{"stopped after", "Verdict     Stopped with 289 requests in the queue: 920 requests done, 980 failed (51.6 %).\n"}},
		"killed":      {one, SummaryConfig{}, []string{"interrupted after", "The crawl was interrupted"}},
		"clock back":  {back, SummaryConfig{}, []string{"finished after 13m 58s"}},
		"fleet": {shop(t), SummaryConfig{Members: []stats.Member{{Name: "w0", State: stats.MemberRunning}, {Name: "w1", State: stats.MemberSilent}}}, []string{
			"running for", "Workers     1 running, 1 silent",
		}},
		"empty fleet": {stats.Snapshot{}, SummaryConfig{Members: []stats.Member{}}, []string{"No worker has saved a record yet."}},
	} {
		t.Run(name, func(t *testing.T) {
			got := summary(t, c.a, c.cfg)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

func TestSummaryOfStrangers(t *testing.T) {
	a := shop(t)
	a.Errors = []stats.ErrorGroup{{Kind: hostile, Message: strings.Repeat(hostile, 1000), Count: 3, Examples: []string{hostile}}}
	a.Discards = map[stats.DiscardReason]int64{stats.DiscardReason(hostile): 1}
	a.Hosts = []stats.HostStats{{Host: hostile, Finished: 3}}
	members := []stats.Member{{Name: hostile, Err: errors.New(hostile)}}
	got := summary(t, a, SummaryConfig{ID: hostile, SavedTo: hostile, Report: hostile, Members: members})
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(line); n > 1000 {
			t.Errorf("a line of %d characters", n)
		}
	}
	var tables strings.Builder
	if err := errors.Join(WriteHosts(&tables, a, 0, SlowestHosts), WriteErrors(&tables, a, 0), WriteMembers(&tables, members)); err != nil {
		t.Error(err)
	}
	plain(t, tables.String())
}

func TestTables(t *testing.T) {
	a := shop(t)
	var out strings.Builder
	if err := WriteHosts(&out, a, 2, FailingHosts); err != nil {
		t.Error(err)
	}
	if err := WriteErrors(&out, a, 1); err != nil {
		t.Error(err)
	}
	members := []stats.Member{{Name: "w0", State: stats.MemberRunning, Age: time.Minute}, {Name: "w1", Err: errors.New("damaged")}}
	if err := WriteMembers(&out, members); err != nil {
		t.Error(err)
	}
	want := `  FINISHED  FAILED  FAIL %  DISCARDED     P50    P95  HOST
       307      20   6.1 %          7  503 ms  1.0 s  a.example
       307      20   6.1 %          6  503 ms  1.0 s  b.example
  and 1 more host
  ATTEMPTS  GIVEN UP  KIND  ERROR
        50        50  http  <n> from upstream  https://b.example/p
  and 1 more group
    STATE      SAVED  WORKER
                 now  w1  damaged
  running  1m 0s ago  w0
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	var none strings.Builder
	if err := errors.Join(WriteHosts(&none, stats.Snapshot{}, 0, ""), WriteErrors(&none, stats.Snapshot{}, 0), WriteMembers(&none, nil)); err != nil {
		t.Error(err)
	}
	wantNone := `  No host was recorded: give Request.Host, or use an adapter.
  No request has been made yet.
  No worker has saved a record yet.
`
	if diff := cmp.Diff(wantNone, none.String()); diff != "" {
		t.Error(diff)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestWritersTellOfErrors(t *testing.T) {
	a := shop(t)
	for name, err := range map[string]error{
		"summary": WriteSummary(full{}, a, SummaryConfig{}),
		"hosts":   WriteHosts(full{}, a, 3, ""),
		"errors":  WriteErrors(full{}, a, 3),
		"members": WriteMembers(full{}, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error of a writer that fails", name)
		}
	}
}
