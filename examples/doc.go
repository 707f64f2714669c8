// Package examples shows how crawlers on other clients feed crawlstats, one file
// a client. The guide in docs/HTTP.md quotes what stands between "quoted" marks,
// and a test compares the two.
//
// It is a module of its own, so that the library links none of these clients.
//
// # Concurrency
//
// As each client has it: recording may be called from any goroutine.
package examples
