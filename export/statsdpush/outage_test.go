package statsdpush_test

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

func TestAServerThatIsDownAtStart(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			srv := serve(t, network)
			srv.stop()
			st := stats.New()
			log := &journal{}
			p := push(t, st, statsdpush.Config{Network: network, Address: srv.address, Interval: never, Logger: slog.New(log)})
			for range 3 {
				crawl(st, 100)
				if err := p.Flush(t.Context()); err == nil {
					t.Error("no error while the server is down")
				}
			}
			if h := p.Health(); h.Errors < 3 || h.Err == nil || h.Lines != 0 {
				t.Errorf("health: %+v", h)
			}
			srv.start()
			crawl(st, 100)
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			closed(t, p)
			counters, _ := srv.got().values(t)
			equal(t, "crawler.", st.Live(), counters)
			if got := log.String(); got != "WARN statsd: lines cannot be sent, trying again with each flush\nINFO statsd: lines are sent again\n" {
				t.Errorf("logged:\n%s", got)
			}
		})
	}
}

func TestAServerThatRestarts(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			srv := serve(t, network)
			st := stats.New()
			p := push(t, st, statsdpush.Config{Network: network, Address: srv.address, Interval: never})
			flush := func() {
				crawl(st, 100)
				_ = p.Flush(t.Context()) // fails while the server is away
			}
			for range 2 {
				flush()
				srv.await(p.Health().Lines) // what a server has not read is lost with it
				srv.stop()
				flush()
				srv.start()
				flush()
			}
			closed(t, p)
			counters, _ := srv.got().values(t)
			equal(t, "crawler.", st.Live(), counters)
			if h := p.Health(); h.Errors < 2 {
				t.Errorf("the outages were not noticed: %+v", h)
			}
		})
	}
}

// One packet that is refused is noticed too, although no write fails.
func TestASinglePacketIsRefused(t *testing.T) {
	srv := serve(t, "udp")
	st := stats.New()
	items := st.Counter("items")
	p := push(t, st, statsdpush.Config{Address: srv.address, Interval: never})
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.stop()
	sent := p.Health().Packets
	items.Inc()
	if err := p.Flush(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	if n := p.Health().Packets - sent; n != 1 {
		t.Errorf("the flush took %d packets, this test needs one", n)
	}
	srv.start()
	closed(t, p)
	if counters, _ := srv.got().values(t); counters["crawler.custom.items"] != 1 {
		t.Errorf("got %d, want 1", counters["crawler.custom.items"])
	}
}

// mute accepts a connection and does not read it until told to.
type mute struct {
	net.Listener
	conn chan net.Conn
}

func accepting(t *testing.T) mute {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mute{l, make(chan net.Conn, 1)}
	var wg sync.WaitGroup
	wg.Go(func() {
		if c, err := l.Accept(); err == nil {
			m.conn <- c
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		select {
		case c := <-m.conn:
			c.Close()
		default:
		}
	})
	return m
}

// fill makes more lines than the buffers of a connection take.
func fill(st *stats.Statistics) {
	for i := range 190 {
		g := st.Gauge("queue", stats.Label{Key: "host", Value: strings.Repeat("x", 60) + string(rune('a'+i%26)) + string(rune('a'+i/26))})
		g.Add(1)
	}
}

func TestAPeerThatNeverReads(t *testing.T) {
	srv := accepting(t)
	st := stats.New()
	fill(st)
	const limit = 300 * time.Millisecond
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.Addr().String(), Interval: 10 * time.Millisecond, CloseTimeout: limit})
	items := st.Counter("items")
	for p.Health().Err == nil { // until the buffers are full; recording goes on
		for range 10_000 {
			j := st.Begin()
			j.Finish()
			items.Inc()
		}
	}
	start := time.Now()
	for range 1_000_000 {
		items.Inc()
	}
	t.Logf("a million increments took %v", time.Since(start))
	start = time.Now()
	err := p.Close()
	if took := time.Since(start); took > limit+time.Second {
		t.Errorf("Close took %v", took)
	}
	if err == nil || !strings.Contains(err.Error(), "lines are lost") {
		t.Errorf("Close: %v", err)
	}
	if h := p.Health(); h.Dropped == 0 || h.Unconfirmed == 0 {
		t.Errorf("what was not delivered is not counted: %+v", h)
	}
	if n := st.Live().Unmatched + st.Live().InFlight; n != 0 {
		t.Errorf("recording was disturbed: %d", n)
	}
}

