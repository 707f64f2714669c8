// Statsd is a statsd server that only prints what it gets: a look at what a
// crawler sends, without a server.
//
//	go run ./crawler/example/statsd                       # udp://127.0.0.1:8125
//	go run ./crawler/example/statsd tcp://127.0.0.1:8125
//
// # Concurrency
//
// Each connection has a goroutine; a printer keeps their lines apart.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
)

func main() {
	target := "udp://127.0.0.1:8125"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	u, err := url.Parse(target)
	if err != nil || len(os.Args) > 2 || u.Scheme != "udp" && u.Scheme != "tcp" || u.Port() == "" {
		fmt.Fprintln(os.Stderr, "usage: statsd [udp://host:port | tcp://host:port]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err = show(ctx, u.Scheme, u.Host, os.Stdout, func(at net.Addr) {
		fmt.Fprintf(os.Stderr, "listening on %s://%s, Ctrl-C ends\n", u.Scheme, at)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// show prints each line that arrives on address, until ctx ends. ready is called
// with the address it listens on.
func show(ctx context.Context, network, address string, out io.Writer, ready func(net.Addr)) error {
	lines := &printer{out: out}
	if network == "udp" {
		conn, err := new(net.ListenConfig).ListenPacket(ctx, network, address)
		if err != nil {
			return fmt.Errorf("statsd: %w", err)
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		ready(conn.LocalAddr())
		return untilClosed(lines.packets(conn))
	}
	listener, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return fmt.Errorf("statsd: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	ready(listener.Addr())
	return untilClosed(lines.streams(ctx, listener))
}

func untilClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// printer prints lines, one at a time.
type printer struct {
	mu  sync.Mutex
	out io.Writer
}

func (p *printer) packets(conn net.PacketConn) error {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		p.print(strings.Split(strings.TrimSuffix(string(buf[:n]), "\n"), "\n")...)
	}
}

func (p *printer) streams(ctx context.Context, listener net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		wg.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				p.print(lines.Text())
			}
		})
	}
}

// print shows what does not print, for anybody may send to a port.
func (p *printer) print(lines ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range lines {
		if quoted := strconv.Quote(line); quoted != `"`+line+`"` {
			line = quoted
		}
		fmt.Fprintln(p.out, line)
	}
}
