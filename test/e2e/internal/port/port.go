// Package port finds ports for servers that tests start, stop and start again.
//
// # Concurrency
//
// Free may be called from any number of goroutines and processes.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Below the range that the kernel hands out by itself (32768 on Linux): while a
// server is down, no outgoing connection takes its port.
const lowest, highest = 10_000, 32_767

// Free returns a port of 127.0.0.1 that nobody listens on, neither by TCP nor
// by UDP.
func Free(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		if free(port) {
			return port
		}
	}
	t.Fatalf("no free port from %d to %d", lowest, highest)
	return 0
}

func free(port int) bool {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
