package main

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
	cactus "github.com/cactus/go-statsd-client/v5/statsd"
)

// wire stands in for the UDP socket: the cost of the system call is left out.
type wire struct{ bytes atomic.Int64 }

func (w *wire) Send(p []byte) (int, error)  { w.bytes.Add(int64(len(p))); return len(p), nil }
func (w *wire) Write(p []byte) (int, error) { w.bytes.Add(int64(len(p))); return len(p), nil }
func (w *wire) Close() error                { return nil }

const statsdLacks = "the server counts: nothing can be read in the process, packets are lost unseen, nothing kept over a restart"

func datadog(name, about string, options ...statsd.Option) contender {
	return contender{
		name: name, module: "github.com/DataDog/datadog-go/v5", about: about, lacks: statsdLacks,
		open: func() subject {
			c, err := statsd.NewWithWriter(&wire{}, append(options, statsd.WithoutTelemetry(), statsd.WithoutOriginDetection())...)
			if err != nil {
				panic(err) // no socket is opened
			}
			var n atomic.Int64
			finished := []string{"outcome:finished"}
			var codes [maxCode][]string
			for i := range codes {
				codes[i] = []string{"code:" + strconv.Itoa(i)}
			}
			return subject{close: func() { _ = c.Close() }, loop: func(table []request, at, count int) {
				for i := at; i < at+count; i++ {
					q := &table[i&(tableSize-1)]
					_ = c.Gauge("in_flight", float64(n.Add(1)), nil, 1)
					start := since()
					d := since() - start + q.extra
					_ = c.Gauge("in_flight", float64(n.Add(-1)), nil, 1)
					_ = c.Incr("requests", finished, 1)
					_ = c.Incr("responses", codes[q.code], 1)
					_ = c.Distribution("duration", time.Duration(d).Seconds(), nil, 1)
					_ = c.Distribution("retries", float64(q.retries), nil, 1)
				}
			}}
		},
	}
}

var cactusEvents = contender{
	name: "cactus", module: "github.com/cactus/go-statsd-client/v5", about: "a line for each event, buffered", lacks: statsdLacks,
	open: func() subject {
		sender, err := cactus.NewBufferedSenderWithSender(&wire{}, 300*time.Millisecond, 1432)
		if err != nil {
			panic(err) // no socket is opened
		}
		c, err := cactus.NewClientWithSender(sender, "crawl", 0)
		if err != nil {
			panic(err)
		}
		var codes [maxCode]string
		for i := range codes {
			codes[i] = "responses." + strconv.Itoa(i)
		}
		return subject{close: func() { _ = c.Close() }, loop: func(table []request, at, n int) {
			for i := at; i < at+n; i++ {
				q := &table[i&(tableSize-1)]
				_ = c.GaugeDelta("in_flight", 1, 1)
				start := since()
				d := since() - start + q.extra
				_ = c.GaugeDelta("in_flight", -1, 1)
				_ = c.Inc("finished", 1, 1)
				_ = c.Inc(codes[q.code], 1, 1)
				_ = c.TimingDuration("duration", time.Duration(d), 1)
				_ = c.Timing("retries", int64(q.retries), 1)
			}
		}}
	},
}
