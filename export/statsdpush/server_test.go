package statsdpush_test

import (
	"bufio"
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

// server is a small statsd: it keeps the lines that arrive over one network.
type server struct {
	t                *testing.T
	network, address string

	listener net.Listener
	packets  net.PacketConn
	readers  sync.WaitGroup
	ended    chan struct{} // closed when a packet server has seen its last word

	mu    sync.Mutex
	more  *sync.Cond // lines have come
	conns []net.Conn
	lines []string
	sizes []int // of packets
}

const lastWord = "that is all"

func serve(t *testing.T, network string) *server {
	t.Helper()
	s := &server{t: t, network: network, address: "127.0.0.1:0"}
	if strings.HasPrefix(network, "unix") {
		s.address = filepath.Join(t.TempDir(), "s")
	}
	s.more = sync.NewCond(&s.mu)
	s.start()
	t.Cleanup(s.stop)
	return s
}

// start listens, after stop at the same address again.
func (s *server) start() {
	s.t.Helper()
	var err error
	if s.stream() {
		if s.listener, err = net.Listen(s.network, s.address); err == nil {
			s.address = s.listener.Addr().String()
			s.readers.Go(s.accept)
		}
	} else {
		s.ended = make(chan struct{})
		if s.packets, err = net.ListenPacket(s.network, s.address); err == nil {
			s.address = s.packets.LocalAddr().String()
			s.readers.Go(s.receive)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) stream() bool { return s.network == "tcp" || s.network == "unix" }

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		s.readers.Go(func() {
			defer conn.Close()
			for r := bufio.NewScanner(conn); r.Scan(); {
				s.add(r.Text())
			}
		})
	}
}

func (s *server) receive() {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := s.packets.ReadFrom(buf)
		if err != nil {
			return
		}
		if string(buf[:n]) == lastWord {
			close(s.ended)
			return
		}
		if bytes.HasSuffix(buf[:n], []byte("\n")) {
			s.t.Errorf("a datagram ends in a newline")
		}
		s.add(strings.Split(string(buf[:n]), "\n")...)
		s.mu.Lock()
		s.sizes = append(s.sizes, n)
		s.mu.Unlock()
	}
}

func (s *server) add(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, lines...)
	s.more.Broadcast()
}

// await waits for n lines.
func (s *server) await(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for int64(len(s.lines)) < n {
		s.more.Wait()
	}
}

// stop ends listening, after what has arrived is read.
func (s *server) stop() {
	if s.listener != nil {
		s.listener.Close()
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.conns = nil
		s.mu.Unlock()
	}
	if s.packets != nil {
		s.drain()
		s.packets.Close()
		_ = os.Remove(s.address) // a Unix socket stays behind
	}
	s.readers.Wait()
	s.listener, s.packets = nil, nil
}

// drain waits until a packet server has read what was sent to it before.
func (s *server) drain() {
	conn, err := net.Dial(s.network, s.address)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(lastWord)); err != nil {
		s.t.Error(err)
	}
	<-s.ended
}

// got returns all lines, once the Pusher is closed.
func (s *server) got() lines {
	s.t.Helper()
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

type lines []string

// grammar is written down here a second time, from what the servers read.
var grammar = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+([;,][\w-]+=[^;,:=|\s]+)*:(-?\d+(\.\d+)?\|[cg]|\d+(\.\d+)?(\|ms:\d+(\.\d+)?)*\|ms|\d+(\.\d+)?(:\d+(\.\d+)?)*\|ms|[0-9a-f]{16}\|s)(\|#[^|\s]+)?$`)

// values returns the sums of counters and the last values of gauges, by name
// and tags, as a server would.
func (l lines) values(t *testing.T) (counters map[string]int64, gauges map[string]float64) {
	t.Helper()
	counters, gauges = map[string]int64{}, map[string]float64{}
	for _, line := range l {
		if !grammar.MatchString(line) {
			t.Errorf("bad line: %q", line)
			continue
		}
		name, rest, _ := strings.Cut(line, ":")
		number, rest, _ := strings.Cut(rest, "|")
		kind, tags, _ := strings.Cut(rest, "|")
		switch kind {
		case "c":
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil || n < 0 {
				t.Errorf("bad count: %q", line)
			}
			counters[name+tags] += n
		case "g":
			v, err := strconv.ParseFloat(number, 64)
			if err != nil {
				t.Errorf("bad gauge: %q", line)
			}
			if v < 0 {
				v += gauges[name+tags] // servers take a sign for a change
			}
			gauges[name+tags] = v
		}
	}
	return counters, gauges
}

func (l lines) with(part string) lines {
	return slices.DeleteFunc(slices.Clone(l), func(s string) bool { return !strings.Contains(s, part) })
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func push(t *testing.T, src stats.Source, cfg statsdpush.Config) *statsdpush.Pusher {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	p, err := statsdpush.Start(src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// settled waits for the flush of Start, so that it takes nothing of what follows.
func settled(t *testing.T, p *statsdpush.Pusher) {
	t.Helper()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func closed(t *testing.T, p *statsdpush.Pusher) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// never is an Interval for tests that look at single flushes: those of Start,
// Flush and Close.
const never = time.Hour
