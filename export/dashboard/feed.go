package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// sendWithin bounds the time that one event may take to send: a reader that is
// slower is gone, or as good as.
const sendWithin = 5 * time.Second

// feed sends a snapshot, then a tick for each look. Who missed one gets a
// snapshot again. When the Dashboard is closed, the last event says so.
func (d *Dashboard) feed(w http.ResponseWriter, r *http.Request) {
	leave := d.enter(w)
	if leave == nil {
		return
	}
	defer leave()
	out := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // else nginx keeps events back
	if err := out.Flush(); errors.Is(err, http.ErrNotSupported) {
		h.Del("X-Accel-Buffering")
		http.Error(w, "Something between here and the server does not pass events on: ask for stats.json.", http.StatusNotImplemented)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	send := func(number uint64, event string, data []byte) error {
		// The write timeout of the server counts from the request on, and would end
		// every feed; where it cannot be moved there is none to fear.
		_ = out.SetWriteDeadline(time.Now().Add(sendWithin))
		_, err := fmt.Fprintf(w, "retry: 2000\nid: %d\nevent: %s\ndata: %s\n\n", number, event, data)
		return errors.Join(err, out.Flush())
	}
	sent := uint64(0)
	for f := d.producer.fresh(r.Context()); f != nil; f = d.after(sent, r) {
		event, data := "snapshot", f.tick
		if f.tick != nil && f.number == sent+1 {
			event = "tick"
		} else {
			data = f.whole()
		}
		if send(f.number, event, data) != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Time{}) // over HTTP/2 it ends a stream that only waits
		sent = f.number
	}
	if r.Context().Err() == nil {
		_ = send(sent, "end", []byte("closed")) // who has gone need not know
	}
}

// enter takes one of the places for feeds, or answers that there is none.
func (d *Dashboard) enter(w http.ResponseWriter) (leave func()) {
	select {
	case d.feeds <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many pages are open: this one has to ask for stats.json.", http.StatusServiceUnavailable)
		return nil
	}
	unwatch := d.producer.watch()
	if unwatch == nil {
		<-d.feeds
		http.Error(w, "The dashboard is closed.", http.StatusServiceUnavailable)
		return nil
	}
	return func() {
		unwatch()
		<-d.feeds
	}
}

// after waits for a frame that is newer than the one that was sent; nil: there
// will be none, or nobody to send it to.
func (d *Dashboard) after(sent uint64, r *http.Request) *frame {
	for {
		f, changed := d.producer.newest()
		if f.number != sent {
			return f
		}
		select {
		case <-changed:
		case <-d.producer.ended:
			if f, _ = d.producer.newest(); f.number != sent {
				return f
			}
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}
