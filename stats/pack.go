package stats

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// Long rows of numbers stand in the JSON as base64 of varints. A zero is
// followed by how many more zeros come, so what is sparse stays small.
var packing = base64.RawStdEncoding.Strict()

// pack returns the packed form of numbers, "" for none.
func pack[N int64 | uint8](numbers []N) string {
	b := make([]byte, 0, 2*len(numbers))
	for i := 0; i < len(numbers); i++ {
		b = binary.AppendUvarint(b, uint64(numbers[i]))
		if numbers[i] != 0 {
			continue
		}
		zeros := i
		for i+1 < len(numbers) && numbers[i+1] == 0 {
			i++
		}
		b = binary.AppendUvarint(b, uint64(i-zeros))
	}
	return packing.EncodeToString(b)
}

var errPacking = errors.New("a number is cut off or too large")

// unpack reads at most limit numbers: a few bytes can stand for many zeros.
func unpack(text string, limit int) ([]int64, error) {
	b, err := packing.DecodeString(text)
	if err != nil {
		return nil, err
	}
	n, err := walk(b, limit, func(int, int64) {})
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, n)
	_, err = walk(b, limit, func(i int, v int64) { numbers[i] = v })
	return numbers, err
}

// walk calls each for the numbers that are not zero and returns how many there
// are in all, at most limit.
func walk(b []byte, limit int, each func(i int, v int64)) (n int, err error) {
	next := func() (uint64, error) {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return 0, errPacking
		}
		b = b[size:]
		return v, nil
	}
	for len(b) > 0 {
		v, err := next()
		if err != nil {
			return 0, err
		}
		more := uint64(0)
		if v == 0 {
			if more, err = next(); err != nil {
				return 0, err
			}
		}
		if more >= uint64(limit-n) {
			return 0, fmt.Errorf("more than the %d numbers there can be", limit)
		}
		if v != 0 {
			each(n, int64(v))
		}
		n += 1 + int(more)
	}
	return n, nil
}

type jsonDurations struct {
	Count      int64         `json:"count,omitempty"`
	Sum        time.Duration `json:"sumNanos,omitempty"`
	Min        time.Duration `json:"minNanos,omitempty"`
	Max        time.Duration `json:"maxNanos,omitempty"`
	Unbucketed int64         `json:"unbucketed,omitempty"`
	Resolution int           `json:"resolution,omitempty"`
	First      int           `json:"first,omitempty"`
	Buckets    string        `json:"buckets,omitempty"`
}

func (j *jsonDurations) member(name []byte) any {
	switch string(name) {
	case "count":
		return &j.Count
	case "sumNanos":
		return &j.Sum
	case "minNanos":
		return &j.Min
	case "maxNanos":
		return &j.Max
	case "unbucketed":
		return &j.Unbucketed
	case "resolution":
		return &j.Resolution
	case "first":
		return &j.First
	case "buckets":
		return &j.Buckets
	}
	return nil
}

// MarshalJSON writes count, sumNanos, minNanos, maxNanos, unbucketed and the
// packed buckets; what is zero is left out.
func (d Durations) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonDurations{
		d.Count, d.Sum, d.Min, d.Max, d.Unbucketed,
		d.buckets.resolution, d.buckets.first, pack(d.buckets.cells),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Durations) UnmarshalJSON(data []byte) error { return unmarshalValid(data, d) }

func (d *Durations) read(raw []byte) error {
	var j jsonDurations
	if err := readObject(raw, j.member); err != nil {
		return err
	}
	buckets, err := unpackHistogram(j.Resolution, j.First, j.Buckets)
	if err != nil {
		return fmt.Errorf("buckets: %w", err)
	}
	*d = Durations{j.Count, j.Sum, j.Min, j.Max, j.Unbucketed, buckets}
	return nil
}

func unpackHistogram(resolution, first int, text string) (histogram, error) {
	if text == "" {
		return histogram{}, nil
	}
	if resolution < 1 || resolution > fine {
		return histogram{}, fmt.Errorf("resolution %d, not 1 to %d", resolution, fine)
	}
	if first < 0 || first >= cellsOf(resolution) {
		return histogram{}, fmt.Errorf("first bucket %d of %d", first, cellsOf(resolution))
	}
	cells, err := unpack(text, cellsOf(resolution)-first)
	if err != nil {
		return histogram{}, err
	}
	return newHistogram(resolution, first, cells), nil
}

const (
	minRegisters = 16
	maxRegisters = 1 << sketchBits
)

type jsonUnique struct {
	Estimate  int64  `json:"estimate"`
	Size      int    `json:"size,omitempty"`
	Registers string `json:"registers,omitempty"`
}

// MarshalJSON writes the estimate for who reads it, and the registers for who
// goes on counting.
func (s sketch) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonUnique{s.estimate(), len(s.registers), pack(s.registers)})
}

// uniqueTable is the JSON of Uniques and the sketches behind them.
type uniqueTable struct{ of *Snapshot }

func (t uniqueTable) MarshalJSON() ([]byte, error) {
	m := make(map[string]any, len(t.of.Uniques))
	for key, n := range t.of.Uniques {
		m[key] = jsonUnique{Estimate: n}
	}
	for key, s := range t.of.sketches {
		m[key] = s
	}
	return json.Marshal(m)
}

func (j *jsonUnique) read(raw []byte) error {
	return readObject(raw, func(name []byte) any {
		switch string(name) {
		case "estimate":
			return &j.Estimate
		case "size":
			return &j.Size
		case "registers":
			return &j.Registers
		}
		return nil
	})
}

func (t uniqueTable) read(raw []byte) error {
	var m map[string]jsonUnique
	if err := unmarshal(raw, &m); err != nil {
		return err
	}
	for key, u := range m {
		if u.Size != 0 {
			s, err := unpackSketch(u.Size, u.Registers)
			if err != nil {
				return fmt.Errorf("%q: %w", key, err)
			}
			setKey(&t.of.sketches, key, s)
			u.Estimate = s.estimate()
		}
		setKey(&t.of.Uniques, key, u.Estimate)
	}
	return nil
}

func unpackSketch(size int, text string) (sketch, error) {
	if size < minRegisters || size > maxRegisters || bits.OnesCount(uint(size)) != 1 {
		return sketch{}, fmt.Errorf("%d registers, not a power of two from %d to %d", size, minRegisters, maxRegisters)
	}
	numbers, err := unpack(text, size)
	if err != nil {
		return sketch{}, err
	}
	if len(numbers) != size {
		return sketch{}, fmt.Errorf("%d registers where %d are announced", len(numbers), size)
	}
	highest := int64(65 - bits.TrailingZeros(uint(size))) // a run of zeros ends where the hash does
	registers := make([]uint8, size)
	for i, n := range numbers {
		if n < 0 || n > highest {
			return sketch{}, fmt.Errorf("register %d is %d, above %d", i, n, highest)
		}
		registers[i] = uint8(n)
	}
	return sketch{registers}, nil
}
