// Package stats counts the requests of a crawler, remembers the counts across
// crashes and moves, and shows them.
//
//	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store})
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//
//	j := st.Begin()
//	resp, err := client.Do(req)
//	if err != nil {
//		j.Fail(err)
//	} else {
//		j.StatusCode(resp.StatusCode)
//		j.Finish()
//	}
//
// [New] makes a Statistics in memory alone. [Open] restores the record of
// earlier runs, claims it, and saves by itself while something changes. What is
// lost by a kill -9 is at most one interval and the save under way.
//
// # Reading
//
// A [Snapshot] is a plain value. [Statistics.Snapshot] covers all runs,
// [Statistics.Live] this process. Snapshots merge: shards into one process, a
// record into its next run, workers into a fleet. In each of them
//
//	Started = Finished + Failed + Discarded + Interrupted + InFlight
//
// holds, and [Snapshot.Balanced] checks it.
//
// # Concurrency
//
// Every method of [Statistics], [Counter], [Gauge], [Timer], [Unique] and
// [Extension] may be called from any number of goroutines. A [Job] belongs to
// one goroutine at a time. Recording by handle takes one short lock that only a
// goroutine on the same processor, or a reader, ever holds; it does no I/O, and
// allocates nothing unless the request fails. Recording never waits for the
// store, the log, an exporter or another reader.
//
// One outcome is counted as a whole: a snapshot holds all of it or nothing. Two
// outcomes on two processors may be seen in either order.
//
// Open starts one goroutine, which Close stops and waits for. A checkpoint and
// each call on the store run on one more, of which there is never more than one
// at a time; when a store hangs beyond the deadline of Close, that one is left
// behind until the store lets go. New starts none.
//
// Handlers on the bus run on the goroutine that publishes. They may call every
// method, Close included. ErrorGroupOpened is published by the goroutine that
// recorded the error, after all locks are released.
//
// Build with the tag crawlstats_portable to do without the two functions of the
// runtime that keep writers apart; everything else is the same.
package stats
