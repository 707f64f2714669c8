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

// durations returns the distribution with a copy of its buckets, from first on.
func (s *spread) durations(resolution, first int, cells []int64) Durations {
	h := newHistogram(resolution, first, cells)
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

// used returns the range of the buckets that can have counts.
func (s *fineSpread) used() (first int, cells []int64) {
	if s.count == 0 {
		return 0, nil
	}
	first = bucketOf(s.min, fine)
	return first, s.cells[first : bucketOf(s.max, fine)+1]
}

func (s *fineSpread) fold(o *fineSpread) {
	first, cells := o.used()
	addTo(s.cells[first:], cells)
	s.spread.fold(o.spread)
}

func (s *fineSpread) reset() {
	_, cells := s.used()
	clear(cells)
	s.spread = spread{}
}

func (s *fineSpread) durations() Durations {
	first, cells := s.used()
	return s.spread.durations(fine, first, cells)
}
