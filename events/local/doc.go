// Package local publishes the events of a crawl that runs on one machine: ticks
// that ask for state to be saved, figures of the system, and signals.
//
// Create it after the store and the statistics and close it before them, which
// three defers do:
//
//	store, err := badgerstore.Open(badgerstore.Config{Dir: "./crawl-state"})
//	…
//	defer store.Close(ctx)
//	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store, Events: &bus})
//	…
//	defer st.Close()
//	loc := local.Start(&bus, local.Config{})
//	defer loc.Close()
//
// # Concurrency
//
// A Local owns a goroutine for each kind of event, so that a subscriber that is
// slow to save does not hold up signals. Events of one kind never overlap: the
// next tick is one interval after all subscribers of the last one returned.
// Close waits for the goroutines, and so for the subscribers they are calling.
// It may be called by any goroutine but these: neither a subscriber of the four
// events that a Local publishes nor Config.OnSignal may wait for it.
package local
