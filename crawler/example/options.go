package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/crawlstats/crawlstats/crawler/example/site"
	"github.com/crawlstats/crawlstats/export/statsdpush"
)

// options are what the flags say.
type options struct {
	start       *url.URL // nil: the example site, from its home page
	site        *url.URL // the example site, where it is served already; nil: serve it here
	delay       time.Duration
	timeout     time.Duration // of one attempt
	concurrency int
	maxRequests int

	id       string
	state    string
	fresh    bool
	logEvery time.Duration      // 0: the default, or never beside a progress line
	listen   string             // address of the page and of /metrics; "": none
	report   string             // file; "": none
	statsd   *statsdpush.Config // nil: none
}

// parseOptions parses flags. What is wrong with them is told on usage.
func parseOptions(args []string, usage io.Writer) (options, error) {
	var o options
	var start, address, target, prefix, tags string
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&start, "url", "", "crawl the host of this `URL` instead of the site that comes with the example")
	flags.DurationVar(&o.delay, "delay", time.Second, "time between two requests, with -url")
	flags.StringVar(&address, "site", "", "`URL` of the example site, if another process serves it already")
	flags.IntVar(&o.concurrency, "concurrency", 8, "requests at a time")
	flags.IntVar(&o.maxRequests, "max-requests", 0, "stop after so many requests; 0 is no limit")
	flags.StringVar(&o.id, "id", "", "name of the crawl (default \"example\", with -url its host)")
	flags.StringVar(&o.state, "state", "./crawl-state", "`directory` of what the next run resumes from")
	flags.BoolVar(&o.fresh, "fresh", false, "forget the state and start anew")
	flags.DurationVar(&o.logEvery, "log-every", 0, "time between log lines of the statistics; negative is never (default 1m0s,\nand never where there is a progress line)")
	flags.StringVar(&o.listen, "listen", "", "serve the live page, and /metrics for Prometheus, on this `address`, such as 127.0.0.1:8077")
	flags.StringVar(&o.report, "report", "", "write the report of the crawl to this `file` at the end, such as report.html")
	flags.StringVar(&target, "statsd", "", "push to a statsd server, udp://`host:port` or tcp://host:port")
	flags.StringVar(&prefix, "statsd-prefix", "crawler", "before the names of metrics")
	flags.StringVar(&tags, "statsd-tags", "", "`app:x,zone:y`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}

	err := errors.Join(
		o.setOrigin(start, address),
		o.setStatsd(target, prefix, tags),
	)
	switch {
	case flags.NArg() > 0:
		err = errors.Join(err, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	case o.concurrency < 1:
		err = errors.Join(err, errors.New("-concurrency must be at least 1"))
	case o.maxRequests < 0:
		err = errors.Join(err, errors.New("-max-requests must not be negative"))
	}
	if folder, lost := os.Stat(filepath.Dir(o.report)); o.report != "" && (lost != nil || !folder.IsDir()) {
		err = errors.Join(err, fmt.Errorf("-report: %s is no folder: make it first", filepath.Dir(o.report)))
	}
	if err != nil {
		fmt.Fprintln(usage, err)
		return o, err
	}
	if o.maxRequests == 0 {
		o.maxRequests = math.MaxInt
	}
	return o, nil
}

// setOrigin says what is crawled, and how.
func (o *options) setOrigin(start, address string) (err error) {
	if start == "" {
		o.timeout, o.delay = time.Second, 0
		if o.id == "" {
			o.id = "example"
		}
		if address != "" {
			o.site, err = parseURL("-site", address)
		}
		return err
	}
	if o.start, err = parseURL("-url", start); err != nil {
		return err
	}
	o.timeout = 30 * time.Second
	if o.id == "" {
		o.id = o.start.Host
	}
	return nil
}

func parseURL(flag, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s: %q is no address like https://example.org/", flag, s)
	}
	return u, nil
}

func (o *options) setStatsd(target, prefix, tags string) error {
	if target == "" {
		return nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("-statsd: %w", err)
	}
	if u.Scheme != "udp" && u.Scheme != "tcp" || u.Port() == "" {
		return fmt.Errorf("-statsd: %q is no address like udp://127.0.0.1:8125", target)
	}
	parsed, err := statsdpush.ParseTags(tags)
	if err != nil {
		return fmt.Errorf("-statsd-tags: %w", err)
	}
	o.statsd = &statsdpush.Config{Network: u.Scheme, Address: u.Host, Prefix: prefix, Tags: parsed}
	return nil
}

// seed returns the path that a crawl begins with.
func (o *options) seed() string {
	if o.start == nil {
		return "/"
	}
	return o.start.RequestURI()
}

// origin returns the root of what is crawled. The example site is served by this
// process, on the loopback interface, unless another one does.
func (o *options) origin() (root *url.URL, stop func(), err error) {
	served := o.start
	if served == nil {
		served = o.site
	}
	if served != nil {
		return &url.URL{Scheme: served.Scheme, Host: served.Host}, func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("example: serve site: %w", err)
	}
	server := &http.Server{Handler: site.New(), ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // until it is closed
	}()
	return &url.URL{Scheme: "http", Host: listener.Addr().String()}, func() { server.Close(); <-done }, nil
}
