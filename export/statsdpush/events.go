package statsdpush

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// linesPerRequest is what one request becomes: working time, queue and total,
// the latter and the first also as a job's.
const linesPerRequest = 5

// events returns the lines of single events that wait to be sent.
func (p *Pusher) events() []line {
	t := p.tap
	if t == nil {
		return nil
	}
	events, dropped := t.take()
	e := encoder{p: p, seen: map[string]bool{}}
	for i := range events {
		if len(t.pending)+len(e.lines) >= linesPerRequest*t.limit { // what an outage left fills it up
			dropped += int64(len(events) - i)
			break
		}
		e.add(&events[i])
	}
	rules, _ := p.cfg.Profile.rules()
	t.pending = append(t.pending, pack(e.lines, rules.packing, min(p.cfg.PacketSize, maxLine))...)
	p.health.update(func(h *Health) { h.Dropped += dropped })
	return t.pending
}

// eventsSent forgets the first n pending lines.
func (p *Pusher) eventsSent(n int) {
	if p.tap != nil {
		p.tap.pending = append(p.tap.pending[:0], p.tap.pending[n:]...)
	}
}

// encoder makes lines of events.
type encoder struct {
	p     *Pusher
	lines []line
	seen  map[string]bool // values of sets
}

func (e *encoder) add(t *stats.Tapped) {
	switch t.Kind {
	case stats.TapFinished:
		e.request(t, "ok")
	case stats.TapFailed:
		e.request(t, "error")
	case stats.TapTimer:
		e.timing(e.p.timer(t.Key), t.Duration)
	case stats.TapUnique:
		m := e.p.unique(t.Key)
		value := fmt.Sprintf("%016x", t.Hash)
		if id := m.series + value; !e.seen[id] {
			e.seen[id] = true
			e.lines = append(e.lines, line{name: m.name, tags: m.tags, kind: setLine, text: value})
		}
	}
}

func (e *encoder) request(t *stats.Tapped, outcome string) {
	p := e.p
	e.timing(p.listed(catalogue.Working, outcome), t.Duration)
	e.timing(p.job(catalogue.JobsWorking), t.Duration)
	if t.Queued >= 0 {
		e.timing(p.listed(catalogue.QueueWait), t.Queued)
		e.timing(p.listed(catalogue.Total), t.Queued+t.Duration)
		e.timing(p.job(catalogue.JobsTotal), t.Queued+t.Duration)
	}
}

func (e *encoder) timing(m metric, d time.Duration) {
	e.lines = append(e.lines, line{name: m.name, tags: m.tags, kind: eventLine, event: d, series: m.series})
}

// pack puts timings of one name into one line, as far as it stays within limit. Without a separator it leaves them as they are.
func pack(lines []line, separator string, limit int) []line {
	if separator == "" {
		return lines
	}
	var packed []line
	open := map[string]int{} // series -> the line in packed that takes more
	for _, l := range lines {
		if l.kind != eventLine {
			packed = append(packed, l)
			continue
		}
		value := strconv.FormatFloat(milliseconds(l.event), 'f', -1, 64)
		i, ok := open[l.series]
		if ok && packed[i].size()+len(separator)+len(value) <= limit {
			text := strings.TrimSuffix(packed[i].text, "|ms")
			packed[i].text = text + separator + value + "|ms"
			continue
		}
		l.kind, l.text = packedLine, value+"|ms"
		open[l.series] = len(packed)
		packed = append(packed, l)
	}
	return packed
}

// size returns the length on the wire of a line with a text.
func (l *line) size() int {
	n := len(l.name) + len(":") + len(l.text) + len("|#") + len("\n")
	for _, t := range l.tags {
		n += len(t[0]) + len(t[1]) + len(":,")
	}
	return n
}
