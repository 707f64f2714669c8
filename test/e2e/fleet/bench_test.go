package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
	"github.com/crawlstats/crawlstats/test/e2e/internal/redistest"
)

// workerRecord is the record of a worker that has crawled some hosts, with two
// sorts of failures.
func workerRecord(b *testing.B, hosts int) []byte {
	b.Helper()
	st := stats.New()
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		o := stats.Outcome{
			Duration: time.Duration(float64(100*time.Millisecond) * math.Exp(.5*rnd.NormFloat64())), StatusCode: 200,
			Request: stats.Request{Host: fmt.Sprintf("shop-%d.example", i%hosts), URL: fmt.Sprintf("https://shop.example/%d", i)},
		}
		switch i % 100 {
		case 1:
			o.StatusCode, o.Err = 503, errors.New("status 503")
		case 2:
			o.StatusCode, o.Err = 0, stats.WithKind(stats.KindTimeout, errors.New("no answer in time"))
		}
		st.Observe(o)
	}
	record, err := st.Snapshot().Encode()
	if err != nil {
		b.Fatal(err)
	}
	return record
}

// BenchmarkSave is one save of a worker's record, as the engine stores it.
func BenchmarkSave(b *testing.B) {
	for name, hosts := range map[string]int{"few hosts": 5, "many hosts": 250} {
		record := workerRecord(b, hosts)
		save := func(b *testing.B, store kvstore.Store, key string) {
			var rev kvstore.Revision
			for b.Loop() {
				next, err := store.Save(b.Context(), key, record, rev)
				if err != nil {
					b.Fatal(err)
				}
				rev = next
			}
			b.ReportMetric(float64(len(record)), "record-bytes")
		}
		for _, fsync := range []string{"everysec", "always"} {
			b.Run("redis "+fsync+"/"+name, func(b *testing.B) {
				srv := redistest.Start(b, "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0")
				store, done, err := redisEngine(srv).open(b.Context(), quiet)
				if err != nil {
					b.Fatal(err)
				}
				defer done()
				save(b, store, "k")
				b.ReportMetric(float64(size(b, srv.Dir))/float64(b.N), "file-bytes/op")
			})
		}
		b.Run("nats/"+name, func(b *testing.B) {
			c := natstest.Start(b)
			bucket := natstest.Bucket(b, natstest.Connect(b, c.URLs())).Bucket()
			store, done, err := natsEngine(c, bucket).open(b.Context(), quiet)
			if err != nil {
				b.Fatal(err)
			}
			defer done()
			save(b, store, "k")
		})
	}
}

// BenchmarkPoll is one Refresh of a fleet of a thousand on Redis: when nothing
// has changed, and when everything has.
func BenchmarkPoll(b *testing.B) {
	const workers = 1000
	srv := redistest.Start(b)
	store, done, err := redisEngine(srv).open(b.Context(), quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer done()
	admin := srv.Client(b)
	memory := func() float64 {
		for line := range strings.Lines(admin.Info(b.Context(), "memory").Val()) {
			if text, ok := strings.CutPrefix(line, "used_memory:"); ok {
				n, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
				return n
			}
		}
		return 0
	}
	record, before := workerRecord(b, 5), memory()
	revs := make([]kvstore.Revision, workers)
	saveAll := func() {
		for i := range revs {
			if revs[i], err = store.Save(b.Context(), stats.Key(crawlID, fmt.Sprint("worker-", i)), record, revs[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	saveAll()
	used := (memory() - before) / workers
	fleet, err := stats.LoadFleet(context.Background(), store, crawlID)
	if err != nil {
		b.Fatal(err)
	}
	for name, changed := range map[string]bool{"nothing changed": false, "all changed": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if changed {
					b.StopTimer()
					saveAll()
					b.StartTimer()
				}
				if err := fleet.Refresh(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(record)), "record-bytes")
			b.ReportMetric(used, "server-bytes/worker")
		})
	}
	b.Run("Snapshot", func(b *testing.B) {
		for b.Loop() {
			fleet.Snapshot()
		}
	})
}

func size(b *testing.B, dir string) (n int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}
