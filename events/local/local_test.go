package local_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// noLog returns a logger for tests that expect no message: one fails them.
func noLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(failer{t}, nil)) }

type failer struct{ t *testing.T }

func (f failer) Write(p []byte) (int, error) {
	f.t.Errorf("logged: %s", p)
	return len(p), nil
}

func TestTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		begin := time.Now()
		var got []time.Duration
		events.Subscribe(&bus, func(context.Context, events.PersistState) error {
			got = append(got, time.Since(begin))
			return nil
		})
		l := local.Start(&bus, local.Config{InfoEvery: -1, Logger: noLog(t)})
		time.Sleep(150 * time.Second)
		l.Close()
		want := []time.Duration{0, time.Minute, 2 * time.Minute, 150 * time.Second}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSlowSubscribersDoNotMakeTicksPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		begin := time.Now()
		running := 0
		var got []time.Duration
		events.Subscribe(&bus, func(context.Context, events.PersistState) error {
			got = append(got, time.Since(begin))
			if running++; running > 1 {
				t.Error("two PersistState events overlap")
			}
			time.Sleep(25 * time.Second)
			running--
			return nil
		})
		l := local.Start(&bus, local.Config{PersistEvery: 10 * time.Second, InfoEvery: -1, Logger: noLog(t)})
		time.Sleep(80 * time.Second) // in the middle of the third
		l.Close()
		want := []time.Duration{0, 35 * time.Second, 70 * time.Second, 95 * time.Second}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCloseEndsWithPersistStateAndExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		var got []string
		full := errors.New("disk full")
		events.Subscribe(&bus, func(context.Context, events.PersistState) error {
			got = append(got, "persist")
			return full
		})
		events.Subscribe(&bus, func(context.Context, events.Exit) error {
			got = append(got, "exit")
			return nil
		})
		var log bytes.Buffer
		l := local.Start(&bus, local.Config{PersistEvery: -1, InfoEvery: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(time.Hour)
		for range 2 { // the second Close has no effect and the same result
			if err := l.Close(); !errors.Is(err, full) {
				t.Errorf("Close returned %v, want the error of the subscriber", err)
			}
		}
		if diff := cmp.Diff([]string{"persist", "exit"}, got); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log.String(), "event=events.PersistState") || !strings.Contains(log.String(), "disk full") {
			t.Errorf("the log names neither event nor error: %s", &log)
		}
	})
}

func TestSystemInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus events.Bus
		var got []events.SystemInfo
		events.Subscribe(&bus, func(_ context.Context, e events.SystemInfo) error {
			got = append(got, e)
			return nil
		})
		l := local.Start(&bus, local.Config{PersistEvery: -1, Logger: noLog(t)})
		time.Sleep(2500 * time.Millisecond)
		l.Close()
		if len(got) != 3 {
			t.Fatalf("%d SystemInfo events in 2.5 s, want 3", len(got))
		}
		for i, e := range got {
			if e.CPU < 0 || e.CPU > 100 {
				t.Errorf("CPU is %v, want 0 to 100", e.CPU)
			}
			if e.MemoryUsed < 1<<20 || e.MemoryUsed > e.MemoryTotal {
				t.Errorf("%d of %d bytes used, want at least a megabyte and no more than there is", e.MemoryUsed, e.MemoryTotal)
			}
			if i > 0 && e.At.Sub(got[i-1].At) != time.Second {
				t.Errorf("%v between two events, want 1s", e.At.Sub(got[i-1].At))
			}
		}
	})
}

func TestNil(t *testing.T) {
	var l *local.Local
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	// A nil bus is one that nobody listens to.
	if err := local.Start(nil, local.Config{Logger: noLog(t)}).Close(); err != nil {
		t.Error(err)
	}
}
