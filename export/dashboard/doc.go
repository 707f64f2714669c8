// Package dashboard shows a stats.Source as a live page in the browser, and
// writes the report of a crawl.
//
//	d := dashboard.New(st, dashboard.Config{})
//	defer d.Close()
//	mux.Handle("/crawl/", http.StripPrefix("/crawl", d))
//
// [New] makes a handler for any prefix, behind any middleware: all its addresses
// are relative. [Listen] serves it on the loopback interface. [WriteReport]
// writes one HTML file without a script.
//
// # What is served
//
//	/                      the page
//	/api/v1/feed           server-sent events: a snapshot, a tick each second, an end
//	/api/v1/stats.json     what the page shows
//	/api/v1/snapshot.json  the whole stats.Snapshot, which stats.Decode reads
//	/report.html           the report
//	/api/v1/reset          POST, only with Config.Reset
//
// The charts come from the history that is saved with the state, so they are full
// at once after a restart. Of what is not saved, the trends of errors and the
// pace of the queue, New begins to take notes. Over a *stats.Fleet the page also
// shows its workers; a Source that is neither a Statistics nor a Fleet is taken
// for a saved record.
//
// A crawler that sets the gauge "queue.pending" gets a progress bar.
//
// # Who may look
//
// The page is read-only, and full of words from strangers' servers, which it
// shows as text under a policy that forbids everything but its own files. It
// answers only to a Host that is localhost, a loopback address or one of
// Config.AllowedHosts, so that no other web site can read it through a browser.
// It has no passwords: put it behind a middleware that asks for one before
// others than this machine can reach it. docs/DASHBOARD.md has an example.
//
// # Concurrency
//
// A Dashboard may be used from any number of goroutines. New starts one, which
// reads the Source once each [Config.Every] while somebody looks, whatever their
// number, and every 10 s otherwise; [Dashboard.Close] stops it. A reader that is
// slow misses ticks and then gets everything anew; it holds up nobody. No lock is
// held while the Source is read or anything is sent.
package dashboard
