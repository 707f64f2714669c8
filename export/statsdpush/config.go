package statsdpush

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// Config says where lines go and how they look. Its zero value sends to a statsd
// on this machine, in the form that every server understands.
type Config struct {
	// Network is "udp", "tcp", "unix" (a stream) or "unixgram"; default "udp".
	Network string
	// Address is host:port, or the path of a Unix socket; default
	// 127.0.0.1:8125, and none for Unix sockets. Names are looked up again
	// whenever the connection is made anew.
	Address string
	// Client sends instead of Network and Address. It stays the caller's, who
	// closes it. A Client that buffers takes every line, so what it loses is
	// counted nowhere here.
	Client statsd.Statter

	// Prefix stands before every name, with its dots; default "crawler". What is
	// no letter, digit, _, - or dot becomes _.
	Prefix string
	// Crawler is the segment behind Prefix; default the ID of the Source. Give
	// each member of a fleet its own, for gauges of one name overwrite each other.
	Crawler string
	// OmitID leaves the segment out.
	OmitID bool
	// Jobs is the path of the metrics that count requests as jobs: .ok, .error,
	// .total and .working; default "jobs".
	Jobs string

	// Tags go on every line.
	Tags []statsd.Tag
	// TagFormat writes tags, and the labels of instruments as tags. Zero is
	// statsd.SuffixOctothorpe when there are Tags, else none: labels are then
	// segments of the name, .key.value.
	TagFormat statsd.TagFormat

	// Timings says how durations are sent; default TimingSummary.
	Timings Timings
	// Sets sends a hash of each value that a Unique was given since the last
	// flush, as type s.
	Sets bool
	// MaxEvents bounds what TimingEvents and Sets keep between two flushes;
	// default 10,000. What does not fit is counted in Health.Dropped.
	MaxEvents int
	// Profile names the server; default Portable.
	Profile Profile

	// Interval is the time between flushes; default 1 s, at least 10 ms. Keep it
	// at or below half of the server's own.
	Interval time.Duration
	// PacketSize bounds a datagram, or a write to a stream, in bytes; at least
	// 512, which is right across the internet; default 1432 for udp, else 8192.
	PacketSize int
	// CloseTimeout bounds Close; default 2 s.
	CloseTimeout time.Duration
	// Logger hears when sending begins to fail and when it works again; default
	// logging.Default().
	Logger *slog.Logger
}

// Timings says how durations are sent.
type Timings int

const (
	// TimingSummary sends exact counters .count and .sum_ms, and gauges .p50
	// .p95 .p99 .max in milliseconds, of this process. It costs the same however
	// many requests there are, and is right on every server.
	TimingSummary Timings = iota
	// TimingEvents sends one value of type ms for each event, so that the server
	// computes its own percentiles per interval. Nothing else is sent of
	// durations, as the names would collide on statsd_exporter.
	TimingEvents
)

const (
	defaultAddress   = "127.0.0.1:8125"
	defaultPrefix    = "crawler"
	defaultJobs      = "jobs"
	defaultInterval  = time.Second
	minInterval      = 10 * time.Millisecond
	defaultMaxEvents = 10_000
	minPacket        = 512
	ethernetPacket   = 1432 // fits one Ethernet frame behind IP and UDP headers
	localPacket      = 8192
	defaultCloseTime = 2 * time.Second
)

// identified is a Source that knows its name, as *stats.Statistics does.
type identified interface{ ID() string }

