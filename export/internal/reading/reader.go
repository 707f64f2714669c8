package reading

import (
	"slices"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// Names of the labels that say whose samples they are.
const (
	crawlerLabel = "crawler"
	memberLabel  = "member"
)

// Config of a Reader.
type Config struct {
	// Crawler and Member say whose samples they are; default the ID and the
	// Member of the Source, when it has them.
	Crawler, Member string
	// Hosts to show one by one; default 0: none. At most MaxHosts.
	Hosts int
	// Self returns more of what the catalogue lists for Self; nil: there is none.
	Self func() map[string]int64
}

// A Reader reads a Source.
type Reader struct {
	src   stats.Source
	self  func() map[string]int64
	crawl []catalogue.Label

	mu         sync.Mutex
	generation uint64
	hosts      topHosts
	names      names
}

// New returns a Reader of src, and panics when there is none: whoever forgot it
// is to hear of it before the first scrape.
func New(src stats.Source, cfg Config) *Reader {
	if src == nil {
		panic("the Source is nil: give a *stats.Statistics or a *stats.Fleet")
	}
	if named, ok := src.(interface{ ID() string }); ok && cfg.Crawler == "" {
		cfg.Crawler = named.ID()
	}
	if named, ok := src.(interface{ Member() string }); ok && cfg.Member == "" {
		cfg.Member = named.Member()
	}
	r := &Reader{src: src, self: cfg.Self, hosts: topHosts{places: min(max(cfg.Hosts, 0), MaxHosts)}, names: newNames()}
	for _, l := range []catalogue.Label{{Key: crawlerLabel, Value: cfg.Crawler}, {Key: memberLabel, Value: cfg.Member}} {
		if l.Value != "" {
			r.crawl = append(r.crawl, catalogue.Label{Key: l.Key, Value: labelValue(l.Value)})
		}
	}
	return r
}

// Crawl returns the labels that belong to every sample: crawler and member,
// where they are known.
func (r *Reader) Crawl() []catalogue.Label { return slices.Clone(r.crawl) }

// Read looks at the Source.
func (r *Reader) Read() Reading {
	var others map[string]int64
	if r.self != nil {
		others = r.self()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	live, whole := r.look()
	if live.Generation != r.generation {
		r.generation = live.Generation
		r.hosts = topHosts{places: r.hosts.places}
		clear(r.names.refused)
	}
	b := book{Reading: Reading{At: time.Now()}, since: live.Since}
	b.requests(live)
	b.durations(live)
	b.instruments(live, &r.names)
	b.job(whole)
	var health stats.Health
	if src, ok := r.src.(interface{ Health() stats.Health }); ok {
		health = src.Health()
	}
	b.saves(health)
	if r.hosts.places > 0 {
		r.hosts.update(live)
		b.hosts(&r.hosts)
	}
	b.self(live, health, len(r.names.refused), others)
	return b.Reading
}

// look returns what this process and what all runs have counted, of one
// generation. A Reset in between makes it look again, once: two in a row are no
// accident.
func (r *Reader) look() (live, whole stats.Snapshot) {
	live, whole = r.src.Live(), r.src.Snapshot()
	if live.Generation != whole.Generation {
		live, whole = r.src.Live(), r.src.Snapshot()
	}
	return live, whole
}
