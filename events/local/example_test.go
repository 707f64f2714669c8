package local_test

import (
	"context"
	"fmt"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
)

func ExampleStart() {
	var bus events.Bus
	events.Subscribe(&bus, func(context.Context, events.PersistState) error {
		fmt.Println("save the queue")
		return nil
	})
	events.Subscribe(&bus, func(context.Context, events.Exit) error {
		fmt.Println("goodbye")
		return nil
	})

	loc := local.Start(&bus, local.Config{}) // the first PersistState is now
	loc.Close()                              // the last one, then Exit
	// Output:
	// save the queue
	// save the queue
	// goodbye
}
