package main

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// crawlee is Crawlee's Statistics in Go, line by line: a map of jobs by id under
// one lock.
type crawlee struct {
	mu                  sync.Mutex
	jobs                map[string]*crawleeJob
	finished, retried   int64
	shortest, longest   time.Duration
	total               time.Duration
	codes               map[string]int64
	retryHistogramCells []int64
}

type crawleeJob struct {
	last time.Time
	runs int
}

func (s *crawlee) startJob(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil {
		j = new(crawleeJob)
		s.jobs[id] = j
	}
	j.last = time.Now()
	j.runs++
}

func (s *crawlee) finishJob(id string, extra int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil {
		return
	}
	d := time.Since(j.last) + time.Duration(extra)
	s.finished++
	s.total += d
	retries := j.runs - 1
	if retries > 0 {
		s.retried++
	}
	for len(s.retryHistogramCells) <= retries {
		s.retryHistogramCells = append(s.retryHistogramCells, 0)
	}
	s.retryHistogramCells[retries]++
	s.shortest, s.longest = min(s.shortest, d), max(s.longest, d)
	delete(s.jobs, id)
}

func (s *crawlee) registerStatusCode(code int) {
	key := strconv.Itoa(code)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[key]++
}

var crawleePort = contender{
	name: "Crawlee port", about: "one lock, a map of jobs by id, as Crawlee has it",
	lacks: "no histogram of durations, no hosts, no bounds; in flight only what was given an id",
	open: func() subject {
		s := &crawlee{jobs: map[string]*crawleeJob{}, codes: map[string]int64{}, shortest: 1 << 62}
		var worker atomic.Int64
		return subject{
			recorded: func() int64 { s.mu.Lock(); defer s.mu.Unlock(); return s.finished },
			loop: func(table []request, at, n int) {
				own := ids(worker.Add(1), 8)
				for i := at; i < at+n; i++ {
					q := &table[i&(tableSize-1)]
					id := own[i&(len(own)-1)]
					for range q.retries + 1 {
						s.startJob(id)
					}
					s.registerStatusCode(q.code)
					s.finishJob(id, q.extra)
				}
			},
		}
	},
}
