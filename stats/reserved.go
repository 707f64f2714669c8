package stats

import "github.com/crawlstats/crawlstats/internal/adapter"

// ReservedCounter is Counter for the adapters of this module, which alone can
// name a Key: their counters are "http.…" and "wire.…".
func (s *Statistics) ReservedCounter(_ adapter.Key, name string, labels ...Label) *Counter {
	return s.counter(name, labels, true)
}

// ReservedTimer is Timer for the adapters of this module.
func (s *Statistics) ReservedTimer(_ adapter.Key, name string, labels ...Label) *Timer {
	return s.timer(name, labels, true)
}
