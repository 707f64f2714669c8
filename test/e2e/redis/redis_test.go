package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/kvstore/redisstore"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

func TestConformance(t *testing.T) {
	srv := redistest.Start(t)
	var n atomic.Int64
	fresh := func(t *testing.T) kvstore.Store {
		return open(t, srv.Client(t), redisstore.Config{Prefix: fmt.Sprint("run*", n.Add(1))})
	}
	t.Run("Store", func(t *testing.T) { kvstoretest.Run(t, fresh) })
	t.Run("Named", func(t *testing.T) {
		kvstoretest.Run(t, func(t *testing.T) kvstore.Store { return kvstore.Named(fresh(t), "shop") })
	})
	t.Run("PlainClient", func(t *testing.T) { // as most programs have it: no deadlines, with retries
		kvstoretest.Run(t, func(t *testing.T) kvstore.Store {
			return open(t, redistest.Dial(t, redis.Options{Addr: srv.Addr}), redisstore.Config{Prefix: fmt.Sprint("plain", n.Add(1))})
		})
	})
}

// A cluster of one server still refuses keys of different slots.
func TestCluster(t *testing.T) {
	srv := redistest.Start(t, "--cluster-enabled", "yes")
	admin := srv.Client(t)
	if err := admin.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	wait.For(t, 20*time.Second, "the cluster is ready", func() bool {
		return strings.Contains(admin.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{srv.Addr}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	var n atomic.Int64
	kvstoretest.Run(t, func(t *testing.T) kvstore.Store {
		return open(t, client, redisstore.Config{Prefix: fmt.Sprint("run", n.Add(1))})
	})
	t.Run("Damaged", func(t *testing.T) { damaged(t, client, "cluster") })
}

// Eight clients race for one key: one wins each round.
func TestRace(t *testing.T) {
	srv := redistest.Start(t)
	var stores []kvstore.Store
	for range 8 {
		stores = append(stores, open(t, srv.Client(t), redisstore.Config{}))
	}
	kvstoretest.Race(t, stores...)
}

func TestDamaged(t *testing.T) { damaged(t, redistest.Start(t).Client(t), "alone") }

// damaged checks what is done about keys that something else wrote.
func damaged(t *testing.T, client redis.UniversalClient, prefix string) {
	st := open(t, client, redisstore.Config{Prefix: prefix})
	ctx := t.Context()
	for name, spoil := range map[string]func(key string) error{
		"text":        func(key string) error { return client.Set(ctx, key, "bytes", 0).Err() },
		"no value":    func(key string) error { return client.HSet(ctx, key, "rev", "00000000000000ff").Err() },
		"no revision": func(key string) error { return client.HSet(ctx, key, "v", "bytes").Err() },
		"revision":    func(key string) error { return client.HSet(ctx, key, "v", "bytes", "rev", "-1").Err() },
		"zero":        func(key string) error { return client.HSet(ctx, key, "v", "bytes", "rev", "0000000000000000").Err() },
	} {
		if err := spoil("{" + prefix + "}:" + name); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Load(ctx, name); !errors.Is(err, kvstore.ErrCorrupt) {
			t.Errorf("%s: Load: %v, want ErrCorrupt", name, err)
		}
		if _, err := st.Save(ctx, name, []byte("x"), 255); !errors.Is(err, kvstore.ErrConflict) {
			t.Errorf("%s: Save with a revision: %v, want ErrConflict", name, err)
		}
		rev, err := st.Save(ctx, name, []byte("good"), 0)
		if err != nil {
			t.Errorf("%s: Save with revision zero: %v", name, err)
		}
		if it, err := st.Load(ctx, name); err != nil || string(it.Value) != "good" || it.Rev != rev {
			t.Errorf("%s: Load = %q, %v", name, it.Value, err)
		}
		aside := fmt.Sprintf("{%s}!damaged:%016x:%s", prefix, uint64(rev), name)
		if n, err := client.Exists(ctx, aside).Result(); n != 1 || err != nil {
			t.Errorf("%s: the damaged bytes are not at %s: %v", name, aside, err)
		}
	}
	var keys []string
	for key, err := range st.List(ctx, "") {
		if err != nil {
			t.Error(err)
		}
		keys = append(keys, key)
	}
	if len(keys) != 5 {
		t.Errorf("List = %q, want the five keys", keys)
	}
}

// A save whose answer was lost is in doubt; it was sent once, whatever the
// client was told about retries, and a load settles it.
func TestLostAnswer(t *testing.T) {
	srv := redistest.Start(t)
	p := startProxy(t, srv.Addr)
	client := redistest.Dial(t, redis.Options{Addr: p.addr, MaxRetries: 3})
	st := open(t, client, redisstore.Config{})
	ctx := t.Context()
	rev, err := st.Save(ctx, "k", []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	admin := srv.Client(t)
	if err := admin.ConfigResetStat(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	p.lose.Store(true)
	if _, err := st.Save(ctx, "k", []byte("two"), rev); !errors.Is(err, kvstore.ErrUnknown) {
		t.Errorf("Save without its answer: %v, want ErrUnknown", err)
	}
	stats := admin.Info(ctx, "commandstats").Val()
	if !strings.Contains(stats, "cmdstat_evalsha:calls=1,") {
		t.Errorf("the save was not sent once:\n%s", stats)
	}
	p.lose.Store(true)
	if _, err := st.Load(ctx, "k"); !errors.Is(err, kvstore.ErrUnavailable) {
		t.Errorf("Load without its answer: %v, want ErrUnavailable", err)
	}
	it, err := st.Load(ctx, "k")
	if err != nil || string(it.Value) != "two" || it.Rev == rev {
		t.Fatalf("Load = %q, %v, want what was in doubt", it.Value, err)
	}
	if _, err := st.Save(ctx, "k", []byte("three"), it.Rev); err != nil {
		t.Errorf("Save after it was settled: %v", err)
	}
}

// twice is a hook that sends every command two times, as a proxy or a middleware
// that retries does.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }
func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		_ = next(ctx, cmd)
		return next(ctx, cmd)
	}
}

func TestSentTwice(t *testing.T) {
	client := redistest.Start(t).Client(t)
	st := open(t, client, redisstore.Config{})
	rev, err := st.Save(t.Context(), "k", []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	client.AddHook(twice{})
	if _, err := st.Save(t.Context(), "k", []byte("two"), rev); err != nil {
		t.Errorf("a save that arrives twice: %v", err)
	}
}

// A writer that settles its doubts by loading loses nothing that was
// acknowledged, and never takes its own save for a stranger's.
func TestKilledWhileSaving(t *testing.T) {
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	st := open(t, srv.Client(t), redisstore.Config{})
	var acked, doubts, failures atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer sync.OnceFunc(func() { close(stop) })()
	wg.Go(func() {
		var rev kvstore.Revision
		for n := int64(1); ; {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			next, err := st.Save(ctx, "k", strconv.AppendInt(nil, n, 10), rev)
			cancel()
			switch {
			case err == nil:
				rev = next
				acked.Store(n)
				n++
				continue
			case errors.Is(err, kvstore.ErrUnavailable):
				failures.Add(1)
				time.Sleep(time.Millisecond)
				continue
			case !errors.Is(err, kvstore.ErrUnknown):
				t.Errorf("save %d: %v", n, err)
				return
			}
			doubts.Add(1)
			it, ok := settle(st, stop)
			stored, _ := strconv.ParseInt(string(it.Value), 10, 64)
			switch {
			case !ok:
				return
			case stored == n: // it had been applied
				n++
			case stored != n-1:
				t.Errorf("%d is stored, %d was acknowledged", stored, n-1)
				return
			}
			rev = it.Rev
			acked.Store(stored)
		}
	})
	for range 5 {
		before := acked.Load()
		wait.For(t, 20*time.Second, "saves go on", func() bool { return acked.Load() >= before+200 })
		srv.Kill(t)
		known := acked.Load()
		srv.Run(t)
		it, err := st.Load(t.Context(), "k")
		if stored, _ := strconv.ParseInt(string(it.Value), 10, 64); err != nil || stored < known {
			t.Fatalf("after the kill %q is stored, %d was acknowledged: %v", it.Value, known, err)
		}
	}
	before := acked.Load()
	wait.For(t, 20*time.Second, "saves go on after the last kill", func() bool { return acked.Load() > before })
	close(stop)
	wg.Wait()
	stop = make(chan struct{}) // for the deferred close
	t.Logf("%d saves, %d in doubt, %d refused", acked.Load(), doubts.Load(), failures.Load())
	if failures.Load()+doubts.Load() == 0 {
		t.Error("no save met a killed server")
	}
}

// settle loads until the server answers.
func settle(st kvstore.Store, stop <-chan struct{}) (it kvstore.Item, ok bool) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		it, err := st.Load(ctx, "k")
		cancel()
		if err == nil {
			return it, true
		}
		select {
		case <-stop:
			return kvstore.Item{}, false
		case <-time.After(time.Millisecond):
		}
	}
}

// A server that does not answer holds nobody beyond the deadline.
func TestPaused(t *testing.T) {
	for name, test := range map[string]struct {
		pause  func(t *testing.T, srv *redistest.Server, admin *redis.Client)
		resume func(t *testing.T, srv *redistest.Server)
	}{
		"SIGSTOP": {
			func(t *testing.T, srv *redistest.Server, _ *redis.Client) { srv.Signal(t, syscall.SIGSTOP) },
			func(t *testing.T, srv *redistest.Server) { srv.Signal(t, syscall.SIGCONT) },
		},
		"CLIENT PAUSE": {
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				if err := admin.ClientPause(t.Context(), 700*time.Millisecond).Err(); err != nil {
					t.Fatal(err)
				}
			},
			func(*testing.T, *redistest.Server) {}, // it ends by itself
		},
	} {
		for client, enabled := range map[string]bool{"deadlines": true, "plain": false} {
			t.Run(name+"/"+client, func(t *testing.T) {
				srv := redistest.Start(t)
				st := open(t, redistest.Dial(t, redis.Options{Addr: srv.Addr, ContextTimeoutEnabled: enabled}), redisstore.Config{})
				rev, err := st.Save(t.Context(), "k", []byte("one"), 0)
				if err != nil {
					t.Fatal(err)
				}
				test.pause(t, srv, srv.Client(t))
				began := time.Now()
				for _, call := range []func(ctx context.Context) error{
					func(ctx context.Context) error { _, err := st.Save(ctx, "k", []byte("two"), rev); return err },
					func(ctx context.Context) error { return st.Delete(ctx, "k", 1) },
				} {
					ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
					if err := call(ctx); !errors.Is(err, kvstore.ErrUnknown) {
						t.Errorf("a paused server: %v, want ErrUnknown", err)
					}
					cancel()
				}
				if d := time.Since(began); d > 600*time.Millisecond {
					t.Errorf("two calls of 200 ms took %v", d)
				}
				test.resume(t, srv)
				it, err := st.Load(t.Context(), "k")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := st.Save(t.Context(), "k", []byte("three"), it.Rev); err != nil && !errors.Is(err, kvstore.ErrConflict) {
					t.Errorf("Save after the pause: %v", err)
				}
			})
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	srv := redistest.Start(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	st := open(t, srv.Client(t), redisstore.Config{})
	ctx := t.Context()
	value := bytes.Repeat([]byte("v"), 100<<10)
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		_, err = st.Save(ctx, fmt.Sprint("k", i), value, 0)
	}
	if !errors.Is(err, kvstore.ErrNoSpace) {
		t.Fatalf("saving into a full server: %v, want ErrNoSpace", err)
	}
	it, err := st.Load(ctx, "k0")
	if err != nil || !bytes.Equal(it.Value, value) {
		t.Fatalf("Load from a full server: %v", err)
	}
	if err := st.Delete(ctx, "k0", it.Rev); err != nil {
		t.Errorf("Delete on a full server: %v", err)
	}
	if err := srv.Client(t).ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Save(ctx, "k0", value, 0); err != nil {
		t.Errorf("Save with room again: %v", err)
	}
}

func TestEvictionPolicy(t *testing.T) {
	for policy, warns := range map[string]bool{"noeviction": false, "volatile-lru": false, "allkeys-lru": true} {
		srv := redistest.Start(t, "--maxmemory", "50mb", "--maxmemory-policy", policy)
		var log bytes.Buffer
		st := open(t, srv.Client(t), redisstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for range 2 {
			if _, err := st.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrNotFound) {
				t.Fatal(err)
			}
		}
		if got := strings.Count(log.String(), "level=WARN"); got != 0 != warns || got > 1 {
			t.Errorf("%s: %d warnings: %s", policy, got, &log)
		}
	}
}

func TestReadOnlyReplica(t *testing.T) {
	primary, replica := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	host, port, _ := strings.Cut(primary.Addr, ":")
	admin := replica.Client(t)
	if err := admin.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	wait.For(t, 20*time.Second, "the replica follows", func() bool {
		return strings.Contains(admin.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	rev, err := open(t, primary.Client(t), redisstore.Config{}).Save(t.Context(), "k", []byte("v"), 0)
	if err != nil {
		t.Fatal(err)
	}
	st := open(t, replica.Client(t), redisstore.Config{})
	wait.For(t, 20*time.Second, "the value is replicated", func() bool {
		it, err := st.Load(t.Context(), "k")
		return err == nil && it.Rev == rev
	})
	if _, err := st.Save(t.Context(), "k", []byte("w"), rev); !errors.Is(err, kvstore.ErrReadOnly) {
		t.Errorf("Save: %v, want ErrReadOnly", err)
	}
	if err := st.Delete(t.Context(), "k", rev); !errors.Is(err, kvstore.ErrReadOnly) {
		t.Errorf("Delete: %v, want ErrReadOnly", err)
	}
}

func TestPermission(t *testing.T) {
	srv := redistest.Start(t, "--requirepass", "secret-pa55word")
	admin := redistest.Dial(t, redis.Options{Addr: srv.Addr, Password: "secret-pa55word"})
	for _, rule := range [][]any{
		{"ACL", "SETUSER", "reader", "on", ">reader-pa55word", "~*", "+@read", "+@connection"},
		{"ACL", "SETUSER", "other", "on", ">other-pa55word", "~other:*", "+@all"},
		{
			"ACL", "SETUSER", "least", "on", ">least-pa55word", "~{crawlstats}*", "+@connection", "+eval", "+evalsha",
			"+type", "+hget", "+hexists", "+hset", "+rename", "+del", "+scan",
		},
	} {
		if err := admin.Do(t.Context(), rule...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for name, opt := range map[string]redis.Options{
		"no password":    {},
		"wrong password": {Password: "wrong-pa55word"},
		"no scripts":     {Username: "reader", Password: "reader-pa55word"},
		"other keys":     {Username: "other", Password: "other-pa55word"},
	} {
		opt.Addr = srv.Addr
		st := open(t, redistest.Dial(t, opt), redisstore.Config{})
		_, err := st.Save(t.Context(), "k", nil, 0)
		if !errors.Is(err, kvstore.ErrPermission) || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: %v, want ErrPermission without a password", name, err)
		}
		if strings.Contains(st.Describe().Location, "pa55word") {
			t.Errorf("%s: Describe = %+v", name, st.Describe())
		}
	}
	// These are enough; only the warning needs INFO as well.
	st := open(t, redistest.Dial(t, redis.Options{Addr: srv.Addr, Username: "least", Password: "least-pa55word"}), redisstore.Config{})
	rev, err := st.Save(t.Context(), "k", []byte("v"), 0)
	if err != nil {
		t.Fatalf("the least rights: %v", err)
	}
	keys := []string{}
	for key, err := range st.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []string{"k"}) {
		t.Errorf("List = %q", keys)
	}
	if err := st.Delete(t.Context(), "k", rev); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

func TestScriptFlush(t *testing.T) {
	srv := redistest.Start(t)
	st := open(t, srv.Client(t), redisstore.Config{})
	var rev kvstore.Revision
	for range 3 {
		next, err := st.Save(t.Context(), "k", []byte("v"), rev)
		if err != nil {
			t.Fatal(err)
		}
		rev = next
		if err := srv.Client(t).ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
