package stats

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A flood of hosts in front of a few busy ones: the busy ones stay, the totals
// are exact, the memory is bounded.
func TestHostsAreBoundedAndExact(t *testing.T) {
	s := newStatistics(Config{MaxHosts: 50}.withDefaults())
	s.start(Snapshot{})
	for i := range 20_000 {
		s.Observe(Outcome{Request: Request{Host: fmt.Sprintf("once-%d.example", i)}, Duration: time.Millisecond})
		s.Observe(Outcome{Request: Request{Host: fmt.Sprintf("busy-%d.example", i%10)}, Duration: time.Second, Err: errSlow})
	}
	a := s.Snapshot()
	if len(a.Hosts) > 50 {
		t.Errorf("%d hosts, 50 are the most", len(a.Hosts))
	}
	sum := a.HostsOther
	for _, h := range a.Hosts {
		h.Host = ""
		sum = mergeHost(sum, h)
	}
	if sum.Finished != 20_000 || sum.Failed != 20_000 || sum.Duration.Count != 40_000 || sum.Errors != 20_000 {
		t.Errorf("hosts and the rest add up to %+v", sum)
	}
	for i, h := range a.Hosts[:10] {
		if !strings.HasPrefix(h.Host, "busy-") || h.Failed < 1_900 {
			t.Errorf("host %d is %s with %d failures: a busy host was lost in the flood", i, h.Host, h.Failed)
		}
	}
}

// A host that begins when the table is full gets a place with more requests than
// the quietest has; one that has fewer gets none, and nothing is lost.
func TestALateHostFindsAPlace(t *testing.T) {
	table := newHostTable(20)
	find := func(host string) *hostCells { return table.find(table.key(host)) }
	settle := func(host string, n int) {
		for range n {
			table.settle(&Job{host: host, duration: time.Second})
		}
	}
	for i := range 20 {
		settle(fmt.Sprintf("early-%02d", i), 5+i)
	}
	settle("quiet", 5)
	if find("quiet") != nil {
		t.Error("a host with as many requests as the quietest took its place")
	}
	settle("busy", 50)
	busy := find("busy")
	if busy == nil || busy.ended[finished] != 50-5 || find("early-00") != nil || len(table.hosts) != 20 {
		t.Fatalf("busy %+v among %d hosts: the quietest has 5 requests", busy, len(table.hosts))
	}
	if other := table.other.ended[finished]; other != 5+5+5 {
		t.Errorf("%d requests of no host, want 5 of early-00, 5 of quiet, 5 of busy", other)
	}
	settle("early-01", 1) // 7, still the quietest of those left
	settle("next", 8)
	if find("early-01") != nil || find("next") == nil {
		t.Errorf("next has not taken the place of early-01 among %d hosts", len(table.hosts))
	}
	settle("third", 3)
	if find("next") == nil || find("next").rank() != 8 {
		t.Error("the requests that next had before its place do not count for it")
	}
}

// However a host is written, it counts under its one name, also when the table is
// full and others vote.
func TestAHostCountsUnderItsCleanName(t *testing.T) {
	table := newHostTable(2)
	settle := func(hosts ...string) {
		for _, host := range hosts {
			table.settle(&Job{host: host})
		}
	}
	settle("a.example", "b.example", "a.example", "b.example", "late.example")
	settle("user:secret@a.example", "user:secret@a.example", "other:secret@late.example")
	if c := table.find(table.key("a.example")); c == nil || c.ended[finished] != 4 {
		t.Errorf("a.example has %+v, want 4 requests", c)
	}
	if other := table.other.ended[finished]; other != 2 {
		t.Errorf("%d requests of no host, want 2 of late.example", other)
	}
	if votes := table.ballot(table.key("late.example")).votes; votes != 2 {
		t.Errorf("%d votes for late.example, want 2", votes)
	}
}

// 4,000 distinct messages of eight words: bounded groups, an exact total.
func TestErrorGroupsAreBoundedAndExact(t *testing.T) {
	s := New()
	for i := range 4_000 {
		j := s.Begin()
		j.Fail(errors.New(words(i)))
	}
	late := errors.New("the error that begins late")
	for range 300 {
		j := s.Begin()
		j.Retry(late)
		j.Fail(late)
	}
	a := s.Snapshot()
	if len(a.Errors) > defaultGroups {
		t.Errorf("%d groups, %d are the most", len(a.Errors), defaultGroups)
	}
	total := a.ErrorsOther
	for _, g := range a.Errors {
		total += g.Count
	}
	if total != 4_300 || a.Failed != 4_300 {
		t.Errorf("groups and the rest hold %d of %d errors", total, a.Failed)
	}
	if a.Errors[0].Message != late.Error() || a.Errors[0].Count != 300 {
		t.Errorf("most frequent is %+v", a.Errors[0])
	}
	if len(a.RetryErrors) != 1 || a.RetryErrors[0].Count != 300 || a.ErrorKinds["other"] != 4_600 || a.FailedKinds["other"] != 4_300 {
		t.Errorf("retry errors %v, kinds %v", a.RetryErrors, a.ErrorKinds)
	}
}

// words returns eight words of letters, different for each i.
func words(i int) string {
	var b strings.Builder
	for range 8 {
		for range 5 {
			b.WriteByte(byte('a' + i%26))
			i = i/26*31 + i%26 + 7
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func TestErrorGroupKeepsThreeExamples(t *testing.T) {
	s := New()
	for _, u := range []string{"http://a/3", "http://a/1", "http://a/1", "", "http://u:p@a/2", "http://a/4"} {
		j := s.BeginWith(Request{URL: u})
		j.Fail(errSlow)
	}
	g := s.Snapshot().Errors[0]
	if fmt.Sprint(g.Examples) != "[http://a/1 http://a/2 http://a/3]" || g.Count != 6 || g.Kind != "timeout" {
		t.Errorf("group %+v", g)
	}
	if g.FirstSeen.IsZero() || g.LastSeen.Before(g.FirstSeen) || g.LastSeen.Location() != time.UTC {
		t.Errorf("seen from %v to %v", g.FirstSeen, g.LastSeen)
	}
}

type panicky struct{}

func (*panicky) Error() string { panic("no text") }

func TestErrorThatPanics(t *testing.T) {
	s := New()
	j := s.Begin()
	j.Fail((*panicky)(nil))
	if g := s.Snapshot().Errors[0]; !strings.Contains(g.Message, "panics") {
		t.Errorf("group %+v", g)
	}
}
