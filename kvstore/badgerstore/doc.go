// Package badgerstore is the embedded default store: Badger, tuned for a few
// small records and guarded against what Badger does when things go wrong.
//
// An acknowledged save survives the death of the process. The loss of power
// costs what was saved after the last sync: at most ten seconds, nothing with
// Config.Durable, nothing after Sync or Close.
//
// The directory holds:
//
//	badger/                  Badger's own files
//	badger.bad-<nanoseconds> a database that could not be opened, for you to look at or delete
//	last-good/               the side copy: a file per key, at most a minute old, readable with any pager
//	damaged-<number>         a value that did not agree with its checksum
//	marks                    the newest acknowledged revision of each key
//	opening                  how many starts died while they opened the database
//	lock                     the lock of the owning process, with its pid
//
// Five rails guard it. Open tries again where a killed process left an empty
// file. Below 32 MB of free space nothing is opened or saved, since Badger maps
// its files and a full disk would kill the process; another process that takes
// those 32 MB within one write can still do that. A database that cannot be read,
// or five starts in a row died of, is renamed and a new one is filled from the
// side copy. What is loaded is compared with the side copy and the marks, so
// no older value comes back unreported. Close gives up on a database that hangs.
//
// Nothing damaged is deleted: it is renamed, and one warning says where it is,
// what took its place and how many saves may be missing.
//
// Network file systems are not supported.
//
// # Concurrency
//
// A Store is safe for any number of goroutines. All Stores of a process on one
// directory share one database, which is closed with the last of them. Another
// process has to wait for that: see Open. One goroutine per directory syncs and
// copies; Close stops it and waits for it.
package badgerstore
