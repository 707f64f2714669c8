package kvstoretest

import (
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
)

// Run checks that a store keeps the contract of kvstore.Store, and of Lister
// and Describer where it implements them. open returns a fresh, empty store for
// each check; Run closes it. Checks that need a MaxValue or a Lister are skipped
// without one.
func Run(t *testing.T, open func(t *testing.T) kvstore.Store) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			st := open(t)
			t.Cleanup(func() { _ = st.Close(t.Context()) })
			c.run(t, st)
		})
	}
}

// check is one rule of the contract. It takes a TB, so that the tests of the
// suite can see it fail.
type check struct {
	name string
	run  func(t testing.TB, st kvstore.Store)
}

var checks = []check{
	{"CompareAndSet", compareAndSet},
	{"Delete", deleteKey},
	{"RevisionsNeverReturn", revisionsNeverReturn},
	{"Copies", copies},
	{"Values", values},
	{"Keys", keys},
	{"KeyTooLong", keyTooLong},
	{"ValueTooLarge", valueTooLarge},
	{"Racers", racers},
	{"WholeValues", wholeValues},
	{"List", list},
	{"DoneContext", doneContext},
	{"Close", closeStore},
	{"CloseWithDoneContext", closeWithDoneContext},
	{"CloseInUse", closeInUse},
	{"Describe", describe},
}

// prompt is how long a call may take that must not wait. The contract says
// 100 ms; the rest is for a busy machine.
const prompt = 2 * time.Second

// mustSave saves or fails the test.
func mustSave(t testing.TB, st kvstore.Store, key string, value []byte, prev kvstore.Revision) kvstore.Revision {
	t.Helper()
	rev, err := st.Save(t.Context(), key, value, prev)
	if err != nil {
		t.Fatalf("Save(%.40q, %d bytes, %d): %v", key, len(value), prev, err)
	}
	if rev == 0 || rev == prev {
		t.Fatalf("Save(%.40q, %d bytes, %d) = revision %d, want a new one", key, len(value), prev, rev)
	}
	return rev
}

// wantItem checks what is stored.
func wantItem(t testing.TB, st kvstore.Store, key, value string, rev kvstore.Revision) {
	t.Helper()
	it, err := st.Load(t.Context(), key)
	switch {
	case err != nil:
		t.Errorf("Load(%.40q): %v", key, err)
	case string(it.Value) != value:
		t.Errorf("Load(%.40q) = %.40q (%d bytes), want %.40q (%d bytes)", key, it.Value, len(it.Value), value, len(value))
	case it.Rev != rev:
		t.Errorf("Load(%.40q) has revision %d, Save gave %d", key, it.Rev, rev)
	}
}
