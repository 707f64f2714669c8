package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

// A producer looks at the source, once for all who want to know.
type producer struct {
	source source
	page   page
	every  time.Duration
	track  view.Track // belongs to the goroutine

	wanted chan struct{} // somebody waits for a look
	done   chan struct{}
	ended  chan struct{}

	mu      sync.Mutex
	frame   *frame        // the newest; nil: nobody has looked yet
	changed chan struct{} // closed when a newer one comes
	feeds   int
	stopped bool
	open    sync.WaitGroup // feeds
}

// A frame is one look and what is sent of it.
type frame struct {
	number   uint64
	at       time.Time
	snapshot stats.Snapshot
	view     view.View
	tick     []byte        // what has changed since the frame before; nil: everything
	whole    func() []byte // is made once, when somebody needs it
}

// page is what the page has to know besides.
type page struct {
	Reset   bool   `json:"reset"`   // show the button
	Metrics string `json:"metrics"` // link
	Every   int64  `json:"everyMillis"`
}

func startProducer(s source, cfg Config) *producer {
	p := &producer{
		source:  s,
		page:    page{Reset: cfg.Reset != nil, Metrics: view.Clean(cfg.MetricsURL), Every: cfg.Every.Milliseconds()},
		every:   cfg.Every,
		wanted:  make(chan struct{}, 1),
		done:    make(chan struct{}),
		ended:   make(chan struct{}),
		changed: make(chan struct{}),
	}
	go p.run()
	return p
}

// stop ends the goroutine and all feeds, and waits for them.
func (p *producer) stop() {
	p.mu.Lock()
	if !p.stopped {
		p.stopped = true
		close(p.done)
	}
	p.mu.Unlock()
	<-p.ended
	p.open.Wait()
}

// run looks once each interval while there are feeds, when somebody asks, and
// often enough for the track.
func (p *producer) run() {
	defer close(p.ended)
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			if p.watched() { // the last figures
				p.look()
			}
			return
		case <-p.wanted:
			if !p.stale(p.every) { // who waits has been told by the look before
				continue
			}
		case <-ticker.C:
			if !p.watched() && !p.stale(view.TrackEvery) {
				continue
			}
		}
		p.look()
	}
}

func (p *producer) watched() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.feeds > 0
}

func (p *producer) stale(age time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frame == nil || time.Since(p.frame.at) >= age
}

// look makes the next frame.
func (p *producer) look() {
	at := time.Now()
	snapshot, v := p.source.look(&p.track)
	next := &frame{number: 1, at: at, snapshot: snapshot, view: v}
	next.whole = sync.OnceValue(func() []byte { return p.encode(v) })
	if before := p.frame; before != nil { // only this goroutine sets it
		next.number = before.number + 1
		if snapshot.Generation == before.snapshot.Generation {
			next.tick = p.encode(v.Tick(before.view.Rings))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frame = next
	close(p.changed)
	p.changed = make(chan struct{})
}

// encode writes JSON on one line. Texts stay as they are, for no HTML is made of
// them: escaped they would be six times as long.
func (p *producer) encode(v view.View) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		view.View
		Page page `json:"page"`
	}{v, p.page})
	if err != nil { // a View holds nothing that JSON has no form for
		panic("dashboard: " + err.Error())
	}
	return bytes.TrimSpace(buf.Bytes())
}

// newest returns the newest frame, and the channel that tells of the next.
func (p *producer) newest() (*frame, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frame, p.changed
}

// fresh returns a frame that is not older than the interval, or one that is made
// meanwhile; nil when the producer has stopped or ctx ends.
func (p *producer) fresh(ctx context.Context) *frame {
	f, changed := p.newest()
	if f != nil && time.Since(f.at) < p.every {
		return f
	}
	select {
	case p.wanted <- struct{}{}:
	default:
	}
	select {
	case <-changed:
		f, _ = p.newest()
		return f
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return nil
	}
}

// watch counts a feed until the returned function is called. It returns nil when
// the producer has stopped.
func (p *producer) watch() (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil
	}
	p.feeds++
	p.open.Add(1)
	return func() {
		p.mu.Lock()
		p.feeds--
		p.mu.Unlock()
		p.open.Done()
	}
}
