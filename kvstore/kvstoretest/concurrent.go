package kvstoretest

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Race lets stores, each a connection of its own to one engine, save over the
// same revision of the key "k" 200 times. One wins each time, the others get
// ErrConflict, and all of them see what has won.
func Race(t testing.TB, stores ...kvstore.Store) {
	t.Helper()
	var rev kvstore.Revision
	for range 200 {
		revs, errs := make([]kvstore.Revision, len(stores)), make([]error, len(stores))
		var wg sync.WaitGroup
		for w, st := range stores {
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
		for _, st := range stores {
			wantItem(t, st, "k", string([]byte{byte(winner)}), rev)
		}
	}
}

// racers lets eight goroutines race on one connection.
func racers(t testing.TB, st kvstore.Store) {
	Race(t, slices.Repeat([]kvstore.Store{st}, 8)...)
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
