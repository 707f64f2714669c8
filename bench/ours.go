package main

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// total is what a Statistics has counted.
func total(s *stats.Statistics) func() int64 {
	return func() int64 { return s.Snapshot().Total() }
}

// byHandle is the main interface as a crawler calls it. Took, with the second
// reading of the clock, stands for the one in Finish, so that durations spread over
// the histogram as those of a crawl do.
var byHandle = contender{
	name: "handle", about: "Begin, StatusCode, Finish",
	open: func() subject {
		s := stats.New()
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			last := since()
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.Begin()
				now := since()
				j.Took(time.Duration(now - last + q.extra))
				last = now
				j.StatusCode(q.code)
				j.Finish()
			}
		}}
	},
}

var ours = []contender{
	byHandle,
	{name: "handle, retries", about: "BeginWith the number of retries, StatusCode, Finish", open: func() subject {
		s := stats.New()
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			last := since()
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.BeginWith(stats.Request{Retries: q.retries})
				now := since()
				j.Took(time.Duration(now - last + q.extra))
				last = now
				j.StatusCode(q.code)
				j.Finish()
			}
		}}
	}},
	{name: "handle, plain", about: "the same, timed by Finish", open: func() subject {
		s := stats.New()
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.Begin()
				j.StatusCode(q.code)
				j.Finish()
			}
		}}
	}},
	{name: "handle, defer", about: "Begin, defer End", open: func() subject {
		s := stats.New()
		one := func(q *request) (err error) {
			j := s.Begin()
			defer j.End(&err)
			j.StatusCode(q.code)
			return nil
		}
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				_ = one(&table[i&(tableSize-1)])
			}
		}}
	}},
	{name: "handle, host", about: "handle with the host", open: func() subject {
		s := stats.New()
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			last := since()
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.BeginWith(stats.Request{Host: q.host, Retries: q.retries})
				now := since()
				j.Took(time.Duration(now - last + q.extra))
				last = now
				j.StatusCode(q.code)
				j.Finish()
			}
		}}
	}},
	{name: "handle, everything", about: "handle with host, bytes, sizes and distinct URLs", open: func() subject {
		s := stats.New()
		bytes, sizes, urls := s.Counter("bytes"), s.Timer("sizes"), s.Unique("urls")
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			last := since()
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.BeginWith(stats.Request{Host: q.host, Retries: q.retries})
				now := since()
				j.Took(time.Duration(now - last + q.extra))
				last = now
				j.StatusCode(q.code)
				bytes.Add(q.bytes)
				sizes.Observe(time.Duration(q.bytes) << 6)
				urls.Add(q.url)
				j.Finish()
			}
		}}
	}},
	{name: "by id", about: "Start and Finish with 10,000 other ids in flight", open: func() subject {
		s := stats.New()
		for i := range 10_000 {
			s.Start("other-" + strconv.Itoa(i))
		}
		var worker atomic.Int64
		return subject{recorded: total(s), loop: func(_ []request, at, n int) {
			own := ids(worker.Add(1), n)
			for i := range n {
				id := own[i&(len(own)-1)]
				s.Start(id)
				s.Finish(id)
			}
		}}
	}},
	{name: "observe", about: "Observe, without a clock", open: func() subject {
		s := stats.New()
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				s.Observe(stats.Outcome{Duration: time.Duration(q.extra), StatusCode: q.code})
			}
		}}
	}},
	{name: "atomic", about: "one atomic add on memory of its own", open: func() subject {
		return subject{loop: func(table []request, at, n int) {
			var sum int64
			own := new(private)
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				sum += q.extra + int64(q.code)
				own.started.Add(1)
			}
			sink.Add(sum)
		}}
	}},
}

// failures are requests that fail, each with one of a few errors that are grouped
// by their messages. Unlike what finishes, it allocates: messages are masked anew.
var failures = contender{
	name: "handle, failed", about: "Begin, StatusCode, Fail; the errors fall into 16 groups",
	open: func() subject {
		s := stats.New()
		errs := make([]error, 16)
		for i := range errs {
			errs[i] = errors.New("page has no element " + strings.Repeat(string(rune('a'+i)), 8))
		}
		return subject{recorded: total(s), loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				j := s.Begin()
				j.StatusCode(q.code)
				j.Fail(errs[q.code%len(errs)])
			}
		}}
	},
}

// ids returns a power of two of ids that no other worker has.
func ids(worker int64, n int) []string {
	own := make([]string, min(1024, 1<<len(strconv.Itoa(n))))
	for i := range own {
		own[i] = strconv.FormatInt(worker, 36) + "-" + requests[i].id[4:]
	}
	return own
}
