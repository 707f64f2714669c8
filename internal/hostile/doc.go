// Package hostile is what a hostile web site sends to a crawler, for the tests of
// whatever shows it: texts that try to be something else where they end up,
// numbers that no clock and no counter gives, and names without end.
//
// # Concurrency
//
// Everything here is a plain value, or a function that may be called from any
// goroutine.
package hostile
