// Package events is a synchronous, typed event bus, and the events of a crawl.
//
// The type of an event is its topic. There are no names to misspell, nothing to
// register, and nothing to start or stop:
//
//	var bus events.Bus
//	unsubscribe := events.Subscribe(&bus, func(ctx context.Context, e events.PersistState) error {
//		return queue.Save(ctx)
//	})
//	defer unsubscribe()
//
//	err := events.Publish(ctx, &bus, events.PersistState{})
//
// When Publish returns, every subscriber has seen the event, and err holds what
// any of them returned. That is what a crawler needs before it exits or moves to
// another machine: "persist now" means persisted, not queued. Who does not want
// to wait publishes on a goroutine of its own, as package events/local does for
// its ticks.
//
// A program may publish types of its own: any struct or other plain value.
//
// # Concurrency
//
// A Bus may be used by any number of goroutines, and it starts none itself. It
// holds no lock while it calls a subscriber, so a subscriber may publish,
// subscribe and unsubscribe, on the same bus too.
//
// One call of Publish calls the subscribers of its type one after the other, in
// the order they subscribed, on the goroutine of the publisher. What happened
// before Publish is visible to them, and what they did is visible after it.
//
//   - Two calls of Publish by one goroutine do not overlap: all subscribers see
//     the first event before any sees the second, whatever the types.
//   - Two calls by different goroutines may run a subscriber twice at the same
//     time. Subscribers guard their own state.
//   - A subscriber that publishes does so in the middle of the outer call:
//     subscribers after it see the inner event first.
//   - A call of Publish reaches the subscribers there were when it began. One that
//     unsubscribes meanwhile may still be called by it; one that subscribes is not.
//   - A cancelled context does not stop Publish. Each subscriber gets it and
//     decides: the last chance to save is often taken under a dead context.
//
// An error or a panic of one subscriber does not keep the event from the others.
package events
