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

// outcome is one settled request on its way into a shard.
type outcome struct {
	ending   ending
	kind     uint8 // index of the error kind, when failed
	reason   uint8 // index of the reason, when discarded
	code     int32 // a response that is not booked yet; 0: none
	retries  int32
	duration time.Duration
	queued   time.Duration // queue wait; negative: unknown
	host     string
}

// settle books the end of a request.
func (s *shard) settle(o *outcome) {
	s.changes++
	if o.code != 0 {
		s.status[statusCell(int(o.code))]++
	}
	switch o.ending {
	case discarded:
		s.discards[o.reason]++
	case failed:
		s.failKinds[o.kind]++
		fallthrough
	default:
		s.outcomes[o.ending].add(o.duration)
		s.retries[min(uint32(o.retries), maxRetries)]++
		if o.retries > 0 {
			s.retried++
		}
		if o.queued >= 0 {
			s.addQueued(o)
		}
	}
	if o.host != "" {
		s.hosts.settle(o)
	}
}

func (s *shard) addQueued(o *outcome) {
	if s.queue == nil {
		s.queue = new([2]fineSpread)
	}
	s.queue[0].add(o.queued)
	s.queue[1].add(o.queued + o.duration)
}

// retry books the end of an attempt that will be tried again.
func (s *shard) retry(kind uint8, code int32, host string) {
	s.changes++
	s.restarts++
	s.tryKinds[kind]++
	if code != 0 {
		s.status[statusCell(int(code))]++
	}
	if host != "" {
		s.hosts.retry(host)
	}
}

func statusCell(code int) int {
	if code < 1 || code >= statusCells {
		return 0
	}
	return code
}

// clampDuration keeps what a caller measured within sums that cannot overflow
// by one value.
func clampDuration(d time.Duration) time.Duration { return min(max(d, 0), maxDuration) }
