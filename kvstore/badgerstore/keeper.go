package badgerstore

import (
	"context"
	"time"
)

// keeper syncs the database and brings the side copy up to date, on one
// goroutine.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startKeeper(h *handle) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel: cancel, done: make(chan struct{})}
	db := h.db
	go func() {
		defer close(k.done)
		tick := time.NewTicker(h.lim.syncEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			select {
			case h.turn <- struct{}{}:
				db.keep(time.Now())
				<-h.turn
			case <-ctx.Done():
				return
			}
		}
	}()
	return k
}

// stop stops the goroutine and waits for it. The caller has the turn, so the
// goroutine is waiting itself.
func (k *keeper) stop() {
	k.cancel()
	<-k.done
}
