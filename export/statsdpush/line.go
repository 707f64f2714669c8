package statsdpush

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/cactus/go-statsd-client/v5/statsd"
)

// line is one metric of one flush. A negative gauge takes two lines on the wire.
type line struct {
	name string // prefix included
	tags []statsd.Tag
	kind lineKind

	delta int64         // of a counter
	value float64       // of a gauge
	event time.Duration // of a timing
	text  string        // of a set, or of several timings in one line

	series string // what the watermark goes by; "" for everything but counters
	total  int64  // the watermark once this line is sent
}

type lineKind uint8

const (
	counterLine lineKind = iota
	gaugeLine
	eventLine
	packedLine
	setLine
)

// encode hands the line to a statsd client.
func (l *line) encode(to statsd.StatSender, absolute bool) error {
	switch l.kind {
	case counterLine:
		return to.Inc(l.name, l.delta, 1, l.tags...)
	case eventLine:
		return to.TimingDuration(l.name, l.event, 1, l.tags...)
	case packedLine:
		return to.Raw(l.name, l.text, 1, l.tags...)
	case setLine:
		return to.Set(l.name, l.text, 1, l.tags...)
	}
	// Most servers take a signed gauge for a change: from zero, it is a value.
	if l.value < 0 && !absolute {
		if err := to.Gauge(l.name, 0, 1, l.tags...); err != nil {
			return err
		}
	}
	if l.value == math.Trunc(l.value) && math.Abs(l.value) < 1<<53 {
		return to.Gauge(l.name, int64(l.value), 1, l.tags...)
	}
	return to.Raw(l.name, strconv.FormatFloat(l.value, 'f', -1, 64)+"|g", 1, l.tags...)
}

// grammar is what a line may be, whatever it was made of. Servers crash on less.
var grammar = func() *regexp.Regexp {
	const (
		segment = `[A-Za-z0-9_-]+`
		infix   = `(?:[,;][A-Za-z_][A-Za-z0-9_-]*=[^,;=:|#\s\x00-\x1f]+)*`
		number  = `\d+(?:\.\d+)?`
		events  = number + `(?:\|ms:` + number + `)*\|ms|` + number + `(?::` + number + `)*\|ms`
		set     = `[0-9a-f]{16}\|s`
		suffix  = `(?:\|#[^|\s\x00-\x1f]+)?`
	)
	return regexp.MustCompile(`^` + segment + `(?:\.` + segment + `)+` + infix +
		`:(?:-?` + number + `\|[cg]|` + events + `|` + set + `)` + suffix + `$`)
}()

// maxLine is below the 4096 bytes at which statsd_exporter hangs up.
const maxLine = 4000

// batch collects the lines of a flush. It is the Sender of the statsd client
// that encodes them, which calls it once for each line.
type batch struct {
	limit int // bytes of a packet
	buf   []byte
	ends  []int // end of each metric in buf
	sick  error // what is wrong with the metric that is being written
}

func (b *batch) reset() { b.buf, b.ends, b.sick = b.buf[:0], b.ends[:0], nil }

// Send implements statsd.Sender.
func (b *batch) Send(line []byte) (int, error) {
	if len(line) > maxLine || !grammar.Match(line) {
		b.sick = fmt.Errorf("statsdpush: encode line: %.80q is no line that every server survives", line)
		return 0, b.sick
	}
	b.buf = append(append(b.buf, line...), '\n')
	return len(line), nil
}

// Close implements statsd.Sender.
func (b *batch) Close() error { return nil }

// end ends a metric: all its lines go into one packet. One that was refused, or
// is longer than a packet, stays empty.
func (b *batch) end() {
	start := b.start(len(b.ends))
	if b.sick != nil || len(b.buf)-start > b.limit {
		b.buf = b.buf[:start]
	}
	b.sick = nil
	b.ends = append(b.ends, len(b.buf))
}

// start returns where metric i begins.
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// packet returns as many metrics from the first on as one packet holds, and the
// metric behind them.
func (b *batch) packet(first int) (data []byte, next int) {
	start := b.start(first)
	next = first
	for next < len(b.ends) && b.ends[next]-start <= b.limit {
		next++
	}
	return b.buf[start:b.ends[next-1]], next
}

// within returns how many metrics from first on lie in n bytes.
func (b *batch) within(first, n int) (next int) {
	limit := b.start(first) + n
	for first < len(b.ends) && b.ends[first] <= limit {
		first++
	}
	return first
}
