package statsdpush_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/stats"
)

// A job that waited 300 ms and worked 1.2 s, sent as a job system would send it:
// ok or error, the total and the working time, under a name made of the server,
// the database and the kind of job.
func Example() {
	client := must(statsd.NewClientWithSender(printer{"db-1"}, "", 0))
	st := stats.New()
	pusher, err := statsdpush.Start(st, statsdpush.Config{
		Client:  client, // prints; leave it out to send to Address
		Prefix:  statsdpush.Name("tinybird", "europe-west2"),
		OmitID:  true,
		Jobs:    "jobs." + statsdpush.Name("db-1.internal:8123", "analytics", "populate"),
		Timings: statsdpush.TimingEvents,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	st.Observe(stats.Outcome{QueueWait: 300 * time.Millisecond, Duration: 1200 * time.Millisecond})
	if err := pusher.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tinybird.europe-west2.jobs.db-1_internal_8123.analytics.populate.ok:1|c
	// tinybird.europe-west2.jobs.db-1_internal_8123.analytics.populate.working:1200|ms
	// tinybird.europe-west2.jobs.db-1_internal_8123.analytics.populate.total:1500|ms
}

// Etsy statsd reads several timings in one line.
func ExampleProfile() {
	st := stats.New()
	pusher, err := statsdpush.Start(st, statsdpush.Config{
		Client:  must(statsd.NewClientWithSender(printer{"parse"}, "", 0)),
		Timings: statsdpush.TimingEvents,
		Profile: statsdpush.Etsy,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = pusher.Flush(context.Background())
	for ms := range 3 {
		st.Timer("parse").Observe(time.Duration(ms) * time.Millisecond)
	}
	if err := pusher.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: crawler.custom.parse:0|ms:1|ms:2|ms
}

// printer prints lines with a word in them, zeros left out.
type printer struct{ word string }

func (p printer) Send(line []byte) (int, error) {
	if bytes.Contains(line, []byte(p.word)) && !bytes.HasSuffix(line, []byte(":0|c")) {
		fmt.Println(string(line))
	}
	return len(line), nil
}

func (printer) Close() error { return nil }

func ExampleParseTags() {
	tags, err := statsdpush.ParseTags("app:my-app-name,zone:central-europe")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tags)
	_, err = statsdpush.ParseTags("app")
	fmt.Println(err)
	// Output:
	// [[app my-app-name] [zone central-europe]]
	// statsdpush: parse tags: "app" is not of the form key:value
}

func ExampleName() {
	fmt.Println(statsdpush.Name("jobs", "db-1.internal:8123", "analytics"))
	// Output: jobs.db-1_internal_8123.analytics
}

// A server that speaks statsd is on another port of this machine.
func ExampleStart() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	st := stats.New()
	j := st.Begin()
	j.Finish()
	pusher, err := statsdpush.Start(st, statsdpush.Config{Address: server.LocalAddr().String(), Prefix: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := pusher.Close(); err != nil {
		fmt.Println(err)
	}
	packet := make([]byte, 2048)
	n, _, _ := server.ReadFrom(packet)
	first, _, _ := strings.Cut(string(packet[:n]), "\n")
	fmt.Println(first)
	// Output: shop.requests.started:1|c
}

func ExamplePusher_Health() {
	st := stats.New()
	pusher, err := statsdpush.Start(st, statsdpush.Config{
		Network: "unixgram", Address: "/nowhere/statsd.sock",
		Logger: slog.New(slog.DiscardHandler), // which would hear of it
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pusher.Close() != nil)
	h := pusher.Health()
	fmt.Println(h.Lines, h.Errors, h.Dropped > 0)
	// Output:
	// true
	// 0 2 true
}
