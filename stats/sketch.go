package stats

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// Distinct values are counted by HyperLogLog: the leading bits of a hash choose
// a register, which keeps the longest run of zeros seen in the others. 4,096
// registers estimate any number with a standard error of 1.6 %.
const sketchBits = 12

// distinct is the live, concurrent form. A register is read first and written
// only when it grows, so processors do not fight over it once it is warm.
type distinct struct {
	raises    atomic.Int64 // changes, to know whether a save is due
	registers [1 << sketchBits]atomic.Uint32
}

func (d *distinct) add(h uint64) {
	r := &d.registers[h>>(64-sketchBits)]
	// The marker bit ends the run where the hash ends.
	rank := uint32(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	for old := r.Load(); rank > old; old = r.Load() {
		if r.CompareAndSwap(old, rank) {
			d.raises.Add(1)
			return
		}
	}
}

func (d *distinct) reset() {
	for i := range d.registers {
		d.registers[i].Store(0)
	}
	d.raises.Add(1)
}

func (d *distinct) sketch() sketch {
	s := sketch{registers: make([]uint8, len(d.registers))}
	for i := range d.registers {
		s.registers[i] = uint8(d.registers[i].Load())
	}
	return s
}

// sketch is the immutable form: a power of two of registers. Sketches share
// registers freely.
type sketch struct{ registers []uint8 }

// fold halves the number of registers. The result is what counting with that
// many registers would have given, so sketches of different sizes merge.
func (s sketch) fold() sketch {
	half := make([]uint8, len(s.registers)/2)
	for i := range half {
		even, odd := s.registers[2*i], s.registers[2*i+1]
		// The bit that told the two apart now leads the run of zeros.
		if even > 0 {
			even++
		}
		half[i] = max(even, min(odd, 1))
	}
	return sketch{half}
}

func (s sketch) merge(o sketch) sketch {
	switch {
	case len(s.registers) == 0:
		return o
	case len(o.registers) == 0:
		return s
	}
	for len(s.registers) > len(o.registers) {
		s = s.fold()
	}
	for len(o.registers) > len(s.registers) {
		o = o.fold()
	}
	m := sketch{make([]uint8, len(s.registers))}
	for i := range m.registers {
		m.registers[i] = max(s.registers[i], o.registers[i])
	}
	return m
}

func (s sketch) estimate() int64 {
	if len(s.registers) == 0 {
		return 0
	}
	m, sum, zeros := float64(len(s.registers)), 0.0, 0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros)) // small counts: linear counting
	}
	return int64(min(math.Round(e), math.MaxInt64/2)) // registers may come from a hostile record
}

func estimates(sketches map[string]sketch) map[string]int64 {
	if len(sketches) == 0 {
		return nil
	}
	m := make(map[string]int64, len(sketches))
	for k, s := range sketches {
		m[k] = s.estimate()
	}
	return m
}

// hash64 is the same in every process and on every platform, for sketches are
// saved and merged. It is not meant to withstand an adversary: who chooses
// values by it can distort an estimate, and nothing else.
func hash64(s string) uint64 {
	const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := uint64(len(s)) ^ k0
	var last uint64 // the bytes that fill no word
	if rest := len(s) % 8; rest > 0 && len(s) > 8 {
		last = word(s[len(s)-8:]) >> (8 * (8 - rest))
	} else {
		for i := range rest {
			last |= uint64(s[len(s)-rest+i]) << (8 * i)
		}
	}
	for ; len(s) >= 8; s = s[8:] {
		h = mix64(h^word(s), k1)
	}
	return mix64(mix64(h^last, k1), k0)
}

func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func mix64(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
