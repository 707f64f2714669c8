// Package source opens what a user names on the command line: a directory, a
// Redis or NATS URL, an exported file, standard input, or the URL of a running
// dashboard. It reads crawls from them without owning a record, and opens them
// for writing where they are stores.
//
// # Concurrency
//
// A Source belongs to one goroutine at a time.
package source
