package natsstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
)

// open is how a program comes to a store. Who calls it closes the store, then
// the connection.
func open(ctx context.Context, url string) (*natsstore.Store, *nats.Conn, error) {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "crawls", Replicas: 3, History: 5})
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	st, err := natsstore.New(ctx, kv, natsstore.Config{Prefix: "shop"})
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return st, conn, nil
}

// A crawl that must run without its servers keeps its values in memory.
func ExampleStore() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var st kvstore.Store
	if bucket, conn, err := open(ctx, "nats://127.0.0.1:1"); err == nil {
		defer conn.Close()
		st = bucket
	} else {
		fmt.Println(err)
		st = kvstore.NewMemory()
	}
	defer st.Close(ctx)
	_, err := st.Save(ctx, "state", []byte("v"), 0)
	fmt.Println(err)
	// Output:
	// nats: no servers available for connection
	// <nil>
}

func ExampleConfig() {
	cfg := natsstore.Config{
		Prefix: "shop", // the key k is shop.k in the bucket
		Logger: slog.Default(),
	}
	_, err := natsstore.New(context.Background(), nil, cfg)
	fmt.Println(err)
	// Output: natsstore: new: the bucket is nil: make one with CreateOrUpdateKeyValue of the jetstream package
}
