package stats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// 64 goroutines x 10,000 requests, half of them by handle and half by id,
// while one reader takes snapshots and another saves every 10 ms: whatever is
// read or saved balances, and the totals end exact.
func TestEverySnapshotAndRecordBalances(t *testing.T) {
	const goroutines, requests = 64, 10_000
	store := &auditedStore{Memory: kvstore.NewMemory(), t: t}
	s, err := Open(t.Context(), Config{ID: "c72", Store: store, LogEvery: -1, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var readers sync.WaitGroup
	var read, saved int
	readers.Go(func() {
		for ; !done.Load(); read++ {
			if err := s.Snapshot().Balanced(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	readers.Go(func() {
		pace := time.NewTicker(10 * time.Millisecond)
		defer pace.Stop()
		for ; !done.Load(); saved++ {
			if err := s.Persist(t.Context()); err != nil {
				t.Error(err)
				return
			}
			<-pace.C
		}
	})

	var writers sync.WaitGroup
	for g := range goroutines {
		writers.Go(func() {
			for i := range requests {
				if g%2 == 0 {
					requestByHandle(s, i)
				} else {
					requestByID(s, fmt.Sprintf("%d-%d", g, i), i)
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()

	a := s.Snapshot()
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	const total = goroutines * requests
	want := Snapshot{
		Started: total, Finished: total * 7 / 10, Failed: total * 2 / 10, Discarded: total / 10,
		Retries: total * 3 / 10, Attempts: total + total*3/10,
	}
	got := Snapshot{
		Started: a.Started, Finished: a.Finished, Failed: a.Failed, Discarded: a.Discarded,
		Retries: a.Retries, Attempts: a.Attempts, InFlight: a.InFlight, Unmatched: a.Unmatched,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("totals:\n got %v\nwant %v", got, want)
	}
	if a.StatusCodes[200] != total || a.StatusCodes[503] != total*3/10 {
		t.Errorf("status codes %v", a.StatusCodes)
	}
	if n := a.ErrorKinds["timeout"]; n != total*2/10+total*3/10 {
		t.Errorf("%d errors of kind timeout, want %d", n, total/2)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if read == 0 || saved == 0 {
		t.Errorf("%d snapshots read and %d records saved: nothing was seen under load", read, saved)
	}
	t.Logf("%d snapshots read, %d records saved", read, store.saves.Load())
}

var errSlow = WithKind(KindTimeout, errors.New("too slow"))

// requestByHandle and requestByID do the i-th of ten kinds of request: seven
// finish, two fail, one is discarded, and three are tried twice.
func requestByHandle(s *Statistics, i int) {
	j := s.BeginWith(Request{Host: fmt.Sprintf("host%d", i%7)})
	if retried(i) {
		j.StatusCode(503)
		j.Retry(errSlow)
	}
	j.StatusCode(200)
	switch {
	case i%10 == 9:
		j.Discard(DiscardAborted)
	case i%10 >= 7:
		j.Fail(errSlow)
	default:
		j.Finish()
	}
}

func retried(i int) bool { return i%10 == 0 || i%10 == 7 || i%10 == 8 }

func requestByID(s *Statistics, id string, i int) {
	s.StartWith(id, Request{Host: fmt.Sprintf("host%d", i%7)})
	if retried(i) {
		s.StatusCode(503)
		s.Retry(id, errSlow)
		s.Start(id)
	}
	s.StatusCode(200)
	switch {
	case i%10 == 9:
		s.Discard(id, DiscardAborted)
	case i%10 >= 7:
		s.Fail(id, errSlow)
	default:
		s.Finish(id)
	}
}

// auditedStore checks every record that is saved.
type auditedStore struct {
	*kvstore.Memory
	t     *testing.T
	saves atomic.Int64
}

func (st *auditedStore) Save(ctx context.Context, key string, value []byte, prev kvstore.Revision) (kvstore.Revision, error) {
	st.saves.Add(1)
	a, err := Decode(value)
	if err == nil {
		err = a.Balanced()
	}
	if err != nil {
		st.t.Errorf("saved record: %v", err)
	}
	return st.Memory.Save(ctx, key, value, prev)
}
