package stats

import (
	"slices"
	"sync"
)

// fold is the sum of shards. A recorder uses one again and again: to get and
// clear 40 KB costs more than to fold the little of it that is in use.
type fold struct {
	mu sync.Mutex // held from use to release
	folded
	outcomes [2]fineSpread
	queue    [2]fineSpread
}

// folded is what a fold clears as a whole.
type folded struct {
	observed, rejected, restarts, retried int64

	retries   [maxRetries + 1]int64
	discards  [len(discardReasons)]int64
	failKinds [len(errorKinds)]int64
	tryKinds  [len(errorKinds)]int64
	status    [statusCells]int64

	hosts      []HostStats
	hostsOther HostStats
}

// use returns f for the caller alone, a sum of nothing, until release.
func (f *fold) use() *fold {
	f.mu.Lock()
	return f
}

func (f *fold) release() {
	f.folded = folded{}
	for i := range 2 {
		f.outcomes[i].reset()
		f.queue[i].reset()
	}
	f.mu.Unlock()
}

// shard adds everything of s, whose lock is held.
func (f *fold) shard(s *shard) {
	f.requests(s)
	hosts, other := s.hosts.all()
	f.hosts = append(f.hosts, hosts...)
	f.hostsOther = mergeHost(f.hostsOther, other)
}

// requests adds the numbers of s, whose lock is held.
func (f *fold) requests(s *shard) {
	f.observed += s.observed
	f.rejected += s.rejected
	f.restarts += s.restarts
	f.retried += s.retried
	addTo(f.retries[:], s.retries[:])
	addTo(f.discards[:], s.discards[:])
	addTo(f.failKinds[:], s.failKinds[:])
	addTo(f.tryKinds[:], s.tryKinds[:])
	addTo(f.status[:], s.status[:])
	for i := range s.outcomes {
		f.outcomes[i].fold(&s.outcomes[i])
	}
	if s.queue != nil {
		for i := range s.queue {
			f.queue[i].fold(&s.queue[i])
		}
	}
}

func addTo(sum, more []int64) {
	sum = sum[:len(more)]
	for i, n := range more {
		sum[i] += n
	}
}

// into writes what does not depend on the starts.
func (f *fold) into(a *Snapshot) {
	a.Finished, a.Failed = f.outcomes[finished].count, f.outcomes[failed].count
	a.FinishedDuration, a.FailedDuration = f.outcomes[finished].durations(), f.outcomes[failed].durations()
	a.QueueWait, a.TotalDuration = f.queue[0].durations(), f.queue[1].durations()
	a.Retries = f.retried
	a.RetryHistogram = trimZeros(slices.Clone(f.retries[:]))
	for i, n := range f.discards {
		if n != 0 {
			a.Discarded += n
			setKey(&a.Discards, discardReasons[i], n)
		}
	}
	for code, n := range f.status {
		if n != 0 {
			setKey(&a.StatusCodes, code, n)
		}
	}
	for i, kind := range errorKinds {
		if n := f.failKinds[i]; n != 0 {
			setKey(&a.FailedKinds, string(kind), n)
		}
		if n := f.failKinds[i] + f.tryKinds[i]; n != 0 {
			setKey(&a.ErrorKinds, string(kind), n)
		}
	}
}

// setKey writes to a map that is nil while it is empty.
func setKey[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[k] = v
}

// topHosts keeps the n busiest of sorted hosts and adds the others to other.
func topHosts(hosts []HostStats, other HostStats, n int) ([]HostStats, HostStats) {
	if len(hosts) <= n {
		return hosts, other
	}
	for _, h := range hosts[n:] {
		h.Host = ""
		other = mergeHost(other, h)
	}
	return slices.Clip(hosts[:n]), other
}
