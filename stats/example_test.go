package stats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A crawl that is interrupted and goes on: what Open restores is there at once.
func Example() {
	ctx := context.Background()
	store := kvstore.NewMemory() // badgerstore.Open in a real crawl
	for _, page := range []string{"/", "/about"} {
		st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			fmt.Println(err)
			return
		}
		st.Start(page)
		st.StatusCode(200)
		st.Finish(page)
		fmt.Println(st.Snapshot().Finished, "finished in all,", st.Live().Finished, "by this process")
		if err := st.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 1 finished in all, 1 by this process
	// 2 finished in all, 1 by this process
}

func ExampleStatistics_Begin() {
	st := stats.New()
	fetch := func(attempt int) error {
		if attempt == 0 {
			return errors.New("try again later")
		}
		return nil
	}
	j := st.Begin()
	for attempt := range 3 {
		err := fetch(attempt)
		if err == nil {
			j.StatusCode(200)
			j.Finish()
			break
		}
		j.StatusCode(503)
		j.Retry(err)
	}
	a := st.Snapshot()
	fmt.Println(a.Finished, "finished after", a.Attempts, "attempts;", a.StatusCodes)
	// Output: 1 finished after 2 attempts; map[200:1 503:1]
}

func ExampleJob_End() {
	st := stats.New()
	visit := func(url string) (err error) {
		j := st.BeginWith(stats.Request{URL: url, Host: "shop.example"})
		defer j.End(&err)
		return errors.New("no price on this page")
	}
	_ = visit("http://shop.example/1")
	a := st.Snapshot()
	fmt.Println(a.Failed, a.Errors[0].Message, a.Errors[0].Examples)
	// Output: 1 no price on this page [http://shop.example/1]
}

func ExampleStatistics_Observe() {
	st := stats.New()
	st.Observe(stats.Outcome{Duration: 120 * time.Millisecond, StatusCode: 200})
	st.Observe(stats.Outcome{Duration: 80 * time.Millisecond, Err: errors.New("connection lost")})
	st.Observe(stats.Outcome{Discard: stats.DiscardDuplicate})
	a := st.Snapshot()
	fmt.Println(a.Finished, a.Failed, a.Discards[stats.DiscardDuplicate], a.FinishedDuration.Max)
	// Output: 1 1 1 120ms
}

func ExampleDiscardReason() {
	st := stats.New()
	st.Start("/private")
	st.Discard("/private", stats.DiscardRobots)
	var reasons map[stats.DiscardReason]int64 = st.Snapshot().Discards
	fmt.Println(reasons)
	// Output: map[robots:1]
}

func ExampleStatistics_Counter() {
	st := stats.New()
	var books *stats.Counter = st.Counter("items", stats.Label{Key: "type", Value: "book"})
	books.Inc()
	books.Add(2)
	fmt.Println(st.Snapshot().Counters)
	// Output: map[items{type="book"}:3]
}

func ExampleGauge() {
	st := stats.New()
	var queue *stats.Gauge = st.Gauge("queue.length")
	queue.Set(10)
	queue.Add(-3)
	fmt.Println(st.Snapshot().Gauges)
	// Output: map[queue.length:7]
}

func ExampleTimer() {
	st := stats.New()
	var parse *stats.Timer = st.Timer("parse")
	parse.Observe(20 * time.Millisecond)
	stop := parse.Time()
	stop() // observes the time since Time
	fmt.Println(st.Snapshot().Timers["parse"].Max)
	// Output: 20ms
}

func ExampleUnique() {
	st := stats.New()
	var urls *stats.Unique = st.Unique("urls")
	for _, u := range []string{"/a", "/b", "/a"} {
		urls.Add(u)
	}
	fmt.Println(st.Snapshot().Uniques)
	// Output: map[urls:2]
}