// withDefaults returns the config with every field set and names made safe.
func (c Config) withDefaults(src stats.Source) Config {
	setDefault(&c.Network, "udp")
	if c.Network == "udp" || c.Network == "tcp" {
		setDefault(&c.Address, defaultAddress)
	}
	if s, ok := src.(identified); ok {
		setDefault(&c.Crawler, s.ID())
	}
	setDefault(&c.Prefix, defaultPrefix)
	c.Prefix = catalogue.Path(c.Prefix)
	setDefault(&c.Prefix, defaultPrefix) // for one of dots alone
	if c.Crawler != "" && !c.OmitID {
		c.Prefix += "." + catalogue.Segment(c.Crawler)
	}
	c.Jobs = catalogue.Path(c.Jobs)
	setDefault(&c.Jobs, defaultJobs)
	if len(c.Tags) > 0 {
		setDefault(&c.TagFormat, statsd.SuffixOctothorpe)
	}
	c.Tags = cleanTags(c.Tags, c.TagFormat)

	setDefault(&c.MaxEvents, defaultMaxEvents)
	setDefault(&c.Interval, defaultInterval)
	c.Interval = max(c.Interval, minInterval)
	if c.PacketSize == 0 {
		c.PacketSize = localPacket
		if c.Network == "udp" {
			c.PacketSize = ethernetPacket
		}
	}
	setDefault(&c.CloseTimeout, defaultCloseTime)
	if c.Logger == nil {
		c.Logger = logging.Default()
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate returns what is wrong with the config as the caller gave it.
func (c Config) validate() error {
	var errs []error
	reject := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("statsdpush: start: Config."+format, args...))
	}
	if !slices.Contains([]string{"", "udp", "tcp", "unix", "unixgram"}, c.Network) {
		reject("Network is %q: use udp, tcp, unix or unixgram", c.Network)
	}
	if strings.HasPrefix(c.Network, "unix") && c.Address == "" && c.Client == nil {
		reject("Address is empty: give the path of the socket")
	}
	if first, _, _ := strings.Cut(catalogue.Path(c.Prefix), "."); reservedPrefix(first) {
		reject("Prefix begins with %q, which servers keep for their own metrics: choose another", first)
	}
	if jobs := catalogue.Path(c.Jobs); jobs != "" && jobs != defaultJobs {
		if id, taken := catalogue.FindStatsd(jobs + ".total"); taken {
			reject("Jobs is %q, but %s stands there: choose another", c.Jobs, id.Metric().Statsd.Name)
		}
	}
	if err := checkTags(c.Tags); err != nil {
		reject("Tags: %w", err)
	}
	if !slices.Contains([]statsd.TagFormat{0, statsd.SuffixOctothorpe, statsd.InfixComma, statsd.InfixSemicolon}, c.TagFormat) {
		reject("TagFormat is %d: use statsd.SuffixOctothorpe, InfixComma or InfixSemicolon", c.TagFormat)
	}
	if c.Timings < TimingSummary || c.Timings > TimingEvents {
		reject("Timings is %d: use TimingSummary or TimingEvents", c.Timings)
	}
	if p, known := c.Profile.rules(); !known {
		reject("Profile is %d: use Portable, Etsy, Exporter, Statsite, Datadog or Telegraf", c.Profile)
	} else {
		if p.noTags && (len(c.Tags) > 0 || c.TagFormat != 0) {
			reject("Tags: statsite drops counters with tags; leave Tags and TagFormat empty")
		}
		if p.noSets && c.Sets {
			reject("Sets: statsd_exporter does not know sets; leave them out")
		}
	}
	for _, f := range []struct {
		name     string
		negative bool
	}{
		{"Interval", c.Interval < 0},
		{"CloseTimeout", c.CloseTimeout < 0},
		{"MaxEvents", c.MaxEvents < 0},
	} {
		if f.negative {
			reject("%s is negative: use 0 for the default", f.name)
		}
	}
	if c.PacketSize != 0 && (c.PacketSize < minPacket || c.PacketSize > 65_000) {
		reject("PacketSize is %d: use 512 to 65,000 bytes, or 0 for the default", c.PacketSize)
	}
	return errors.Join(errs...)
}

// reservedPrefix reports first segments under which a server shows itself.
func reservedPrefix(segment string) bool {
	for _, own := range []string{"statsd", "stats", "go", "process", "promhttp", "statsd_exporter"} {
		if segment == own || own != "stats" && own != "statsd" && strings.HasPrefix(segment, own+"_") {
			return true
		}
	}
	return false
}
