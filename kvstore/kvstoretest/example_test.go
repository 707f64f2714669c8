package kvstoretest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
)

func ExampleRun() {
	// In a test file: func TestMyStore(t *testing.T) { ... }
	_ = func(t *testing.T) {
		kvstoretest.Run(t, func(t *testing.T) kvstore.Store { return kvstore.NewMemory() })
	}
	// Output:
}

func ExampleFaulty() {
	ctx := context.Background()
	st := kvstoretest.NewFaulty(kvstore.NewMemory())
	st.Inject(kvstoretest.Fault{Op: kvstoretest.Save, Nth: 1, Err: kvstore.ErrUnknown, Applied: true})

	_, err := st.Save(ctx, "k", []byte("v"), 0) // applied, but the answer gets lost
	fmt.Println(errors.Is(err, kvstore.ErrUnknown))
	it, err := st.Load(ctx, "k")
	fmt.Println(string(it.Value), err)
	// Output:
	// true
	// v <nil>
}

func ExampleFault() {
	st := kvstoretest.NewFaulty(kvstore.NewMemory())
	st.Inject(kvstoretest.Fault{Op: kvstoretest.Load, Err: kvstore.ErrUnavailable}) // an outage of loads

	_, err := st.Load(context.Background(), "k")
	fmt.Println(errors.Is(err, kvstore.ErrUnavailable))
	st.Heal()
	_, err = st.Load(context.Background(), "k")
	fmt.Println(errors.Is(err, kvstore.ErrNotFound), "after", st.Calls(kvstoretest.Load), "calls")
	// Output:
	// true
	// true after 2 calls
}
