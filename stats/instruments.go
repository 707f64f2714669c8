package stats

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
)

// Label distinguishes instruments of one name. Keys and values should be few:
// every combination is an instrument of its own.
type Label struct{ Key, Value string }

const (
	otherName      = "custom.other"
	maxInstruments = 200 // of one kind
	maxTimers      = 24
	maxUniques     = 16
	maxLabels      = 8
)

// instruments holds the counters, gauges, timers and uniques of one Statistics.
// They outlive a Reset, so that handles stay valid.
type instruments struct {
	counters registry[Counter]
	gauges   registry[Gauge]
	timers   registry[Timer]
	uniques  registry[Unique]
}

// registry holds the instruments of one kind, by key.
type registry[T any] struct {
	mu      sync.RWMutex
	byKey   map[string]*T
	dropped int64 // refused for their name or at the bound; they share one instrument
}

// get returns the instrument of key, or the one named custom.other when the
// registry is full or ok is false.
func (r *registry[T]) get(key string, ok bool, limit int, create func(key string) *T) *T {
	if ok {
		r.mu.RLock()
		i := r.byKey[key]
		r.mu.RUnlock()
		if i != nil {
			return i
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.byKey[key]; ok && i != nil {
		return i
	}
	if !ok || len(r.byKey) >= limit && key != otherName {
		r.dropped++
		key = otherName
		if i := r.byKey[key]; i != nil {
			return i
		}
	}
	i := create(key)
	setKey(&r.byKey, key, i)
	return i
}

// all returns the instruments by key, and how many were refused.
func (r *registry[T]) all() (map[string]*T, int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.byKey), r.dropped
}

func (r *registry[T]) each(fn func(*T)) {
	byKey, _ := r.all()
	for _, i := range byKey {
		fn(i)
	}
}

func (r *registry[T]) reset(fn func(*T)) {
	r.each(fn)
	r.mu.Lock()
	r.dropped = 0
	r.mu.Unlock()
}

// Counter returns the counter of that name and labels; the same arguments give
// the same counter. Its count survives restarts, is merged by addition and
// exported. At most 200 are kept; further ones, and names reserved for adapters
// ("http.…", "wire.…"), share the counter "custom.other", and Snapshot.Dropped
// tells how many asked in vain.
func (s *Statistics) Counter(name string, labels ...Label) *Counter {
	return s.counter(name, labels, false)
}

// Gauge returns the gauge of that name and labels, like Counter. Its value
// survives restarts; over a fleet, values add.
func (s *Statistics) Gauge(name string, labels ...Label) *Gauge {
	key, ok := instrumentKey(name, labels, false)
	return s.instruments.gauges.get(key, ok, maxInstruments, func(string) *Gauge { return new(Gauge) })
}

// Timer returns the timer of that name and labels, like Counter: a distribution
// of durations, to 1.6 %. At most 24 are kept.
func (s *Statistics) Timer(name string, labels ...Label) *Timer {
	return s.timer(name, labels, false)
}

// Unique returns the distinct count of that name and labels, like Counter: an
// estimate with a standard error of 1.6 %, in 16 KB of memory whatever is
// added. At most 16 are kept.
func (s *Statistics) Unique(name string, labels ...Label) *Unique {
	key, ok := instrumentKey(name, labels, false)
	return s.instruments.uniques.get(key, ok, maxUniques, func(key string) *Unique { return &Unique{key: key, taps: &s.taps} })
}

func (s *Statistics) counter(name string, labels []Label, adapter bool) *Counter {
	key, ok := instrumentKey(name, labels, adapter)
	return s.instruments.counters.get(key, ok, limitFor(adapter, maxInstruments), func(string) *Counter { return newCounter() })
}

func (s *Statistics) timer(name string, labels []Label, adapter bool) *Timer {
	key, ok := instrumentKey(name, labels, adapter)
	return s.instruments.timers.get(key, ok, limitFor(adapter, maxTimers), func(key string) *Timer { return newTimer(key, &s.taps) })
}

// limitFor leaves adapters unbounded: their names are few and known.
func limitFor(adapter bool, limit int) int {
	if adapter {
		return math.MaxInt
	}
	return limit
}

// instrumentKey returns name{k="v",…} with sorted label keys, made safe. It
// reports false for what cannot be an instrument of the caller's.
func instrumentKey(name string, labels []Label, adapter bool) (key string, ok bool) {
	name = cleanName(name)
	if name == "" || strings.ContainsAny(name, `{}"`) || len(labels) > maxLabels || !adapter && reserved(name) {
		return "", false
	}
	if len(labels) == 0 {
		return name, true
	}
	sorted := slices.SortedFunc(slices.Values(labels), func(x, y Label) int { return cmp.Compare(x.Key, y.Key) })
	var b strings.Builder
	b.WriteString(name)
	for i, l := range sorted {
		if l.Key == "" || i > 0 && l.Key == sorted[i-1].Key {
			return "", false
		}
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(labelEscaper.Replace(cleanName(l.Key)))
		b.WriteString(`="`)
		b.WriteString(labelEscaper.Replace(cleanName(l.Value)))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String(), true
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// reserved reports names that only the adapters of this project may use.
func reserved(name string) bool {
	return strings.HasPrefix(name, "http.") || strings.HasPrefix(name, "wire.")
}

// snapshot writes what the instruments hold.
func (i *instruments) snapshot(a *Snapshot) {
	counters, n1 := i.counters.all()
	for key, c := range counters {
		setKey(&a.Counters, key, c.value())
	}
	gauges, n2 := i.gauges.all()
	for key, g := range gauges {
		setKey(&a.Gauges, key, g.value())
	}
	timers, n3 := i.timers.all()
	for key, t := range timers {
		setKey(&a.Timers, key, t.durations())
	}
	uniques, n4 := i.uniques.all()
	for key, u := range uniques {
		setKey(&a.sketches, key, u.distinct.sketch())
	}
	a.Uniques = estimates(a.sketches)
	a.Dropped = n1 + n2 + n3 + n4
}

// changes grows with every change of an instrument.
func (i *instruments) changes() (n uint64) {
	i.counters.each(func(c *Counter) { n += uint64(c.value()) + 1 })
	i.gauges.each(func(g *Gauge) { n += g.sets.Load() })
	i.timers.each(func(t *Timer) { n += uint64(t.count()) + 1 })
	i.uniques.each(func(u *Unique) { n += uint64(u.distinct.raises.Load()) + 1 })
	return n
}

// reset puts every instrument back to zero.
func (i *instruments) reset() {
	i.counters.reset((*Counter).reset)
	i.gauges.reset((*Gauge).reset)
	i.timers.reset((*Timer).reset)
	i.uniques.reset(func(u *Unique) { u.distinct.reset() })
}

func (i *instruments) restoreGauges(values map[string]float64) {
	for key, v := range values {
		i.gauges.get(key, true, maxInstruments, func(string) *Gauge { return new(Gauge) }).Set(v)
	}
}

// finite keeps infinities and NaN out of everything that is saved or exported.
func finite(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -math.MaxFloat64), math.MaxFloat64)
}
