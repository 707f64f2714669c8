package main

import (
	"sync/atomic"
	"time"
)

var epoch = time.Now()

// since is the cheapest clock of the standard library: one monotonic reading.
func since() int64 { return int64(time.Since(epoch)) }

// sink keeps the compiler from leaving out what is measured.
var sink atomic.Int64

// private is two counters on cache lines of their own.
type private struct {
	_              [64]byte
	started, ended atomic.Int64
	_              [64]byte
}

// floors are what no recorder can go below: F1 reads the clock at both ends of
// a request, F2 counts both ends besides. F2 is what everything is compared with.
var floors = []contender{
	{name: "F1", about: "two monotonic clock readings", open: func() subject {
		return subject{loop: func(table []request, at, n int) {
			var sum int64
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				start := since()
				sum += since() - start + q.extra + int64(q.code) + int64(q.retries)
			}
			sink.Add(sum)
		}}
	}},
	{name: "F2", about: "F1 and two atomic adds on memory of its own", open: func() subject {
		return subject{loop: func(table []request, at, n int) {
			var sum int64
			own := new(private)
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				own.started.Add(1)
				start := since()
				sum += since() - start + q.extra + int64(q.code) + int64(q.retries)
				own.ended.Add(1)
			}
			sink.Add(sum)
		}}
	}},
}
