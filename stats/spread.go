package stats

import "time"

// spread is the exact part of a distribution that is being recorded.
type spread struct {
	count         int64
	sum, min, max time.Duration
}

func (s *spread) add(d time.Duration) {
	if s.count == 0 || d < s.min {
		s.min = d
	}
	if d > s.max {
		s.max = d
	}
	s.count++
	s.sum = add(s.sum, d)
}

func (s *spread) fold(o spread) {
	switch {
	case o.count == 0:
		return
	case s.count == 0:
		s.min = o.min
	}
	s.min, s.max = min(s.min, o.min), max(s.max, o.max)
	s.count += o.count
	s.sum = add(s.sum, o.sum)
}

// durations returns the distribution with a copy of its buckets.
func (s *spread) durations(resolution int, cells []int64) Durations {
	h := newHistogram(resolution, 0, cells)
	h.cells = append([]int64(nil), h.cells...)
	return Durations{Count: s.count, Sum: s.sum, Min: s.min, Max: s.max, buckets: h}
}

// fineSpread is a distribution of request durations.
type fineSpread struct {
	spread
	cells [(38 - fine) << fine]int64
}

func (s *fineSpread) add(d time.Duration) {
	s.cells[bucketOf(d, fine)]++
	s.spread.add(d)
}

func (s *fineSpread) fold(o *fineSpread) {
	s.spread.fold(o.spread)
	addTo(s.cells[:], o.cells[:])
}

func (s *fineSpread) durations() Durations { return s.spread.durations(fine, s.cells[:]) }
