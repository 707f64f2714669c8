package faults

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

// mixed records what a hostile crawl is made of: ever new ids, hosts, URLs and
// error texts, and instruments of every type, while it is scraped and pushes.
func (p part) mixed(ctx context.Context, st *stats.Statistics, l *ledger, g int) {
	rng := rand.New(rand.NewPCG(uint64(g), uint64(os.Getpid())))
	took, pages := st.Timer("parse"), st.Unique("urls")
	for i := 0; ctx.Err() == nil; i++ {
		id := strconv.FormatUint(rng.Uint64(), 36)
		url := "https://" + id + ".example/" + id + "?token=" + id
		l.add(begun, 1)
		switch rng.IntN(4) {
		case 0:
			st.StartWith(id, stats.Request{Host: id + ".example", URL: url, QueuedAt: time.Now()})
			st.Retry(id, fmt.Errorf("dial %s: refused by %s", id, words(rng)))
			st.Fail(id, fmt.Errorf("%s does not like %s", words(rng), url))
			l.add(failed, 1)
		case 1:
			st.Observe(stats.Outcome{Request: stats.Request{Host: id}, Duration: time.Duration(rng.ExpFloat64() * 1e8), StatusCode: rng.IntN(1200)})
			l.add(finished, 1)
		default:
			j := st.BeginWith(stats.Request{Host: fmt.Sprintf("host%d.example", rng.IntN(30)), URL: url})
			j.StatusCode(200)
			j.Finish()
			l.add(finished, 1)
		}
		took.Observe(time.Duration(rng.IntN(1e7)))
		pages.Add(url)
		st.Counter("of." + words(rng)).Inc()
		if i%20 == 19 {
			time.Sleep(max(p.Pause, time.Millisecond))
		}
	}
}

// words returns three words that no mask touches.
func words(rng *rand.Rand) string {
	b := make([]byte, 18)
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(7))
	}
	b[5], b[11] = ' ', ' '
	return string(b)
}

// export pushes to a statsd that nobody reads and is scraped, until ctx ends.
func export(ctx context.Context, st *stats.Statistics) error {
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer sink.Close()
	push, err := statsdpush.Start(st, statsdpush.Config{Address: sink.LocalAddr().String(), Logger: quiet})
	if err != nil {
		return err
	}
	defer push.Close()
	page := promcollect.Handler(st, promcollect.Config{Hosts: 20, Logger: quiet})
	for ctx.Err() == nil {
		page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return nil
}

// vital is one look at a process.
type vital struct {
	at                      time.Duration
	memory, disk            float64 // megabytes
	goroutines, descriptors float64
}

// Hours of mixed load, restarts and faults in minutes: what the process takes
// stays flat, and the totals equal the ledger. CRAWLSTATS_SOAK says how long.
func TestSoak(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("CRAWLSTATS_SOAK"))
	if err != nil {
		t.Skip("CRAWLSTATS_SOAK=30m runs this test for so long; `make soak` does")
	}
	rng := chance(t)
	d := newDisk(t, 512)
	steady := part{Engine: "badger", Dir: filepath.Join(d.dir, "steady"), Every: 200 * time.Millisecond, Mixed: true}
	mortal := part{Engine: "badger", Dir: filepath.Join(d.dir, "mortal"), Every: 200 * time.Millisecond, Mixed: true, Pause: 5 * time.Millisecond}
	r := table.row(fmt.Sprintf("soak for %v: kills and restarts beside stops and full disks", lasts))
	c, books := crawl(t, steady), &life{t: t, p: mortal, row: r}

	var seen []vital
	start := time.Now()
	for time.Since(start) < lasts {
		c.alive(t)
		seen = append(seen, c.vital(t, start, steady.Dir))
		switch rng.IntN(6) {
		case 0:
			c.signal(t, syscall.SIGSTOP)
			time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
			c.signal(t, syscall.SIGCONT)
		case 1:
			refused := c.ledger.get(failures)
			d.fill(t)
			within(t, time.Minute, "a save is refused", func() bool { c.alive(t); return c.ledger.get(failures) > refused })
			d.empty(t)
		default:
			books.killed(rng)
		}
		acked := c.ledger.get(saves)
		within(t, time.Minute, "saves go on", func() bool { c.alive(t); return c.ledger.get(saves) > acked })
		time.Sleep(min(lasts/300, time.Second))
	}
	books.closed()
	c.finish(t)
	f := mustLook(t, steady)
	t.Logf("%d finished, %d failed, %d samples", f.Finished, f.Failed, len(seen))
	if f.Finished != c.ledger.get(finished) || f.Failed != c.ledger.get(failed) || f.Unbalanced != "" {
		t.Errorf("%+v, want %d finished and %d failed", f, c.ledger.get(finished), c.ledger.get(failed))
		r.past++
	}
	panels := []panel{
		{"resident memory, MB", func(v vital) float64 { return v.memory }, 16},
		{"directory, MB", func(v vital) float64 { return v.disk }, 24},
		{"goroutines", func(v vital) float64 { return v.goroutines }, 4},
		{"open files", func(v vital) float64 { return v.descriptors }, 4},
	}
	for _, p := range panels {
		middle, end := p.peak(seen[len(seen)/3:2*len(seen)/3]), p.peak(seen[2*len(seen)/3:])
		t.Logf("%s: at most %.0f in the second third, %.0f in the last", p.title, middle, end)
		if end > middle*1.15+p.slack {
			t.Errorf("%s grew from %.0f to %.0f", p.title, middle, end)
		}
	}
	if path := os.Getenv("CRAWLSTATS_PLOT"); path != "" {
		if err := os.WriteFile(path, []byte(plot(panels, seen, lasts)), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// vital looks at a living process.
func (c *process) vital(t *testing.T, start time.Time, dir string) vital {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", c.Process.Pid)
	statm, err := os.ReadFile(proc + "statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	return vital{
		at: time.Since(start), memory: float64(pages*os.Getpagesize()) / (1 << 20), disk: float64(allocated(dir)) / (1 << 20),
		goroutines: float64(c.ledger.get(goroutines)), descriptors: float64(len(open)),
	}
}

// allocated adds up what the files in dir take of the disk.
func allocated(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // Badger removes files meanwhile
		}
		if info, err := e.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				bytes += 512 * st.Blocks
			}
		}
		return nil
	})
	return bytes
}
