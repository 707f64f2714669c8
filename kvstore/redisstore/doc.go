// Package redisstore keeps values in Redis or Valkey, for crawls whose workers
// share an engine or move between machines.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
//	defer client.Close()
//	st, err := redisstore.New(client, redisstore.Config{Prefix: "shop"})
//
// The key k of the prefix shop is the hash {shop}:k, whose field v is the value
// and rev its revision. The braces put the keys of one prefix into one slot of a
// cluster. Every operation is one Lua script, and so a save is a compare-and-set;
// a cluster client sends scripts to the primary, never to a replica that may be
// behind.
//
// A revision is a random number that the saving side draws. It comes only once,
// also after the server lost its newest saves, and a save that reaches the
// server twice recognizes itself.
//
// # What the server promises
//
// An acknowledged save is as safe as the server makes it. With appendonly yes
// and appendfsync always, the death of the server loses none; with everysec up to
// about a second of saves, or more under load; without a file, all of them. Replication is asynchronous,
// so a failover can lose the newest saves too: see the server's
// min-replicas-to-write. What was lost shows as ErrConflict at the next save.
//
// The keys have no TTL, so maxmemory-policy noeviction and the volatile ones
// never evict them; a full server then gives ErrNoSpace. The allkeys ones evict
// them like any other: the first call asks for the policy and warns.
//
// # The client
//
// It belongs to the caller: close the store, then the client. The store sends
// each command once, whatever MaxRetries says, and leaves a command at the
// deadline of its context even if the client does not. Such a command keeps its
// connection until the client's ReadTimeout, unless ContextTimeoutEnabled is
// set: set it. go-redis logs to standard error on its own: see redis.SetLogger.
//
// A redis.Ring is refused: it moves keys to another server when one is down, and
// the old values come back with the old server.
//
// # Watching
//
// A Store is no kvstore.Watcher. Servers send keyspace notifications only when
// they are told to, a cluster does not pass them on, and none comes twice; a
// message with each save would be paid for by every crawl. So stats.Fleet.Run
// reads the records once each interval, several at a time, and decodes those whose
// revision is new.
//
// # Errors
//
// ErrUnavailable: the server could not be reached, is loading, or refused for a
// passing reason; nothing was applied. ErrUnknown: the connection or the context
// ended when the command may have left. ErrNoSpace: OOM. ErrReadOnly: a replica.
// ErrPermission: a password or an ACL. ErrCorrupt: the key is not what this
// package writes; a Save with revision zero renames it to
// {shop}!damaged:<revision>:k and takes its place. ErrTooLarge: above 512 KB.
//
// # Concurrency
//
// A Store is safe for any number of goroutines, and any number of Stores in any
// number of processes for one prefix. A call runs on a goroutine of its own,
// which outlives a call that was left; Close waits for it.
package redisstore
