package statsdpush

import (
	"sync"
	"time"
)

// Health is how the sending goes, since Start.
type Health struct {
	Lines   int64 // sent; over UDP no one confirms that they arrive
	Packets int64 // datagrams, or writes to a stream; 0 with Config.Client
	Bytes   int64 // 0 with Config.Client
	Errors  int64 // flushes that were cut short; what was not sent goes with the next
	// Dropped lines were never sent: refused because a server might not survive
	// them, events beyond Config.MaxEvents, and what was left at Close.
	Dropped int64
	// Unconfirmed lines were sent over the last connection, whose server did not
	// hang up in answer at Close: it may not have read all of them. Only streams
	// can confirm.
	Unconfirmed int64
	LastSuccess time.Time // of the newest flush without error, UTC; zero: none yet
	Err         error     // of the newest flush; nil when it was sent
}

// vitals is the Health that several goroutines see.
type vitals struct {
	mu sync.Mutex
	h  Health
}

func (v *vitals) get() Health {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.h
}

func (v *vitals) update(fn func(*Health)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fn(&v.h)
}

// flushed books a flush, and reports whether it failed or worked again after
// others that did not.
func (v *vitals) flushed(t tally, err error) (began, ended bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	began, ended = err != nil && v.h.Err == nil, err == nil && v.h.Err != nil
	v.h.Lines += t.lines
	v.h.Packets += t.packets
	v.h.Bytes += t.size
	v.h.Dropped += t.dropped
	v.h.Err = err
	if err != nil {
		v.h.Errors++
	} else {
		v.h.LastSuccess = time.Now().UTC()
	}
	return began, ended
}
