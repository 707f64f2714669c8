// Package natstest starts clusters of NATS servers in the test process.
//
// # Concurrency
//
// A Cluster belongs to the goroutine of its test.
package natstest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// Main is leaktest.Main for tests with a Cluster. A server that is shut down while
// it makes a stream forgets the store of it, and the clock that the store is served by.
func Main(m *testing.M) {
	const pkg = "github.com/nats-io/nats-server/v2/server"
	leaktest.Main(m, pkg+".(*fileStore).flushStreamStateLoop", pkg+"/ats.Register.func1")
}

// Cluster is three JetStream servers.
type Cluster struct {
	options [3]*server.Options
	servers [3]*server.Server
}

// Start runs a cluster until the test ends.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	var routes []*url.URL
	var ports [3]int
	for i := range ports {
		ports[i] = port.Free(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])})
	}
	for i := range c.options {
		c.options[i] = &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: port.Free(t),
			JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}, Routes: routes,
		}
	}
	for i := range c.servers {
		c.Run(t, i)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.Stop(i)
		}
	})
	c.Ready(t)
	return c
}

// Ready waits until the cluster has a leader and all its members.
func (c *Cluster) Ready(t testing.TB) {
	t.Helper()
	wait.For(t, time.Minute, "the cluster has a leader and all members", func() bool {
		for _, s := range c.servers {
			if s.JetStreamIsLeader() {
				return len(s.JetStreamClusterPeers()) == len(c.servers)
			}
		}
		return false
	})
}

// Run starts server i and waits until it takes connections.
func (c *Cluster) Run(t testing.TB, i int) {
	t.Helper()
	s, err := server.NewServer(c.options[i].Clone())
	if err != nil {
		t.Fatal(err)
	}
	c.servers[i] = s
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatalf("server %d does not take connections: is one of its ports in use?", i)
	}
}

// Stop shuts server i down.
func (c *Cluster) Stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}

// Empty removes what server i keeps on disk, while it is stopped.
func (c *Cluster) Empty(t testing.TB, i int) {
	t.Helper()
	if err := os.RemoveAll(c.options[i].StoreDir); err != nil {
		t.Fatal(err)
	}
}

// URLs are the addresses of all servers.
func (c *Cluster) URLs() string {
	var urls []string
	for _, o := range c.options {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", o.Port))
	}
	return strings.Join(urls, ",")
}

// Leader is the server that leads the bucket, once there is one.
func (c *Cluster) Leader(t testing.TB, bucket string) (leader int) {
	t.Helper()
	wait.For(t, time.Minute, "the bucket has a leader", func() bool {
		for i, s := range c.servers {
			if s.Running() && s.JetStreamIsStreamLeader("$G", "KV_"+bucket) {
				leader = i
				return true
			}
		}
		return false
	})
	return leader
}

// Connect returns a connection that is closed with the test.
func Connect(t testing.TB, urls string) jetstream.JetStream {
	t.Helper()
	conn, err := Dial(urls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Dial connects and never gives up.
func Dial(urls string) (*nats.Conn, error) {
	return nats.Connect(urls, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true))
}

var buckets atomic.Int64

// Bucket makes a bucket that is replicated over the whole cluster.
func Bucket(t testing.TB, js jetstream.JetStream) jetstream.KeyValue {
	t.Helper()
	return Make(t, js, jetstream.KeyValueConfig{})
}

// Named makes a bucket of that name.
func Named(t testing.TB, js jetstream.JetStream, name string) jetstream.KeyValue {
	t.Helper()
	return Make(t, js, jetstream.KeyValueConfig{Bucket: name})
}

// Make makes a bucket, by default one of a new name that is replicated over the
// whole cluster. It waits for a cluster that is still electing its leader.
func Make(t testing.TB, js jetstream.JetStream, cfg jetstream.KeyValueConfig) (kv jetstream.KeyValue) {
	t.Helper()
	if cfg.Bucket == "" {
		cfg.Bucket = fmt.Sprint("b", buckets.Add(1))
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 3
	}
	wait.For(t, time.Minute, "the bucket is made", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		kv, err = js.CreateOrUpdateKeyValue(ctx, cfg)
		return err == nil
	})
	// The servers learn one by one who answers reads of a new bucket.
	wait.For(t, time.Minute, "every server answers reads of the bucket", func() bool {
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err := kv.Get(ctx, "ready")
			cancel()
			if !errors.Is(err, jetstream.ErrKeyNotFound) {
				return false
			}
		}
		return true
	})
	return kv
}
