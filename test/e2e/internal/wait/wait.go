// Package wait polls for conditions, so that no test sleeps for a time that a
// slower machine would exceed.
//
// # Concurrency
//
// For polls on the goroutine that calls it.
package wait

import (
	"testing"
	"time"
)

// For returns when ok is true, and ends the test when it is not within limit.
func For(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