func ExampleExtend() {
	st := stats.New()
	type queue struct{ Pending []string }
	var q *stats.Extension[queue]
	q, err := stats.Extend(st, "queue", queue{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	q.Update(func(v *queue) { v.Pending = append(v.Pending, "/next") })
	fmt.Println(q.Value().Pending)
	// It is part of every snapshot, and of the record.
	saved, err := stats.ExtensionOf[queue](st.Snapshot(), "queue", nil)
	fmt.Println(saved.Pending, err)
	// Output:
	// [/next]
	// [/next] <nil>
}

func ExampleSnapshot_Merge() {
	one, two := stats.New(), stats.New()
	one.Observe(stats.Outcome{Duration: 10 * time.Millisecond})
	two.Observe(stats.Outcome{Duration: 30 * time.Millisecond})
	var fleet stats.Snapshot = one.Snapshot().Merge(two.Snapshot())
	fmt.Println(fleet.Finished, fleet.FinishedDuration.Average(), fleet.Balanced())
	// Output: 2 20ms <nil>
}

func ExampleSnapshot_Sub() {
	st := stats.New()
	st.Observe(stats.Outcome{StatusCode: 200})
	before := st.Snapshot()
	st.Observe(stats.Outcome{StatusCode: 404})
	window := st.Snapshot().Sub(before)
	fmt.Println(window.Finished, window.StatusCodes[404])
	// Output: 1 1
}

func ExampleDurations_Quantile() {
	st := stats.New()
	for i := range 100 {
		st.Observe(stats.Outcome{Duration: time.Duration(i+1) * time.Millisecond})
	}
	var d stats.Durations = st.Snapshot().FinishedDuration
	fmt.Println(d.Count, d.Min, d.Max, d.Quantile(0.5).Round(time.Millisecond))
	// Output: 100 1ms 100ms 50ms
}

func ExampleHostStats() {
	st := stats.New()
	st.Observe(stats.Outcome{Request: stats.Request{Host: "shop.example"}})
	for _, h := range st.Snapshot().Hosts {
		var host stats.HostStats = h
		fmt.Println(host.Host, host.Finished)
	}
	// Output: shop.example 1
}

func ExampleErrorGroup() {
	st := stats.New()
	for i := range 3 {
		j := st.Begin()
		j.Fail(fmt.Errorf("page %d has no title", i))
	}
	var group stats.ErrorGroup = st.Snapshot().Errors[0]
	fmt.Println(group.Count, group.Kind, group.Message)
	// Output: 3 other page <n> has no title
}

// A Source is a Statistics, a Fleet, or anything else that can be read: here one
// that always shows the same.
func ExampleSource() {
	st := stats.New()
	st.Observe(stats.Outcome{})
	var src stats.Source = st
	fmt.Println(src.Live().Finished)
	// Output: 1
}

func ExampleSegment() {
	var run stats.Segment = stats.New().Snapshot().Segments[0]
	fmt.Println(run.Version == stats.Version, run.Clean)
	// Output: true false
}

func ExampleHistory() {
	h := stats.History{Seconds: []stats.Point{{Finished: 12}, {Finished: 15}}}
	for _, p := range h.Seconds {
		fmt.Println(p.Finished, "a second")
	}
	// Output:
	// 12 a second
	// 15 a second
}

func ExampleStatistics_Health() {
	ctx := context.Background()
	st, err := stats.Open(ctx, stats.Config{
		ID: "shop", Store: kvstore.NewMemory(), Persist: stats.PersistManual, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer st.Close()
	var mode stats.PersistMode = stats.PersistManual // nothing is saved but by Persist
	_ = mode
	if err := st.Persist(ctx); err != nil {
		fmt.Println(err)
	}
	var h stats.Health = st.Health()
	fmt.Println(h.Persisting, h.Saves, h.Err)
	// Output: true 1 <nil>
}

func ExampleStatistics_Tap() {
	st := stats.New()
	remove := st.Tap(func(e stats.Tapped) {
		if e.Kind == stats.TapFinished {
			fmt.Println("finished after", e.Duration)
		}
	})
	st.Observe(stats.Outcome{Duration: time.Second})
	remove()
	st.Observe(stats.Outcome{Duration: time.Minute})
	var kind stats.TapKind = stats.TapFailed
	fmt.Println(kind != stats.TapFinished)
	// Output:
	// finished after 1s
	// true
}

func ExampleStatistics_Reset() {
	st := stats.New()
	items := st.Counter("items")
	items.Inc()
	if err := st.Reset(context.Background()); err != nil {
		fmt.Println(err)
	}
	items.Inc() // handles stay valid
	fmt.Println(st.Snapshot().Counters["items"], st.Snapshot().Generation)
	// Output: 1 1
}
