package stats

import (
	"encoding/json"
	"fmt"
	"time"
)

// The History stands in the JSON column by column: numbers of one meaning pack
// well. A column that is zero throughout is left out.

// historyColumns are the counts of a Point.
var historyColumns = [...]struct {
	name string
	of   func(*Point) *int64
}{
	{"finished", func(p *Point) *int64 { return &p.Finished }},
	{"failed", func(p *Point) *int64 { return &p.Failed }},
	{"discarded", func(p *Point) *int64 { return &p.Discarded }},
	{"retries", func(p *Point) *int64 { return &p.Retries }},
	{"inFlight", func(p *Point) *int64 { return &p.InFlight }},
	{"otherStatus", func(p *Point) *int64 { return &p.Status[0] }},
	{"status1xx", func(p *Point) *int64 { return &p.Status[1] }},
	{"status2xx", func(p *Point) *int64 { return &p.Status[2] }},
	{"status3xx", func(p *Point) *int64 { return &p.Status[3] }},
	{"status4xx", func(p *Point) *int64 { return &p.Status[4] }},
	{"status5xx", func(p *Point) *int64 { return &p.Status[5] }},
}

// quantileColumns are the percentiles of a Point. They are middles of buckets
// nearly always, so they stand as buckets and what is left, in a column of its
// own.
var quantileColumns = [...]struct {
	name string
	of   func(*Point) *time.Duration
}{
	{"p50", func(p *Point) *time.Duration { return &p.P50 }},
	{"p95", func(p *Point) *time.Duration { return &p.P95 }},
	{"p99", func(p *Point) *time.Duration { return &p.P99 }},
}

// restNanos behind the name of a quantile column is that of the rest.
const restNanos = "RestNanos"

// splitQuantile splits d into its bucket, counted from 1, and the distance from the
// middle of it; zero has bucket 0.
func splitQuantile(d time.Duration) (bucket int64, rest time.Duration) {
	if d == 0 {
		return 0, 0
	}
	i := bucketOf(d, fine)
	return int64(i) + 1, d - middle(i, fine)
}

func joinQuantile(bucket int64, rest time.Duration) time.Duration {
	if bucket == 0 {
		return rest
	}
	return add(middle(int(bucket)-1, fine), rest)
}

func middle(i, resolution int) time.Duration {
	lower, upper := bucketBounds(i, resolution)
	return lower + (upper-lower)/2
}

// lateNanos is the column of moments: how much later than one step after the
// point before it a point stands. Without gaps it is zero throughout.
const lateNanos = "lateNanos"

type jsonRing struct {
	First   instant           `json:"first"` // moment of the first point
	Points  int               `json:"points"`
	Columns map[string]string `json:"columns,omitempty"`
}

// MarshalJSON writes the rings that have points, column by column, packed.
func (h History) MarshalJSON() ([]byte, error) {
	m := make(map[string]jsonRing, len(rings))
	for _, r := range rings {
		points := *r.points(&h)
		if len(points) == 0 {
			continue
		}
		packed, err := r.pack(points)
		if err != nil {
			return nil, fmt.Errorf("ring %s: %w", r.name, err)
		}
		m[r.name] = packed
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON writes. Rings and columns it does not
// know are dropped.
func (h *History) UnmarshalJSON(data []byte) error { return unmarshalValid(data, h) }

func (h *History) read(raw []byte) error {
	var m map[string]jsonRing
	if err := unmarshal(raw, &m); err != nil {
		return err
	}
	*h = History{}
	for _, r := range rings {
		points, err := r.unpack(m[r.name])
		if err != nil {
			return fmt.Errorf("ring %s: %w", r.name, err)
		}
		*r.points(h) = points
	}
	return nil
}

func (j *jsonRing) read(raw []byte) error {
	return readObject(raw, func(name []byte) any {
		switch string(name) {
		case "first":
			return &j.First
		case "points":
			return &j.Points
		case "columns":
			return &j.Columns
		}
		return nil
	})
}

func (r ring) pack(points []Point) (jsonRing, error) {
	j := jsonRing{First: instant(points[0].At), Points: len(points), Columns: make(map[string]string)}
	if len(points) > r.length {
		return j, fmt.Errorf("%d points, at most %d", len(points), r.length)
	}
	numbers := make([]int64, len(points))
	for i := 1; i < len(points); i++ {
		gap := points[i].At.Sub(points[i-1].At)
		if gap <= 0 || !points[i-1].At.Add(gap).Equal(points[i].At) {
			return j, fmt.Errorf("point %d does not come after point %d, within 290 years", i, i-1)
		}
		numbers[i] = int64(gap - r.step)
	}
	j.add(lateNanos, numbers)
	for _, c := range historyColumns {
		for i := range points {
			numbers[i] = *c.of(&points[i])
		}
		j.add(c.name, numbers)
	}
	rests := make([]int64, len(points))
	for _, c := range quantileColumns {
		var before int64
		for i := range points {
			bucket, rest := splitQuantile(*c.of(&points[i]))
			step := bucket - before
			numbers[i], rests[i] = step<<1^step>>63, int64(rest) // as in signed varints
			before = bucket
		}
		j.add(c.name, numbers)
		j.add(c.name+restNanos, rests)
	}
	return j, nil
}

func (j *jsonRing) add(name string, numbers []int64) {
	for _, n := range numbers {
		if n != 0 {
			j.Columns[name] = pack(numbers)
			return
		}
	}
}

func (r ring) unpack(j jsonRing) ([]Point, error) {
	if j.Points < 0 || j.Points > r.length {
		return nil, fmt.Errorf("%d points, not 0 to %d", j.Points, r.length)
	}
	if j.Points == 0 {
		return nil, nil
	}
	late, err := j.column(lateNanos)
	if err != nil {
		return nil, err
	}
	points := make([]Point, j.Points)
	at := time.Time(j.First)
	for i := range points {
		if i > 0 {
			gap := add(r.step, time.Duration(late[i]))
			if gap <= 0 {
				return nil, fmt.Errorf("point %d does not come after point %d", i, i-1)
			}
			at = at.Add(gap)
		}
		points[i].At = at
	}
	if err := writable(at); err != nil {
		return nil, err
	}
	for _, c := range historyColumns {
		numbers, err := j.column(c.name)
		if err != nil {
			return nil, err
		}
		for i, n := range numbers {
			*c.of(&points[i]) = n
		}
	}
	for _, c := range quantileColumns {
		steps, err := j.column(c.name)
		if err != nil {
			return nil, err
		}
		rests, err := j.column(c.name + restNanos)
		if err != nil {
			return nil, err
		}
		var bucket int64
		for i, step := range steps {
			bucket += int64(uint64(step)>>1) ^ -(step & 1)
			if bucket < 0 || bucket > int64(cellsOf(fine)) {
				return nil, fmt.Errorf("column %s: bucket %d of %d", c.name, bucket, cellsOf(fine))
			}
			*c.of(&points[i]) = joinQuantile(bucket, time.Duration(rests[i]))
		}
	}
	return points, nil
}

func (j *jsonRing) column(name string) ([]int64, error) {
	text, ok := j.Columns[name]
	if !ok {
		return make([]int64, j.Points), nil
	}
	numbers, err := unpack(text, j.Points)
	if err == nil && len(numbers) != j.Points {
		err = fmt.Errorf("%d numbers for %d points", len(numbers), j.Points)
	}
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", name, err)
	}
	return numbers, nil
}
