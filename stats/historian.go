package stats

import (
	"sync"
	"time"
)

// historian owns the rings of one Statistics. Its goroutine is the loop; New
// has none, and so no history.
type historian struct {
	mu        sync.Mutex
	recording recording
	begun     int // how often: totals read before a Reset do not count after it
}

// begin starts new steps behind the restored points.
func (h *historian) begin(now time.Time, restored History) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun++
	h.recording.begin(wall(now), restored)
}

// sample closes the steps that have ended.
func (h *historian) sample(now time.Time, read func() totals) {
	h.mu.Lock()
	due, begun := h.recording.due(wall(now)), h.begun
	h.mu.Unlock()
	if !due {
		return
	}
	t := read()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun == begun {
		h.recording.close(wall(now), t)
	}
}

func (h *historian) copy() History {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.recording.history.merge(History{})
}
