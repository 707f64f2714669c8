// Package kvstoretest tests stores, and code that uses stores.
//
// [Run] is the conformance suite that every kvstore.Store passes, those of this
// module and yours. [Faulty] wraps a store and fails, delays or blocks the calls
// it is told to, for tests of what happens when an engine does.
//
// # Concurrency
//
// Run runs its checks one after another; each check may use many goroutines. A
// Faulty is as safe for concurrent use as the store it wraps.
package kvstoretest
