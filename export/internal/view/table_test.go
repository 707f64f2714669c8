package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/stats"
)

func TestTexts(t *testing.T) {
	for want, got := range map[string]string{
		"0": Count(0), "-1,234": Count(-1234), "999": Count(999), "1,234,567": Count(1234567),
		"1 host": Counted(1, "host", "hosts"), "0 hosts": Counted(0, "host", "hosts"),
		"6.9 %": Percent(6.9), "<0.1 %": Percent(.001), "99.9 %": Percent(99.99), "100.0 %": Percent(100), "0.0 %": Percent(Ratio(1, 0)),
		"44.8": Rate(44.8), "1,204": Rate(1204.4), "<0.1": Rate(.01), "0.0": Rate(0),
		"14m 52s": Duration(892 * time.Second), "0s": Duration(-time.Second), "2d 4h": Duration(52 * time.Hour), "3h 0m": Duration(3 * time.Hour),
		"now": Ago(-time.Hour), "6s ago": Ago(6 * time.Second),
		"842 ms": Latency(842 * time.Millisecond), "1.4 s": Latency(1400 * time.Millisecond), "64 µs": Latency(64 * time.Microsecond),
		"5.2 ms": Latency(5200 * time.Microsecond), "2m 0s": Latency(2 * time.Minute), "0 ms": Latency(0), "1 µs": Latency(1),
		"999 B": Bytes(999), "1.95 GB": Bytes(1_948_213_772), "12 kB": Bytes(12_400), "1.00 MB": Bytes(999_900), "0 B": Bytes(-1), "9.22 EB": Bytes(1<<63 - 1),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"plain, größer, 日本":           "plain, größer, 日本",
		"\x1b[2J\r\n\t\x00\x7f\u009b": `\x1b[2J\x0d\x0a\x09\x00\x7f\u009b`,
		"a\u202eb\u2066\u200b":        `a\u202eb\u2066\u200b`,
		"\xff\xfe":                    `\xff\xfe`,
		"\U000e0041":                  `\U000e0041`,
		"<img src=x>":                 "<img src=x>",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) is %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("ä", 1<<20), strings.Repeat("\x00", 1<<20), strings.Repeat("a", MaxRunes+1)} {
		if got := Clean(long); utf8.RuneCountInString(got) > MaxRunes || !strings.HasSuffix(got, "…") {
			t.Errorf("%d runes", utf8.RuneCountInString(got))
		}
	}
	if whole := strings.Repeat("ä", MaxRunes); Clean(whole) != whole {
		t.Error("what fits was cut")
	}
}

// Attempts are those of requests that were tried again and of those given up.
func TestErrorTable(t *testing.T) {
	st := stats.New()
	gone := stats.WithKind(stats.KindDNS, errors.New("no such host"))
	for range 3 {
		j := st.BeginWith(stats.Request{URL: "https://a.example/x"})
		j.Retry(gone)
		j.Retry(errors.New("odd"))
		j.Fail(gone)
	}
	e := Of(Input{Snapshot: st.Snapshot(), Now: time.Now()}).Errors
	if len(e.Rows) != 2 || e.Rows[0].Attempts != 6 || e.Rows[0].GaveUp != 3 || e.Rows[0].Sample != "https://a.example/x" || e.Rows[1].GaveUp != 0 {
		t.Errorf("%+v", e.Rows)
	}
	if want := "2 groups, 9 failed attempts, 3 requests given up"; e.Text != want || e.Attempts != 9 || e.GaveUp != 3 {
		t.Errorf("%q, want %q", e.Text, want)
	}
	if e.Rows[0].LastText != "now" || e.Rows[0].First.IsZero() || e.Rows[0].Trend != nil {
		t.Errorf("%+v", e.Rows[0])
	}
}

// However many hosts and errors there are, and however long, the tables fit.
func TestTablesAreBounded(t *testing.T) {
	var a stats.Snapshot
	a.Started = 1
	for i := range 2000 {
		a.Errors = append(a.Errors, stats.ErrorGroup{Kind: "other", Message: strings.Repeat("\x00<日>", 300), Count: int64(i), Examples: []string{strings.Repeat("u", 1<<10)}})
		a.Errors[i].Message = fmt.Sprint(i, a.Errors[i].Message)
	}
	for i := range 50_000 {
		a.Hosts = append(a.Hosts, stats.HostStats{Host: fmt.Sprintf("h%d.example", i), Finished: int64(i), Failed: int64(i % 7)})
	}
	v := Of(Input{Snapshot: a, Now: time.Now()})
	size := 0
	for _, r := range v.Errors.Rows {
		size += len(r.Message) + len(r.Sample)
	}
	if size > maxTableText || len(v.Errors.Rows) < 3 || v.Errors.More+len(v.Errors.Rows) != 2000 {
		t.Errorf("%d rows of %d bytes, and %d more", len(v.Errors.Rows), size, v.Errors.More)
	}
	h := v.Hosts
	if len(h.Rows) > 30 || len(h.Busiest) != 10 || len(h.Slowest) != 10 || h.Text != "and 49,990 more hosts" {
		t.Errorf("%d rows, %d busiest, %q", len(h.Rows), len(h.Busiest), h.Text)
	}
	if top := h.Rows[h.Busiest[0]]; top.Host != "h49999.example" || h.Rows[h.Failing[0]].Failed != 6 || top.P95 != None {
		t.Errorf("%+v", top)
	}
}

func TestMembers(t *testing.T) {
	in := Input{Now: time.Now(), MaxMembers: 2, Members: []stats.Member{
		{Name: "a", State: stats.MemberRunning},
		{Name: "b", State: stats.MemberSilent, Age: time.Minute},
		{Name: "c\x1b", State: stats.MemberRunning, Err: errors.New("damaged")},
		{Name: "d", State: stats.MemberVanished},
	}}
	v := Of(in)
	m := v.Members
	if len(m.Rows) != 2 || m.Rows[0].Name != `c\x1b` || m.Rows[0].Level != Bad || m.Rows[1].Name != "b" || m.Rows[1].Age != "1m 0s ago" || m.More != 2 {
		t.Errorf("%+v", m)
	}
	if m.Text != "2 running, 1 silent, 1 vanished" || v.State != Running {
		t.Errorf("%q, %s", m.Text, v.State)
	}
}
