// Package natsstore keeps values in a key-value bucket of NATS JetStream, for
// crawls whose workers share an engine or move between machines.
//
//	js, err := jetstream.New(conn)
//	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
//		Bucket: "crawls", Replicas: 3, History: 5, // a history keeps previous copies
//	})
//	st, err := natsstore.New(ctx, kv, natsstore.Config{Prefix: "shop"})
//
// The key k of the prefix shop is shop.k in the bucket. What NATS does not allow
// in a key, and the dot, stands there as =XX; the empty key is "=". A revision is
// the sequence number that the bucket gave to the value.
//
// # What the server promises
//
// An acknowledged save is on most replicas of the bucket, and survives the death
// of a server. JetStream syncs its files to disk every two minutes unless
// sync_interval says always, so the loss of power of all servers at once can lose
// saves. A bucket that was emptied or created anew counts its sequence numbers
// from one again, and then a revision can come twice.
//
// Any replica may answer a read, also one that is behind. The store remembers the
// newest revision of each key it met, and reads again until the bucket has it,
// for half a second; what is older then is taken for a loss of the server and
// reported with a warning. So a program reads what it wrote, and after an
// ErrConflict what it lost to; of the writes of others it may learn late, and a
// save over an old revision is an ErrConflict.
//
// # The connection
//
// It belongs to the caller: close the store, then the connection. A save that is
// made while the connection is down may wait in its buffer and arrive after it
// was given up; it is then applied only if nobody saved in between.
//
// # Errors
//
// ErrUnavailable: no server has the bucket, it has no leader, or another save of
// the key stays undecided for lack of servers; nothing was applied. ErrUnknown: no answer came before the context or the connection ended.
// ErrNoSpace: the bucket or the account is full. ErrTooLarge: above 512 KB, or
// what the bucket or the server takes at most. ErrPermission: the connection was
// refused. A subject that the user may not publish gives no answer at all, and so
// ErrUnknown.
//
// # Concurrency
//
// A Store is safe for any number of goroutines, and any number of Stores in any
// number of processes for one bucket and prefix. A call runs on a goroutine of
// its own, which outlives a call that was left, and so does a Watch; Close ends
// the watches and waits for all of them.
package natsstore
