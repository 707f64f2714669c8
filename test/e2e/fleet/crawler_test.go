package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/stats"
)

// What a child is told by its environment.
const (
	engineEnv = "CRAWLSTATS_TEST_ENGINE"
	memberEnv = "CRAWLSTATS_TEST_MEMBER"
	ledgerEnv = "CRAWLSTATS_TEST_LEDGER"
)

var roles = map[string]func() error{"crawler": crawl, "mover": move, "worker": work}

const crawlID = "story"

var quiet = slog.New(slog.DiscardHandler)

// opened is what every child begins with: the engine of its environment and a
// Statistics on it.
type opened struct {
	bus events.Bus
	st  *stats.Statistics
	end func() error // of the store and its client, after the Statistics
}

func openChild(every time.Duration) (*opened, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, done, err := engine(os.Getenv(engineEnv)).open(context.Background(), log)
	if err != nil {
		return nil, err
	}
	o := &opened{end: done}
	o.st, err = stats.Open(context.Background(), stats.Config{
		ID: crawlID, Member: os.Getenv(memberEnv), Store: store, Events: &o.bus,
		PersistEvery: every, Logger: log, LogEvery: -1,
	})
	if err != nil {
		return nil, errors.Join(err, done())
	}
	fmt.Println("resumed", o.st.Snapshot().Finished)
	return o, nil
}

// crawl counts a request each millisecond until its input ends, fenced or not.
func crawl() error {
	o, err := openChild(100 * time.Millisecond)
	if err != nil {
		return err
	}
	var own, fencedAt atomic.Int64
	events.Subscribe(&o.bus, func(context.Context, events.Superseded) error {
		fencedAt.Store(own.Load())
		fmt.Println("superseded", own.Load())
		return nil
	})
	told := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(told)
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for further := false; ; {
		select {
		case <-told:
			err := o.st.Close()
			fmt.Println("closed", own.Load())
			if errors.Is(err, stats.ErrSuperseded) != (fencedAt.Load() > 0) {
				return fmt.Errorf("Close: %w; superseded after %d requests", err, fencedAt.Load())
			}
			return o.end()
		case <-tick.C:
			o.st.Observe(stats.Outcome{Duration: time.Millisecond})
			own.Add(1)
			if at := fencedAt.Load(); at > 0 && !further && o.st.Live().Finished > at+50 {
				fmt.Println("further")
				further = true
			}
		}
	}
}

// move counts a thousand requests, leaves three in flight and waits. Nothing
// saves but a signal; it never closes.
func move() error {
	o, err := openChild(time.Hour)
	if err != nil {
		return err
	}
	const own = 1000
	for range own {
		o.st.Observe(stats.Outcome{Duration: time.Millisecond})
	}
	for i := range 3 {
		o.st.Start(fmt.Sprint("in flight ", i))
	}
	moved := make(chan struct{})
	local.Start(&o.bus, local.Config{
		PersistEvery: -1, InfoEvery: -1, Signals: true,
		OnSignal: func(os.Signal) { close(moved) },
	})
	fmt.Println("counted", own)
	<-moved
	fmt.Println("moved", o.st.Snapshot().Finished)
	select {} // until it is killed
}
