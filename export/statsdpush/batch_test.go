package statsdpush

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/cactus/go-statsd-client/v5/statsd"
)

func batchOf(t *testing.T, limit int, lines ...line) *wire {
	t.Helper()
	w, err := newWire(Config{PacketSize: limit}, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		_ = lines[i].encode(w.client, false)
		w.batch.end()
	}
	return w
}

func packets(b *batch) (all []string) {
	for i := 0; i < len(b.ends); {
		data, next := b.packet(i)
		all = append(all, string(data))
		i = next
	}
	return all
}

func TestANegativeGaugeStaysInOnePacket(t *testing.T) {
	for limit := 30; limit < 60; limit++ {
		w := batchOf(t, limit, line{name: "a.b", kind: counterLine, delta: 1}, line{name: "a.g", kind: gaugeLine, value: -5}, line{name: "a.b", kind: counterLine, delta: 2})
		whole := false
		for _, p := range packets(&w.batch) {
			whole = whole || strings.Contains(p, "a.g:0|g\na.g:-5|g\n")
			if len(p) > limit {
				t.Errorf("limit %d: a packet of %d bytes", limit, len(p))
			}
		}
		if !whole {
			t.Errorf("limit %d: %q", limit, packets(&w.batch))
		}
	}
}

func TestWhatIsNoLineIsDropped(t *testing.T) {
	long := strings.Repeat("x", 600)
	good := line{name: "a.b", kind: counterLine, delta: 1}
	for _, bad := range []line{
		{name: "alone", kind: counterLine, delta: 1},
		{name: "", kind: counterLine, delta: 1},
		{name: "a.b\nconstructor", kind: eventLine},
		{name: "a..b", kind: counterLine, delta: 1},
		{name: "a.b:1|c", kind: counterLine, delta: 1},
		{name: "a.b", kind: eventLine, event: -1},
		{name: "a.b", kind: setLine, text: "x|s\na"},
		{name: "a.b", kind: packedLine, text: "1|ms|@0.1"},
		{name: "a.b", kind: counterLine, delta: 1, tags: []statsd.Tag{{"k", "a|b"}}},
		{name: "a." + long, kind: counterLine, delta: 1},
		{name: "a.b", kind: gaugeLine, value: -1, tags: []statsd.Tag{{"k", long}}},
	} {
		w := batchOf(t, 512, good, bad, good)
		if got := strings.Join(packets(&w.batch), ""); got != strings.Repeat("a.b:1|c\n", 2) || len(w.batch.ends) != 3 {
			t.Errorf("%+v: got %q", bad, got)
		}
	}
}

func TestALineEndsBelowTheLimitOfStatsdExporter(t *testing.T) {
	for n, want := range map[int]int{3900: 1, 4000: 0} {
		w := batchOf(t, localPacket, line{name: "a." + strings.Repeat("x", n), kind: counterLine, delta: 1})
		if got := strings.Count(string(w.batch.buf), "\n"); got != want {
			t.Errorf("a name of %d bytes: %d lines", n, got)
		}
	}
}

func TestPartsOfAWriteAreWholeMetrics(t *testing.T) {
	w := batchOf(t, 512, line{name: "a.b", kind: counterLine, delta: 1}, line{name: "a.g", kind: gaugeLine, value: -5}, line{name: "a.b", kind: counterLine, delta: 2})
	first, second := len("a.b:1|c\n"), len("a.b:1|c\na.g:0|g\na.g:-5|g\n")
	for n := range second + 9 {
		want := 0
		switch {
		case n >= second+8:
			want = 3
		case n >= second:
			want = 2
		case n >= first:
			want = 1
		}
		if got := w.batch.within(0, n); got != want {
			t.Errorf("%d bytes: got %d metrics, want %d", n, got, want)
		}
	}
}

func TestTwentyThousandNamesInOneFlush(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan map[string]bool)
	go func() {
		names := map[string]bool{}
		buf := make([]byte, 1<<16)
		for {
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				seen <- names
				return
			}
			for s := range strings.SplitSeq(string(buf[:n]), "\n") {
				if s == "that.is:1|c" {
					seen <- names
					return
				}
				names[s] = true
			}
		}
	}()
	w, err := newWire(Config{Network: "udp", Address: l.LocalAddr().String(), PacketSize: ethernetPacket}, false)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for i := range 20_000 {
		lines = append(lines, line{name: fmt.Sprintf("crawler.requests.status_%d", i), kind: counterLine, delta: 1})
	}
	for _, part := range [][]line{lines, {{name: "that.is", kind: counterLine, delta: 1}}} {
		if got, err := w.send(t.Context(), part); err != nil || got.settled != len(part) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if n := len(<-seen); n != 20_000 {
		t.Errorf("%d of 20,000 names arrived", n)
	}
	w.close(t.Context())
	l.Close()
}

func FuzzGrammar(f *testing.F) {
	f.Add("a.b", "k", "v")
	f.Add("\nconstructor:1|ms", "le", "a|b")
	f.Fuzz(func(t *testing.T, name, key, value string) {
		p := &Pusher{cfg: Config{Prefix: "p", TagFormat: statsd.SuffixOctothorpe}.withDefaults(nil)}
		p.names = newNamer(p.cfg)
		m := p.custom("c", fmt.Sprintf("%s{%s=%q}", name, key, value), "")
		w := batchOf(t, ethernetPacket, line{name: m.name, tags: m.tags, kind: counterLine, delta: 1})
		if got := packets(&w.batch); len(got) != 1 || strings.Count(got[0], "\n") != 1 || !strings.HasPrefix(got[0], "p.custom") {
			t.Errorf("%q %q %q became %q", name, key, value, got)
		}
	})
}
