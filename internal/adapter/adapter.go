// Package adapter holds the key to the instruments that are reserved for the
// adapters of this module: the names that begin with "http." and "wire.".
//
// # Concurrency
//
// There is nothing here to share.
package adapter

// Key opens reserved instruments. Packages outside of this module cannot name
// it.
type Key struct{}
