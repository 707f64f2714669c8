package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
)

// Redis is killed with -9 while a Statistics saves. What was acknowledged is
// there afterwards; where the server itself went back, that is told.
func TestRedisKilled(t *testing.T) {
	for _, fsync := range []string{"always", "everysec"} {
		t.Run(fsync, func(t *testing.T) {
			srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", fsync)
			b := startBusy(t, redisEngine(srv))
			kills, back := long(4, 30), 0
			var most int64
			for range kills {
				b.saving(100)
				srv.Kill(t) // a save is under way
				b.counting(1000)
				b.fails(kvstore.ErrUnavailable, kvstore.ErrUnknown)
				told := b.reports()
				var lost int64
				b.held(func() {
					srv.Run(t)
					lost = b.lost()
				})
				b.recovers()
				if lost > 0 {
					back++
					most = max(most, lost)
					if b.reports() == told {
						t.Errorf("the server lost %d requests, and nothing was told", lost)
					}
				}
			}
			h := b.st.Health()
			if fsync == "always" && (back > 0 || h.Lost > 0) {
				t.Errorf("with appendfsync always, %d of %d kills lost acknowledged saves; told: %d", back, kills, h.Lost)
			}
			t.Logf("%d kills, %d saves, %d failed; the server went back %d times, by %d requests at most; %d saves told as lost",
				kills, h.Saves, h.Failures, back, most, h.Lost)
		})
	}
}

// A server that comes back with an older file has lost acknowledged saves: that
// is told, with how many, and the newest state is written again.
func TestRedisRolledBack(t *testing.T) {
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	b := startBusy(t, redisEngine(srv))
	b.saving(20)
	older := t.TempDir()
	b.held(func() {
		if err := os.CopyFS(filepath.Join(older, "copy"), os.DirFS(srv.Dir)); err != nil {
			t.Fatal(err)
		}
	})
	before := b.saves.Load()
	b.saving(50)
	b.held(func() {
		srv.Kill(t)
		if err := os.RemoveAll(filepath.Join(srv.Dir, "appendonlydir")); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(srv.Dir, os.DirFS(filepath.Join(older, "copy"))); err != nil {
			t.Fatal(err)
		}
		srv.Run(t)
		if b.lost() == 0 {
			t.Fatal("the older file holds everything")
		}
	})
	acked := b.saves.Load() - before
	b.recovers()
	if lost := b.st.Health().Lost; b.reports() != 1 || lost < acked || lost > acked+2 {
		t.Errorf("%d saves were lost; told %d times, as %d", acked, b.reports(), lost)
	}
}

// Whatever is wrong with the server, the crawl goes on, each save ends by its
// deadline with an error that says what it is, and the newest state is stored
// when it is well again.
func TestRedisTroubles(t *testing.T) {
	command := func(t *testing.T, admin *redis.Client, words ...any) {
		t.Helper()
		if err := admin.Do(t.Context(), words...).Err(); err != nil {
			t.Fatalf("%v: %v", words, err)
		}
	}
	for name, test := range map[string]struct {
		begin, end func(t *testing.T, srv *redistest.Server, admin *redis.Client)
		want       []error // none: saves go on
	}{
		"stopped": {
			func(t *testing.T, srv *redistest.Server, _ *redis.Client) { srv.Signal(t, syscall.SIGSTOP) },
			func(t *testing.T, srv *redistest.Server, _ *redis.Client) { srv.Signal(t, syscall.SIGCONT) },
			[]error{kvstore.ErrUnknown, kvstore.ErrUnavailable},
		},
		"paused": {
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "CLIENT", "PAUSE", 600_000, "WRITE")
			},
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) { command(t, admin, "CLIENT", "UNPAUSE") },
			[]error{kvstore.ErrUnknown, kvstore.ErrUnavailable},
		},
		"out of memory": {
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "CONFIG", "SET", "maxmemory", 1)
			},
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "CONFIG", "SET", "maxmemory", 0)
			},
			[]error{kvstore.ErrNoSpace},
		},
		"wrong password": {
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "CONFIG", "SET", "requirepass", "another")
				command(t, admin, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			},
			func(t *testing.T, srv *redistest.Server, _ *redis.Client) {
				command(t, redistest.Dial(t, redis.Options{Addr: srv.Addr, Password: "another"}), "CONFIG", "SET", "requirepass", "")
			},
			[]error{kvstore.ErrPermission},
		},
		"read-only replica": {
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "REPLICAOF", "127.0.0.1", 1)
			},
			func(t *testing.T, _ *redistest.Server, admin *redis.Client) {
				command(t, admin, "REPLICAOF", "NO", "ONE")
			},
			[]error{kvstore.ErrReadOnly},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := redistest.Start(t)
			admin := srv.Client(t)
			b := startBusy(t, redisEngine(srv))
			b.saving(5)
			test.begin(t, srv, admin)
			known := b.acked.Load()
			b.fails(test.want...)
			b.counting(10_000)
			if b.st.Health().Err == nil {
				t.Error("health does not show it")
			}
			test.end(t, srv, admin)
			b.recovers()
			if n := b.reports(); n != 0 {
				t.Errorf("%d losses were told, there was none", n)
			}
			if b.acked.Load() < known+10_000 {
				t.Errorf("%d are stored of %d that were counted", b.acked.Load(), known+10_000)
			}
		})
	}
}

// A server that evicts takes the record like any other key. The next save writes
// it again, and tells.
func TestRedisEvicts(t *testing.T) {
	srv := redistest.Start(t, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random")
	admin := srv.Client(t)
	b := startBusy(t, redisEngine(srv))
	b.saving(5)
	b.held(func() {
		filler := strings.Repeat("x", 10_000)
		for i := 0; ; i++ {
			if err := admin.Set(t.Context(), fmt.Sprint("filler ", i), filler, 0).Err(); err != nil {
				t.Fatal(err)
			}
			_, err := b.store.Load(t.Context(), stats.Key(crawlID, ""))
			if errors.Is(err, kvstore.ErrNotFound) {
				break
			}
			if i > 100_000 {
				t.Fatal("the record was not evicted")
			}
		}
		if err := admin.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
			t.Fatal(err)
		}
	})
	b.recovers()
	if b.reports() == 0 || b.st.Health().Lost < 5 {
		t.Errorf("told %d times, as %d saves", b.reports(), b.st.Health().Lost)
	}
}
