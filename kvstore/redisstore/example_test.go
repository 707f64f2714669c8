package redisstore_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore/redisstore"
)

func ExampleStore() {
	ctx := context.Background()
	client := redis.NewClient(&redis.Options{
		Addr:                  "127.0.0.1:6379",
		ContextTimeoutEnabled: true, // a call that was left then frees its connection at once
	})
	defer client.Close() // after the store

	st, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer st.Close(ctx)
	info := st.Describe() // nothing was asked of the server yet
	fmt.Println(info.Engine, info.Location, "shared:", info.Shared, "every", info.SuggestedInterval)
	// Output: redis 127.0.0.1:6379/0 shared: true every 5s
}

func ExampleConfig() {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"10.0.0.1:6379", "10.0.0.2:6379"}})
	defer client.Close()

	st, err := redisstore.New(client, redisstore.Config{
		Prefix: "shop", // all keys start with {shop}: and so share a slot
		Logger: slog.Default(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(st.Describe().Location)
	_, err = redisstore.New(client, redisstore.Config{Prefix: "{shop}"})
	fmt.Println(err)
	// Output:
	// 10.0.0.1:6379,10.0.0.2:6379
	// redisstore: new: Config.Prefix "{shop}" has a brace: the cluster takes what stands in braces for the place of the key
}
