package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/crawlstats/crawlstats/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// notes is a writer that tells when a text has come.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
	want string
	come chan struct{}
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text.Write(p)
	if n.want != "" && strings.Contains(n.text.String(), n.want) {
		n.want = ""
		close(n.come)
	}
	return len(p), nil
}

func TestPrintsWhatArrives(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			out := &notes{want: "b:2|c\n", come: make(chan struct{})}
			ready, done := make(chan net.Addr, 1), make(chan error, 1)
			go func() { done <- show(ctx, network, "127.0.0.1:0", out, func(a net.Addr) { ready <- a }) }()
			conn, err := net.Dial(network, (<-ready).String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("a:1|c\nhostile\x1b[2J:1|c\nb:2|c\n")); err != nil {
				t.Fatal(err)
			}
			<-out.come
			conn.Close()
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got, want := out.text.String(), "a:1|c\n\"hostile\\x1b[2J:1|c\"\nb:2|c\n"; got != want {
				t.Errorf("printed %q, want %q", got, want)
			}
		})
	}
}
