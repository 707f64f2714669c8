package examples

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A pod is told to go, and what it has counted stands under its name.
func TestPod(t *testing.T) {
	t.Setenv("POD_NAME", "crawler-3")
	store := kvstore.NewMemory()
	err := RunPod(t.Context(), store, func(ctx context.Context, st *stats.Statistics) error {
		st.Observe(stats.Outcome{})
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			st.Observe(stats.Outcome{}) // what was in flight is finished
			return nil
		case <-time.After(time.Minute):
			return errors.New("the signal did not end the crawl")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := stats.Load(t.Context(), store, stats.Key("shop", "crawler-3"))
	if err != nil || a.Finished != 2 || !a.Segments[0].Clean {
		t.Errorf("finished %d, segments %+v: %v", a.Finished, a.Segments, err)
	}
}

func TestReady(t *testing.T) {
	store := kvstore.NewMemory()
	open := func() *stats.Statistics {
		st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Store: store, PersistEvery: time.Hour, LogEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
	status := func(st *stats.Statistics) int {
		w := httptest.NewRecorder()
		Ready(st)(w, httptest.NewRequest(http.MethodGet, "/ready", nil))
		return w.Code
	}
	older := open()
	if got := status(older); got != http.StatusOK {
		t.Errorf("status %d of a pod that is well", got)
	}
	newer := open()
	older.Observe(stats.Outcome{})
	if err := older.Persist(t.Context()); !errors.Is(err, stats.ErrSuperseded) {
		t.Errorf("Persist: %v, want ErrSuperseded", err)
	}
	if got := [2]int{status(older), status(newer)}; got != [2]int{http.StatusServiceUnavailable, http.StatusOK} {
		t.Errorf("status %v of the older and the newer pod", got)
	}
}
