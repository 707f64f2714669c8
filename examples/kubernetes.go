package examples

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// RunPod runs a crawl as a pod does: under the name of the pod, until it is done
// or SIGTERM comes. It returns when everything is saved.
func RunPod(ctx context.Context, store kvstore.Store, crawl func(context.Context, *stats.Statistics) error) (err error) {
	// quoted: pod
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var bus events.Bus
	st, err := stats.Open(ctx, stats.Config{ID: "shop", Member: os.Getenv("POD_NAME"), Store: store, Events: &bus})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := st.Close(); err == nil { // nil: everything is saved
			err = closeErr
		}
	}()
	loc := local.Start(&bus, local.Config{Signals: true, OnSignal: func(os.Signal) { cancel() }})
	err = crawl(ctx, st) // returns soon after ctx ends
	return errors.Join(err, loc.Close())
	// end
}

// Ready answers a readiness probe.
func Ready(st *stats.Statistics) http.HandlerFunc {
	// quoted: ready
	return func(w http.ResponseWriter, _ *http.Request) {
		switch h := st.Health(); {
		case h.Superseded:
			http.Error(w, "another pod has the record", http.StatusServiceUnavailable)
		case h.Err != nil && h.Age > time.Minute:
			http.Error(w, "nothing was saved for "+h.Age.Round(time.Second).String(), http.StatusServiceUnavailable)
		}
	}
	// end
}
