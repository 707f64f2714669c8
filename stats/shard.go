package stats

import (
	"sync/atomic"
	"time"
)

const (
	maxRetries  = 64   // last index of the retry histogram: this many or more
	statusCells = 1000 // codes 1 to 999 by index; 0 is any other
	maxDuration = 100 * 365 * 24 * time.Hour
)

// How a request ended.
type ending uint8

const (
	finished ending = iota
	failed
	discarded
)

// shard is what one processor has counted. Everything but started is guarded by
// the lock of its stripe, so one outcome lands whole or not at all.
type shard struct {
	// started is written without the lock and read after all shards were: a
	// reader can see a start without its end, never an end without its start.
	// Seal makes it negative, which is how a late start learns that it is late.
	started atomic.Int64
	sealed  bool
	frozen  int64 // started when sealed

	changes  uint64 // locked operations, to know whether a save is due
	observed int64  // started and settled in one go
	rejected int64  // of those: discarded before an attempt was made
	restarts int64  // attempts after the first
	retried  int64  // settled requests that needed a retry

	retries   [maxRetries + 1]int64
	outcomes  [2]fineSpread // finished, failed
	discards  [len(discardReasons)]int64
	failKinds [len(errorKinds)]int64 // of failed requests
	tryKinds  [len(errorKinds)]int64 // of attempts that were tried again
	status    [statusCells]int64

	queue *[2]fineSpread // queue wait, total time: only where QueuedAt is known
	hosts hostTable
}

// settle books the end of a request.
func (s *shard) settle(j *Job) {
	s.changes++
	if j.answered {
		s.status[statusCell(j.code)]++
	}
	switch j.ending {
	case discarded:
		s.discards[j.detail]++
	case failed:
		s.failKinds[j.detail]++
		fallthrough
	default:
		c := &s.outcomes[j.ending]
		c.cells[bucketOf(j.duration, fine)]++
		c.spread.add(j.duration)
		s.retries[retryCell(j.retries)]++
		if j.retries > 0 {
			s.retried++
		}
		if j.queued >= 0 {
			s.addQueued(j)
		}
	}
	if j.host != "" {
		s.hosts.settle(j)
	}
}

func (s *shard) addQueued(j *Job) {
	if s.queue == nil {
		s.queue = new([2]fineSpread)
	}
	s.queue[0].add(j.queued)
	s.queue[1].add(j.queued + j.duration)
}

// retry books the end of an attempt that will be tried again.
func (s *shard) retry(j *Job) {
	s.changes++
	s.restarts++
	s.tryKinds[j.detail]++
	if j.answered {
		s.status[statusCell(j.code)]++
	}
	if j.host != "" {
		s.hosts.retry(j.host)
	}
}

func retryCell(n int) int { return min(max(n, 0), maxRetries) }

func statusCell(code int) int {
	if code < 1 || code >= statusCells {
		return 0
	}
	return code
}

// clampDuration keeps what a caller measured within sums that cannot overflow
// by one value.
func clampDuration(d time.Duration) time.Duration { return min(max(d, 0), maxDuration) }
