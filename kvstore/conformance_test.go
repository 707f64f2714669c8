package kvstore_test

import (
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
)

func openMemory(*testing.T) kvstore.Store { return kvstore.NewMemory() }

func openDir(t *testing.T) kvstore.Store {
	st, err := kvstore.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// viewOf returns a named store between two others of which it must see nothing.
func viewOf(open func(*testing.T) kvstore.Store) func(*testing.T) kvstore.Store {
	return func(t *testing.T) kvstore.Store {
		st := open(t)
		t.Cleanup(func() { st.Close(t.Context()) })
		for _, other := range []kvstore.Store{st, kvstore.Named(st, "x")} {
			if _, err := other.Save(t.Context(), "k", []byte("theirs"), 0); err != nil {
				t.Fatal(err)
			}
		}
		return kvstore.Named(st, "x/")
	}
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*testing.T) kvstore.Store{"Memory": openMemory, "Dir": openDir} {
		t.Run(name, func(t *testing.T) { kvstoretest.Run(t, open) })
		t.Run("Named"+name, func(t *testing.T) { kvstoretest.Run(t, viewOf(open)) })
	}
}
