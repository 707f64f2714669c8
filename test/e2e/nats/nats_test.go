package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/kvstoretest"
	"github.com/crawlstats/crawlstats/kvstore/natsstore"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

func TestConformance(t *testing.T) {
	c := natstest.Start(t)
	js := natstest.Connect(t, c.URLs())
	kv := natstest.Make(t, js, jetstream.KeyValueConfig{History: 5})
	var n atomic.Int64
	fresh := func(t *testing.T) kvstore.Store {
		return open(t, kv, natsstore.Config{Prefix: fmt.Sprint("run", n.Add(1))})
	}
	t.Run("Store", func(t *testing.T) { kvstoretest.Run(t, fresh) })
	t.Run("Named", func(t *testing.T) {
		kvstoretest.Run(t, func(t *testing.T) kvstore.Store { return kvstore.Named(fresh(t), "shop") })
	})
	t.Run("LongestKey", func(t *testing.T) {
		st := fresh(t)
		key := strings.Repeat("\xff", kvstore.MaxKey)
		rev, err := st.Save(t.Context(), key, []byte("v"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if it, err := st.Load(t.Context(), key); err != nil || it.Rev != rev {
			t.Errorf("Load = %d, %v", it.Rev, err)
		}
		for got, err := range st.(kvstore.Lister).List(t.Context(), "") {
			if err != nil || got != key {
				t.Errorf("List gives a key of %d bytes, %v", len(got), err)
			}
		}
	})
	t.Run("Race", func(t *testing.T) { race(t, c) })
	t.Run("Watch", func(t *testing.T) { watch(t, c, kv) })
	t.Run("ClosedConnection", func(t *testing.T) { closedConnection(t, c, kv) })
	t.Run("StaleReads", func(t *testing.T) { staleReads(t, kv) })
	t.Run("Limits", func(t *testing.T) { limits(t, js) })
}

// race lets eight connections race for one key: one wins each round.
func race(t *testing.T, c *natstest.Cluster) {
	kv := natstest.Make(t, natstest.Connect(t, c.URLs()), jetstream.KeyValueConfig{})
	var stores []kvstore.Store
	for range 8 {
		theirs, err := natstest.Connect(t, c.URLs()).KeyValue(t.Context(), kv.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, open(t, theirs, natsstore.Config{}))
	}
	kvstoretest.Race(t, stores...)
}

func watch(t *testing.T, c *natstest.Cluster, kv jetstream.KeyValue) {
	theirs, err := natstest.Connect(t, c.URLs()).KeyValue(t.Context(), kv.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	writer, reader := open(t, kv, natsstore.Config{Prefix: "watched"}), open(t, theirs, natsstore.Config{Prefix: "watched"})
	if _, err := writer.Save(t.Context(), "a/before", nil, 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := reader.Watch(ctx, "a/")
	if err != nil {
		t.Fatal(err)
	}
	var rev kvstore.Revision
	for _, key := range []string{"b/1", "a/1"} {
		rev = 0
		for range 600 { // more than the client buffers; nobody reads yet
			if rev, err = writer.Save(t.Context(), key, []byte("v"), rev); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := 0
	for e := range events {
		if e.Key == "a/before" {
			continue // from a replica that was behind
		}
		seen++
		if e.Key != "a/1" || e.Rev == 0 {
			t.Fatalf("event %+v", e)
		}
		it, err := reader.Load(t.Context(), e.Key)
		if err != nil || it.Rev < e.Rev {
			t.Errorf("Load after event %d = %d, %v", e.Rev, it.Rev, err)
		}
		if e.Rev == rev {
			break
		}
	}
	if seen > 300 {
		t.Errorf("a slow reader got %d events of one key", seen)
	}
	if err := writer.Delete(t.Context(), "a/1", rev); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e != (kvstore.Event{Key: "a/1"}) {
		t.Errorf("event of a deletion: %+v", e)
	}
	cancel()
	if e, ok := <-events; ok {
		t.Errorf("event after the end: %+v", e)
	}

	events, err = reader.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(t.Context()); err != nil {
		t.Errorf("Close of a watched store: %v", err)
	}
	if _, ok := <-events; ok {
		t.Error("an event after Close")
	}
}

func limits(t *testing.T, js jetstream.JetStream) {
	ctx := t.Context()
	t.Run("TooLarge", func(t *testing.T) {
		st := open(t, natstest.Make(t, js, jetstream.KeyValueConfig{MaxValueSize: 4096}), natsstore.Config{})
		most := st.Describe().MaxValue
		rev, err := st.Save(ctx, "k", make([]byte, most), 0)
		if err != nil || most < 3000 {
			t.Errorf("Save of %d bytes: %v", most, err)
		}
		if _, err := st.Save(ctx, "k", make([]byte, most+1), rev); !errors.Is(err, kvstore.ErrTooLarge) {
			t.Errorf("Save of %d bytes: %v, want ErrTooLarge", most+1, err)
		}
	})
	t.Run("Full", func(t *testing.T) {
		st := open(t, natstest.Make(t, js, jetstream.KeyValueConfig{MaxBytes: 8192}), natsstore.Config{})
		var err error
		for i := 0; i < 20 && err == nil; i++ {
			_, err = st.Save(ctx, fmt.Sprint(i), make([]byte, 1000), 0)
		}
		if !errors.Is(err, kvstore.ErrNoSpace) {
			t.Errorf("saving into a full bucket: %v, want ErrNoSpace", err)
		}
	})
	t.Run("Warnings", func(t *testing.T) {
		var log bytes.Buffer
		open(t, natstest.Make(t, js, jetstream.KeyValueConfig{TTL: time.Hour, Storage: jetstream.MemoryStorage}),
			natsstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if strings.Count(log.String(), "level=WARN") != 2 {
			t.Errorf("want a warning of the TTL and of the memory:\n%s", &log)
		}
	})
	t.Run("Emptied", func(t *testing.T) {
		kv := natstest.Make(t, js, jetstream.KeyValueConfig{})
		var log bytes.Buffer
		st := open(t, kv, natsstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		var rev kvstore.Revision
		for range 5 {
			var err error
			if rev, err = st.Save(ctx, "k", []byte("lost"), rev); err != nil {
				t.Fatal(err)
			}
		}
		if err := js.DeleteKeyValue(ctx, kv.Bucket()); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Save(ctx, "k", nil, rev); !errors.Is(err, kvstore.ErrUnavailable) {
			t.Errorf("Save without a bucket: %v, want ErrUnavailable", err)
		}
		again, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: kv.Bucket(), Replicas: 3})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Put(ctx, "crawlstats.k", []byte("old")); err != nil {
			t.Fatal(err)
		}
		it, err := st.Load(ctx, "k")
		if err != nil || string(it.Value) != "old" || !strings.Contains(log.String(), "lost saves") {
			t.Errorf("Load = %q, %v with the log %q, want the older value and a warning", it.Value, err, &log)
		}
		if _, err := st.Save(ctx, "k", []byte("new"), it.Rev); err != nil {
			t.Errorf("Save over what is left: %v", err)
		}
	})
}

// A store outlives its connection: the watches end, and Close does not wait.
func closedConnection(t *testing.T, c *natstest.Cluster, kv jetstream.KeyValue) {
	js := natstest.Connect(t, c.URLs())
	theirs, err := js.KeyValue(t.Context(), kv.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	st := open(t, theirs, natsstore.Config{Prefix: "closed"})
	events, err := st.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	js.Conn().Close()
	if _, ok := <-events; ok {
		t.Error("an event without a connection")
	}
	if _, err := st.Load(t.Context(), "k"); !errors.Is(err, kvstore.ErrUnavailable) {
		t.Errorf("Load without a connection: %v, want ErrUnavailable", err)
	}
	for _, err := range st.List(t.Context(), "") {
		if !errors.Is(err, kvstore.ErrUnavailable) {
			t.Errorf("List without a connection: %v, want ErrUnavailable", err)
		}
	}
	began := time.Now()
	if err := st.Close(t.Context()); err != nil || time.Since(began) > time.Second {
		t.Errorf("Close after %v: %v", time.Since(began), err)
	}
}

// A writer that settles its doubts by loading loses nothing that was
// acknowledged when the leader of the bucket goes down, and each call ends by
// its deadline.
func TestLeaderDownWhileSaving(t *testing.T) {
	c := natstest.Start(t)
	js := natstest.Connect(t, c.URLs())
	kv := natstest.Make(t, js, jetstream.KeyValueConfig{})
	st := open(t, kv, natsstore.Config{})
	const limit = 2 * time.Second
	var acked, doubts, failures atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var rev kvstore.Revision
		for n := int64(1); ; {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			next, err := st.Save(ctx, "k", strconv.AppendInt(nil, n, 10), rev)
			cancel()
			if d := time.Since(began); d > limit+500*time.Millisecond {
				t.Errorf("Save took %v", d)
			}
			switch {
			case err == nil:
				rev = next
				acked.Store(n)
				n++
				continue
			case errors.Is(err, kvstore.ErrUnavailable):
				failures.Add(1)
				time.Sleep(10 * time.Millisecond)
				continue
			case !errors.Is(err, kvstore.ErrUnknown) && !errors.Is(err, kvstore.ErrConflict):
				t.Errorf("save %d: %v", n, err)
				return
			}
			doubts.Add(1) // a conflict can only be with our own save, one that was in doubt
			it, ok := settle(st, stop)
			if !ok {
				return
			}
			stored, _ := strconv.ParseInt(string(it.Value), 10, 64)
			if stored != n && stored != n-1 {
				t.Errorf("%d is stored, %d was acknowledged", stored, n-1)
				return
			}
			rev, n = it.Rev, stored+1
			acked.Store(stored)
		}
	})
	for range 3 {
		before := acked.Load()
		wait.For(t, 60*time.Second, "saves go on", func() bool { return t.Failed() || acked.Load() >= before+200 })
		leader := c.Leader(t, kv.Bucket())
		c.Stop(leader)
		known := acked.Load()
		wait.For(t, 60*time.Second, "saves go on without the leader", func() bool { return t.Failed() || acked.Load() > known+50 })
		c.Run(t, leader)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d saves, %d in doubt, %d refused", acked.Load(), doubts.Load(), failures.Load())
	it, err := st.Load(t.Context(), "k")
	if stored, _ := strconv.ParseInt(string(it.Value), 10, 64); err != nil || stored < acked.Load() {
		t.Errorf("%q is stored, %d was acknowledged: %v", it.Value, acked.Load(), err)
	}
}

// settle loads until a server answers.
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
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Without most of its servers a bucket takes nothing, each call ends by its
// deadline, and it goes on when they are back.
func TestMajorityDown(t *testing.T) {
	c := natstest.Start(t)
	kv := natstest.Make(t, natstest.Connect(t, c.URLs()), jetstream.KeyValueConfig{})
	st := open(t, kv, natsstore.Config{})
	rev, err := st.Save(t.Context(), "k", []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Stop(0)
	c.Stop(1)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		_, err := st.Save(ctx, "k", []byte("two"), rev)
		if !errors.Is(err, kvstore.ErrUnknown) && !errors.Is(err, kvstore.ErrUnavailable) {
			t.Errorf("Save: %v, want ErrUnknown or ErrUnavailable", err)
		}
		if d := time.Since(began); d > 800*time.Millisecond {
			t.Errorf("Save of 300 ms took %v", d)
		}
		cancel()
	}
	c.Run(t, 0)
	c.Run(t, 1)
	wait.For(t, 60*time.Second, "a save", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		it, err := st.Load(ctx, "k")
		if err == nil {
			_, err = st.Save(ctx, "k", []byte("three"), it.Rev)
		}
		return err == nil
	})
}
