// Package statsdpush sends what a crawler counts to a statsd server.
//
//	pusher, err := statsdpush.Start(st, statsdpush.Config{Prefix: "crawler"})
//	if err != nil {
//		return err
//	}
//	defer pusher.Close()
//
// Each Config.Interval it sends one line for each counter that has grown since,
// and for each gauge, however many requests there were. Counters are of this
// process alone: what was counted before a restart is not sent again, and goes
// out as gauges named lifetime. docs/METRICS.md lists the names.
//
// A counter is taken as sent when the kernel has taken it. What could not be
// sent goes with the next flush. Over TCP and Unix sockets, and over UDP on one
// machine, totals therefore end exact although the server was away; what stood
// in the buffers of a server that dies is lost, and UDP over a network confirms
// nothing at all. Nothing is ever sent twice on purpose.
//
// # Concurrency
//
// All methods of [Pusher] may be called from any number of goroutines. Start
// starts one goroutine, which does all the sending, and Close waits for it. The
// crawler's own goroutines never send: with TimingEvents or Sets they put each
// event into a bounded list under a short lock, otherwise they are not involved
// at all. Only a Config.Client that never returns can outlast Close, which then
// says so.
package statsdpush
