// Package view computes, once, what the page, the report, the terminal and the
// command show of a crawl: state, progress, the verdict, tiles, tables, charts.
// They only draw it, so they cannot disagree.
//
//	v := view.Of(view.Input{Snapshot: st.Snapshot(), ID: st.ID(), Now: time.Now(), Live: true})
//
// Every number in a [View] is finite, every list that is empty comes with a
// sentence that says why, and every text is safe to print on one line: [Clean]
// has made control and bidi characters visible, since a saved record may hold
// what a hostile site has put there. HTML and terminals still need their own
// escaping.
//
// # Concurrency
//
// [Of] and the functions that write texts may be called from any number of
// goroutines. A [Track] belongs to one goroutine at a time.
package view
