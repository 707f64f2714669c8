package kvstoretest

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

// racers lets eight writers save over the same revision, 200 times.
func racers(t testing.TB, st kvstore.Store) {
	const writers, rounds = 8, 200
	var rev kvstore.Revision
	for range rounds {
		var (
			revs [writers]kvstore.Revision
			errs [writers]error
			wg   sync.WaitGroup
		)
		for w := range writers {
			wg.Go(func() { revs[w], errs[w] = st.Save(t.Context(), "k", []byte{byte(w)}, rev) })
		}
		wg.Wait()
		winner := -1
		for w, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("writers %d and %d both replaced revision %d", winner, w, rev)
			case err == nil:
				winner = w
			case !errors.Is(err, kvstore.ErrConflict):
				t.Fatalf("writer %d: %v, want ErrConflict", w, err)
			}
		}
		if winner < 0 {
			t.Fatalf("no writer replaced revision %d", rev)
		}
		rev = revs[winner]
		wantItem(t, st, "k", string([]byte{byte(winner)}), rev)
	}
}

// wholeValues reads while values of different lengths are saved.
func wholeValues(t testing.TB, st kvstore.Store) {
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1+i*97%8192) }
	rev := mustSave(t, st, "k", value(0), 0)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				it, err := st.Load(t.Context(), "k")
				if err != nil {
					t.Errorf("Load while saving: %v", err)
					return
				}
				if len(it.Value) == 0 || !bytes.Equal(it.Value, value(int(it.Value[0]))) {
					t.Errorf("Load while saving gave a mixture of two values")
					return
				}
			}
		})
	}
	for i := range 100 {
		next, err := st.Save(t.Context(), "k", value(i), rev)
		if err != nil {
			t.Errorf("Save: %v", err)
			break
		}
		rev = next
	}
	close(stop)
	wg.Wait()
}