func TestAPeerThatReadsLate(t *testing.T) {
	srv := accepting(t)
	st := stats.New()
	fill(st)
	items := st.Counter("items")
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.Addr().String(), Interval: never, Logger: quiet()})
	for p.Flush(t.Context()) == nil {
		items.Inc()
	}
	items.Add(5) // the connection is full: this must wait

	var got lines
	read := make(chan struct{})
	conn := <-srv.conn
	go func() {
		defer close(read)
		defer conn.Close()
		for r := bufio.NewScanner(conn); r.Scan(); {
			got = append(got, r.Text())
		}
	}()
	closed(t, p)
	<-read
	counters, _ := got.values(t) // no line was cut in two
	if got, want := counters["crawler.custom.items"], st.Live().Counters["items"]; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if h := p.Health(); h.Dropped+h.Unconfirmed != 0 || h.Errors == 0 {
		t.Errorf("health: %+v", h)
	}
}

func TestFlushEndsWithItsContext(t *testing.T) {
	srv := accepting(t)
	st := stats.New()
	fill(st)
	p := push(t, st, statsdpush.Config{Network: "tcp", Address: srv.Addr().String(), Interval: never, CloseTimeout: 10 * time.Millisecond})
	for p.Flush(t.Context()) == nil { // until the connection is full
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 500*time.Millisecond { // of the second that a write may take
		t.Errorf("Flush took %v", took)
	}
	if p.Close() == nil {
		t.Error("Close returned no error over a connection that is full")
	}
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	srv := serve(t, "udp")
	srv.stop()
	st := stats.New()
	p := push(t, st, statsdpush.Config{Address: srv.address, Interval: never})
	crawl(st, 10)
	err := p.Close()
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "lines are lost") {
		t.Errorf("got %v", err)
	}
	if h := p.Health(); h.Dropped == 0 || h.Lines != 0 {
		t.Errorf("health: %+v", h)
	}
	if again := p.Close(); again != err {
		t.Errorf("a second Close: %v", again)
	}
}

// clumsy is a client of the caller's that fails, or never returns.
type clumsy struct {
	statsd.Statter
	mu    sync.Mutex
	lines int
	fails bool
	hang  chan struct{}
}

func (c *clumsy) Inc(string, int64, float32, ...statsd.Tag) error {
	if c.hang != nil {
		<-c.hang
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lines++; c.fails && c.lines%20 == 0 {
		return errors.New("every twentieth line fails")
	}
	return nil
}

func (c *clumsy) Gauge(string, int64, float32, ...statsd.Tag) error { return nil }
func (c *clumsy) Raw(string, string, float32, ...statsd.Tag) error  { return nil }

func TestAClientOfTheCallers(t *testing.T) {
	srv := serve(t, "udp")
	client, err := statsd.NewClientWithConfig(&statsd.ClientConfig{Address: srv.address, Prefix: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	st := stats.New()
	p := push(t, st, statsdpush.Config{Client: client, Prefix: "ours"})
	crawl(st, 1000)
	closed(t, p)
	counters, _ := srv.got().values(t)
	equal(t, "theirs.ours.", st.Live(), counters)
	if err := client.Inc("still", 1, 1); err != nil {
		t.Errorf("the client was closed: %v", err)
	}
}

func TestAClientThatFails(t *testing.T) {
	c := &clumsy{fails: true}
	p := push(t, stats.New(), statsdpush.Config{Client: c, Interval: never})
	first := p.Flush(t.Context())
	if first == nil {
		t.Fatal("no error")
	}
	if h := p.Health(); h.Errors == 0 || h.Dropped != 0 || h.Err == nil {
		t.Errorf("health: %+v", h)
	}
	for p.Flush(t.Context()) != nil && p.Health().Lines < 60 { // each goes on where the one before has stopped
	}
	c.mu.Lock()
	c.fails = false
	c.mu.Unlock()
	closed(t, p)
	if h := p.Health(); h.Err != nil || h.Dropped != 0 {
		t.Errorf("health: %+v", h)
	}
}

func TestAClientThatNeverReturns(t *testing.T) {
	c := &clumsy{hang: make(chan struct{})}
	p := push(t, stats.New(), statsdpush.Config{Client: c, CloseTimeout: 50 * time.Millisecond})
	start := time.Now()
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "left behind") {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	close(c.hang) // so that its goroutine ends
}

// journal keeps the log.
type journal struct {
	slog.Handler
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.WriteString(r.Level.String() + " " + r.Message + "\n")
	return nil
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
