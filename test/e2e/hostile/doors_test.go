package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// door is a way in for texts of strangers.
type door struct {
	name string
	// push counts one thing that has the text in it.
	push func(t *testing.T, s *stats.Statistics, bus *events.Bus, text string)
	// count returns how many of those there are.
	count func(a stats.Snapshot) int64
	// named is set where the text is a name that the program chose: nobody but
	// the program can put a secret there.
	named bool
}

func finished(a stats.Snapshot) int64 { return a.Finished }

func failures(a stats.Snapshot) (n int64) {
	for _, g := range a.Errors {
		n += g.Count
	}
	return n + a.ErrorsOther
}

func retries(a stats.Snapshot) (n int64) {
	for _, g := range a.RetryErrors {
		n += g.Count
	}
	return n + a.RetryErrorsOther
}

func hosts(a stats.Snapshot) (n int64) {
	for _, h := range a.Hosts {
		n += h.Finished + h.Failed
	}
	return n + a.HostsOther.Finished + a.HostsOther.Failed
}

func sum[K comparable](m map[K]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

var errSite = errors.New("the site does not answer")

var doors = []door{
	{name: "Request.Host", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		j := s.BeginWith(stats.Request{Host: "h" + text})
		j.Finish()
	}, count: hosts},
	{name: "Request.URL", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		j := s.BeginWith(stats.Request{URL: text})
		j.Fail(errSite)
	}, count: failures},
	{name: "Job.Fail", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		j := s.Begin()
		j.Fail(errors.New(text))
	}, count: failures},
	{name: "Job.Retry", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		j := s.Begin()
		j.Retry(errors.New(text))
		j.Finish()
	}, count: retries},
	{name: "Job.Discard", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		j := s.Begin()
		j.Discard(stats.DiscardReason(text))
	}, count: func(a stats.Snapshot) int64 { return sum(a.Discards) }},
	{name: "Start and Finish", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Start(text)
		s.Finish(text)
	}, count: finished},
	{name: "StartWith, Retry and Fail", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.StartWith(text, stats.Request{Host: text, URL: text})
		s.Retry(text, errors.New(text))
		s.Fail(text, errors.New(text))
	}, count: failures},
	{name: "Discard", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Start(text)
		s.Discard(text, stats.DiscardReason(text))
	}, count: func(a stats.Snapshot) int64 { return sum(a.Discards) }},
	{name: "Observe", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Observe(stats.Outcome{Request: stats.Request{Host: "h" + text, URL: text}, Err: errors.New(text)})
	}, count: hosts},
	{name: "WithKind", push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Observe(stats.Outcome{Err: stats.WithKind(stats.ErrorKind(text), errSite)})
	}, count: func(a stats.Snapshot) int64 { return sum(a.FailedKinds) }},
	{name: "Counter", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Counter(text).Inc()
	}, count: func(a stats.Snapshot) int64 { return sum(a.Counters) }},
	{name: "Counter with labels", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Counter("c", stats.Label{Key: text, Value: text}, stats.Label{Key: "k", Value: text}).Inc()
	}, count: func(a stats.Snapshot) int64 { return sum(a.Counters) }},
	{name: "Gauge", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Gauge(text, stats.Label{Key: "k", Value: text}).Add(1)
	}, count: func(a stats.Snapshot) (n int64) {
		for _, v := range a.Gauges {
			n += int64(v)
		}
		return n
	}},
	{name: "Timer", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Timer(text, stats.Label{Key: text, Value: "v"}).Observe(time.Second)
	}, count: func(a stats.Snapshot) (n int64) {
		for _, d := range a.Timers {
			n += d.Count
		}
		return n
	}},
	{name: "Unique", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Unique("seen").Add(text)
		s.Unique(text, stats.Label{Key: text, Value: text}).Add("one")
		s.Counter("pushed").Inc()
	}, count: func(a stats.Snapshot) int64 { return a.Counters["pushed"] }},
	{name: "Extend", named: true, push: func(_ *testing.T, s *stats.Statistics, _ *events.Bus, text string) {
		s.Counter("pushed").Inc()
		if len(text) > 1000 {
			text = text[:1000] // its share of the record is 16 KB
		}
		if e, err := stats.Extend(s, text, "", nil); err == nil {
			e.Update(func(v *string) { *v = text })
		}
	}, count: func(a stats.Snapshot) int64 { return a.Counters["pushed"] }},
	{name: "events", push: func(t *testing.T, _ *stats.Statistics, bus *events.Bus, text string) {
		publish(t, bus, events.CrawlerStatus{Message: text})
		publish(t, bus, events.RequestStarted{ID: text, Host: "h" + text, URL: text})
		publish(t, bus, events.StatusReceived{ID: text, Code: len(text)})
		publish(t, bus, events.RequestRetried{ID: text, Err: errors.New(text)})
		publish(t, bus, events.RequestFailed{ID: text, Err: errors.New(text)})
	}, count: hosts},
}

