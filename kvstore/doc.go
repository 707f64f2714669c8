// Package kvstore is the contract between the statistics and the engine that
// keeps them, and the two stores that need nothing but the standard library.
//
//   - [Memory] keeps values in this process: for tests, and for a crawl that
//     must not touch the disk.
//   - [Dir] keeps one file per key, every save synced, shared between processes:
//     for small containers and for people who want no database.
//   - [Named] puts any number of stores into one.
//
// The embedded default is badgerstore; redisstore and natsstore serve a fleet.
// A store of your own passes kvstoretest.Run before it meets real data.
//
// # Concurrency
//
// Every Store is safe for any number of goroutines, and so are the stores made
// by Named over it. Saves of one key are ordered by their revisions: of several
// writers that hold the same revision, exactly one wins.
package kvstore
