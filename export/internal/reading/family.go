package reading

import (
	"math"
	"time"

	"github.com/crawlstats/crawlstats/export/catalogue"
	"github.com/crawlstats/crawlstats/stats"
)

// A Reading is what there was to tell at one moment.
type Reading struct {
	At       time.Time
	Families []Family // each name at most once
}

// A Family is the samples of one metric. Its type, unit and buckets stand in
// the catalogue.
type Family struct {
	ID      catalogue.ID
	Name    string    // in Prometheus
	Since   time.Time // when counts began at zero; zero: unknown
	Samples []Sample
}

// A Sample is one value of a Family, in the field that its type says.
type Sample struct {
	Labels []catalogue.Label // valid names and values, without those of the crawl

	Count     int64     // of a counter
	Value     float64   // of a gauge, always finite
	Histogram Histogram // of a histogram
}

// A Histogram is a distribution of durations in seconds, or of whole numbers.
type Histogram struct {
	Count uint64
	Sum   float64
	Below []uint64 // Below[i] of Count are at most the family's Buckets[i]

	Durations stats.Durations // behind it; empty for whole numbers
}

func ofDurations(d stats.Durations, bounds []float64) Histogram {
	h := Histogram{Count: natural(d.Count), Sum: d.Sum.Seconds(), Below: make([]uint64, len(bounds)), Durations: d}
	for i, bound := range bounds {
		h.Below[i] = natural(d.CountBelow(time.Duration(math.Round(bound * float64(time.Second)))))
	}
	return h
}

// ofNumbers makes a histogram of counts[n] times the number n.
func ofNumbers(counts []int64, bounds []float64) Histogram {
	h := Histogram{Below: make([]uint64, len(bounds))}
	for n, count := range counts {
		h.Count += natural(count)
		h.Sum += float64(n) * float64(count)
		for i, bound := range bounds {
			if float64(n) <= bound {
				h.Below[i] += natural(count)
			}
		}
	}
	return h
}

// natural keeps a count that a forged record made negative from becoming huge.
func natural(n int64) uint64 { return uint64(max(n, 0)) }
