package redisstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestNewRefuses(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	for name, test := range map[string]struct {
		client redis.UniversalClient
		cfg    Config
		says   string
	}{
		"no client": {nil, Config{}, "redis.NewClient"},
		"a ring":    {ring, Config{}, "redis.ClusterClient"},
		"a brace":   {client, Config{Prefix: "a}b"}, "Config.Prefix"},
	} {
		if _, err := New(test.client, test.cfg); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want an error that says %s", name, err, test.says)
		}
	}
}

func TestKeys(t *testing.T) {
	s := newKeyspace("shop")
	if got := s.key("a/b"); got != "{shop}:a/b" {
		t.Errorf("key = %q", got)
	}
	if got := s.pattern(`a*[x]?\`); got != `{shop}:a\*\[x\]\?\\*` {
		t.Errorf("pattern = %q", got)
	}
	if got := s.damaged("a", 0xbeef); got != "{shop}!damaged:000000000000beef:a" {
		t.Errorf("damaged = %q", got)
	}
	if rev, err := parseRevision(formatRevision(0xbeef)); err != nil || rev != 0xbeef {
		t.Errorf("revision comes back as %x, %v", rev, err)
	}
}

func TestEviction(t *testing.T) {
	for info, want := range map[string]struct {
		policy  string
		limited bool
	}{
		"": {"", false},
		"# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n":    {"allkeys-lru", false},
		"maxmemory:1048576\r\nmaxmemory_policy:noeviction\r\nused:1\r\n": {"noeviction", true},
	} {
		if policy, limited := eviction(info); policy != want.policy || limited != want.limited {
			t.Errorf("eviction(%q) = %q, %v", info, policy, limited)
		}
	}
}

// answer is an error that the server answered.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestFaults(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	for _, test := range []struct {
		err           error
		writes, reads error
	}{
		{answer("OOM command not allowed when used memory > 'maxmemory'."), kvstore.ErrNoSpace, kvstore.ErrNoSpace},
		{answer("ERR Error running script (call to f_ab): @user_script:9: -OOM command not allowed"), kvstore.ErrNoSpace, kvstore.ErrNoSpace},
		{answer("READONLY You can't write against a read only replica."), kvstore.ErrReadOnly, kvstore.ErrReadOnly},
		{answer("WRONGTYPE Operation against a key holding the wrong kind of value"), kvstore.ErrCorrupt, kvstore.ErrCorrupt},
		{answer("NOAUTH Authentication required."), kvstore.ErrPermission, kvstore.ErrPermission},
		{answer("WRONGPASS invalid username-password pair"), kvstore.ErrPermission, kvstore.ErrPermission},
		{answer("NOPERM this user has no permissions to run the 'evalsha' command"), kvstore.ErrPermission, kvstore.ErrPermission},
		{answer("DENIED Redis is running in protected mode"), kvstore.ErrPermission, kvstore.ErrPermission},
		{answer("MISCONF Redis is configured to save RDB snapshots"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{answer("LOADING Redis is loading the dataset in memory"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{answer("MOVED 3999 127.0.0.1:6381"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{answer("ERR something new"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{redis.ErrClosed, kvstore.ErrClosed, kvstore.ErrClosed},
		{redis.ErrPoolTimeout, kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{dial, kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, kvstore.ErrUnknown, kvstore.ErrUnavailable},
		{io.EOF, kvstore.ErrUnknown, kvstore.ErrUnavailable},
		{context.DeadlineExceeded, kvstore.ErrUnknown, kvstore.ErrUnavailable},
	} {
		got := typed(test.err)
		for verb, pair := range map[string][2]error{"write": {got, test.writes}, "read": {fault.Read(got), test.reads}} {
			if got, want := pair[0], pair[1]; !errors.Is(got, want) || !errors.Is(got, test.err) {
				t.Errorf("%s: %v gives %v, want %v", verb, test.err, got, want)
			}
			if errors.Is(got, kvstore.ErrUnknown) && errors.Is(got, kvstore.ErrUnavailable) {
				t.Errorf("%s: %v is both unknown and unavailable", verb, got)
			}
		}
	}
	if text := typed(answer("ERR " + strings.Repeat("ü", 1000))).Error(); len(text) > 500 {
		t.Errorf("an error of %d bytes", len(text))
	}
}

// silent is a server that takes everything and answers nothing.
func silent(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var conns []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func TestDeadlineHolds(t *testing.T) {
	for name, enabled := range map[string]bool{"by the client": true, "by the store": false} {
		t.Run(name, func(t *testing.T) {
			client := redis.NewClient(&redis.Options{
				Addr: silent(t), ContextTimeoutEnabled: enabled, ReadTimeout: 500 * time.Millisecond, MaxRetries: -1,
			})
			defer client.Close()
			st, err := New(client, Config{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			start := time.Now()
			value := []byte("value")
			if _, err = st.Save(ctx, "k", value, 0); !errors.Is(err, kvstore.ErrUnknown) && !errors.Is(err, kvstore.ErrUnavailable) {
				t.Errorf("Save: %v, want ErrUnknown or ErrUnavailable", err)
			}
			copy(value, bytes.Repeat([]byte("x"), len(value))) // a race if the call that was left still has it
			if d := time.Since(start); d < 100*time.Millisecond || d > 400*time.Millisecond {
				t.Errorf("Save took %v, want 100 ms", d)
			}
			if err := st.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	defer client.Close()
	st, err := New(client, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close(t.Context())
	if _, err := st.Save(t.Context(), "k", nil, 0); !errors.Is(err, kvstore.ErrUnavailable) || errors.Is(err, kvstore.ErrUnknown) {
		t.Errorf("Save: %v, want ErrUnavailable", err)
	}
	client.Close()
	if _, err := st.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrClosed) {
		t.Errorf("Load after the client was closed: %v, want ErrClosed", err)
	}
}
