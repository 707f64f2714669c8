package events_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/events"
)

func ExampleBus() {
	var bus events.Bus
	unsubscribe := events.Subscribe(&bus, func(ctx context.Context, e events.CrawlerStatus) error {
		fmt.Println("status:", e.Message)
		return nil
	})
	ctx := context.Background()
	events.Publish(ctx, &bus, events.CrawlerStatus{Message: "crawled 1200 pages"})
	unsubscribe()
	events.Publish(ctx, &bus, events.CrawlerStatus{Message: "nobody hears this"})
	// Output:
	// status: crawled 1200 pages
}

// PersistState is answered before Publish returns, and the publisher learns who
// could not save.
func ExamplePersistState() {
	var bus events.Bus
	events.Subscribe(&bus, func(context.Context, events.PersistState) error {
		return errors.New("save queue: disk full")
	})
	events.Subscribe(&bus, func(context.Context, events.PersistState) error {
		fmt.Println("statistics saved")
		return nil
	})
	err := events.Publish(context.Background(), &bus, events.PersistState{})
	fmt.Println(err)
	// Output:
	// statistics saved
	// events: handle events.PersistState: save queue: disk full
}

// A crawler that publishes what happens to its requests needs no other call to
// be counted.
func ExampleRequestStarted() {
	var bus events.Bus
	events.Subscribe(&bus, func(_ context.Context, e events.RequestStarted) error {
		fmt.Println("start", e.ID, e.URL)
		return nil
	})
	events.Subscribe(&bus, func(_ context.Context, e events.RequestFailed) error {
		fmt.Println("fail", e.ID, e.Err)
		return nil
	})
	ctx := context.Background()
	events.Publish(ctx, &bus, events.RequestStarted{ID: "17", URL: "https://shop.example/17"})
	events.Publish(ctx, &bus, events.RequestFailed{ID: "17", Err: errors.New("http 503")})
	// Output:
	// start 17 https://shop.example/17
	// fail 17 http 503
}

// A PanicError tells which value a subscriber panicked with.
func ExamplePanicError() {
	var bus events.Bus
	events.Subscribe(&bus, func(context.Context, events.Exit) error { panic("no more paper") })
	err := events.Publish(context.Background(), &bus, events.Exit{})
	if p, ok := errors.AsType[*events.PanicError](err); ok {
		fmt.Println(p.Value)
	}
	fmt.Println(err)
	// Output:
	// no more paper
	// events: handle events.Exit: subscriber panicked: no more paper
}

// A whole request as events: what a crawler publishes, and what hears it.
func Example_request() {
	var bus events.Bus
	ctx := context.Background()
	events.Subscribe(&bus, func(_ context.Context, e events.RequestRetried) error {
		fmt.Println("retry", e.ID, e.Err)
		return nil
	})
	events.Subscribe(&bus, func(_ context.Context, e events.StatusReceived) error {
		fmt.Println("status", e.Code)
		return nil
	})
	events.Subscribe(&bus, func(_ context.Context, e events.RequestFinished) error {
		fmt.Println("finish", e.ID)
		return nil
	})
	events.Subscribe(&bus, func(_ context.Context, e events.RequestDiscarded) error {
		fmt.Println("discard", e.ID, e.Reason)
		return nil
	})
	events.Publish(ctx, &bus, events.RequestStarted{ID: "1"})
	events.Publish(ctx, &bus, events.StatusReceived{ID: "1", Code: 503})
	events.Publish(ctx, &bus, events.RequestRetried{ID: "1", Err: errors.New("http 503")})
	events.Publish(ctx, &bus, events.RequestFinished{ID: "1"})
	events.Publish(ctx, &bus, events.RequestStarted{ID: "2"})
	events.Publish(ctx, &bus, events.RequestDiscarded{ID: "2", Reason: "robots"})
	// Output:
	// status 503
	// retry 1 http 503
	// finish 1
	// discard 2 robots
}

// What happens to the process, as events: where they come from is the business
// of package local, or of the platform the crawler runs on.
func Example_process() {
	var bus events.Bus
	ctx := context.Background()
	say := func(text string) error { fmt.Println(text); return nil }
	events.Subscribe(&bus, func(_ context.Context, e events.SystemInfo) error { return say(fmt.Sprint("cpu ", e.CPU, " %")) })
	events.Subscribe(&bus, func(_ context.Context, e events.Migrating) error {
		return say("moving within " + e.TimeRemaining.String())
	})
	events.Subscribe(&bus, func(context.Context, events.Aborting) error { return say("stopping") })
	events.Subscribe(&bus, func(_ context.Context, e events.Superseded) error { return say("somebody else saves " + e.Key) })
	events.Subscribe(&bus, func(_ context.Context, e events.ErrorGroupOpened) error { return say("new: " + e.Message) })
	events.Publish(ctx, &bus, events.SystemInfo{CPU: 12.5})
	events.Publish(ctx, &bus, events.Migrating{TimeRemaining: time.Minute})
	events.Publish(ctx, &bus, events.Aborting{})
	events.Publish(ctx, &bus, events.Superseded{Key: "shop"})
	events.Publish(ctx, &bus, events.ErrorGroupOpened{Kind: "timeout", Message: "no answer within <n>s"})
	// Output:
	// cpu 12.5 %
	// moving within 1m0s
	// stopping
	// somebody else saves shop
	// new: no answer within <n>s
}
