package badgerstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
)

func ExampleStore() {
	dir, _ := os.MkdirTemp("", "stats")
	defer os.RemoveAll(dir)
	ctx := context.Background()

	st, err := badgerstore.Open(badgerstore.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer st.Close(ctx)
	rev, _ := st.Save(ctx, "state", []byte("first"), 0)
	st.Save(ctx, "state", []byte("second"), rev)
	it, err := st.Load(ctx, "state")
	fmt.Println(string(it.Value), err)
	// Output: second <nil>
}

func ExampleConfig() {
	dir, _ := os.MkdirTemp("", "stats")
	defer os.RemoveAll(dir)
	ctx := context.Background()

	st, err := badgerstore.Open(badgerstore.Config{
		Dir:     dir,
		Durable: true, // lose nothing to a power cut
		Logger:  slog.Default(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	info := st.Describe()
	fmt.Println(info.Engine, "shared:", info.Shared, "up to", info.MaxValue>>10, "KB a value")
	fmt.Println(st.Close(ctx))
	// Output:
	// badger shared: false up to 511 KB a value
	// <nil>
}

// A Copy looks without leaving a trace.
func ExampleOpenCopy() {
	dir, _ := os.MkdirTemp("", "stats")
	defer os.RemoveAll(dir)
	ctx := context.Background()
	st, err := badgerstore.Open(badgerstore.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	st.Save(ctx, "state", []byte("saved"), 0)
	st.Close(ctx)

	c, err := badgerstore.OpenCopy(badgerstore.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	it, err := c.Load(ctx, "state")
	fmt.Println(string(it.Value), err)
	// Output: saved <nil>
}