func publish[E any](t *testing.T, bus *events.Bus, e E) {
	t.Helper()
	if err := events.Publish(t.Context(), bus, e); err != nil {
		t.Error(err)
	}
}

// Every text through every door, to every sink.
func TestDoors(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			o := newOutlet(t, stats.Config{ID: "shop"})
			texts := hostile.Texts()
			if !d.named {
				texts = append(texts, hostile.Secrets()...)
			}
			for _, x := range texts {
				d.push(t, o.st, o.bus, x.Value)
			}
			o.close(t)
			if n := d.count(o.final); n != int64(len(texts)) {
				t.Errorf("%d counted, %d pushed", n, len(texts))
			}
			each(t, o)
		})
	}
}

// Every text as what the program itself is called. What cannot be is an error that
// shows, and is tried as the message of the log.
func TestNames(t *testing.T) {
	opened := 0
	for _, x := range hostile.Texts() {
		t.Run(x.Name, func(t *testing.T) {
			o, err := openOutlet(t, stats.Config{ID: x.Value, Member: x.Value, LogMessage: x.Value})
			if err == nil {
				opened++
			} else {
				clean(t, err.Error())
				o = newOutlet(t, stats.Config{ID: "shop", LogMessage: x.Value})
			}
			o.named = true
			o.st.Observe(stats.Outcome{Request: stats.Request{Host: "a.example"}, Err: errSite})
			o.close(t)
			each(t, o)
		})
	}
	if opened < 50 {
		t.Errorf("only %d texts can be a name", opened)
	}
}

// A record that a stranger wrote, with every text in every place that has one.
// Nothing of it becomes syntax of a sink. What is JSON gives back what it says,
// letter by letter; and it holds no secrets but those of its writer.
func TestRecordOfAStranger(t *testing.T) {
	s := stats.New()
	for range 3 {
		s.Observe(stats.Outcome{Request: stats.Request{Host: "x"}, Err: errSite})
	}
	a := s.Snapshot()
	a.Counters, a.Gauges, a.ErrorKinds, a.Discards = map[string]int64{}, map[string]float64{}, map[string]int64{}, map[stats.DiscardReason]int64{}
	now := time.Now()
	for _, x := range hostile.Texts() {
		text := x.Value[:min(len(x.Value), 500)]
		a.Counters[text], a.Counters[`c{k="`+text+`"}`], a.Gauges[text] = 1, 1, 2
		a.Errors = append(a.Errors, stats.ErrorGroup{Kind: text, Message: text, Count: 1, FirstSeen: now, LastSeen: now, Examples: []string{text}})
		a.Hosts = append(a.Hosts, stats.HostStats{Host: text, Finished: 1})
		a.Segments = append(a.Segments, stats.Segment{Owner: text, Host: text, Version: text, Start: now, End: now})
	}
	a.RetryErrors, a.Segments = a.Errors, a.Segments[:32]
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	read, err := stats.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	record, err := read.Encode()
	if err != nil {
		t.Fatal(err)
	}
	store := kvstore.NewMemory()
	if _, err := store.Save(context.Background(), stats.Key("shop", ""), record, 0); err != nil {
		t.Fatal(err)
	}
	o, err := openOutlet(t, stats.Config{ID: "shop", Store: store})
	if err != nil {
		t.Fatal(err)
	}
	o.forged = true
	o.close(t)
	each(t, o)
}
