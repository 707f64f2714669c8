package dashboard

import (
	"math"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
)

// linear makes the axis on the left from 0 to highest, and returns where a value
// stands on it.
func (p *plot) linear(highest float64) (y func(float64) float64) {
	step := roundStep(highest / 4)
	top := highest * 1.05
	y = func(v float64) float64 { return plotHeight - v/top*(plotHeight-headroom) }
	for i := 0; float64(i)*step <= top; i++ {
		v := float64(i) * step
		text := view.Count(int64(v))
		if step < 1 {
			text = strings.TrimSuffix(view.Rate(v), ".0")
		}
		p.Rows = append(p.Rows, tick{At: coordinate(y(v)), Text: text})
	}
	return y
}

// roundStep is the next number that is 1, 2 or 5 times a power of ten.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, k := range []float64{1, 2, 5} {
		if v <= k*power {
			return max(k*power, .1)
		}
	}
	return max(10*power, .1)
}

// logarithmic makes an axis of microseconds.
func (p *plot) logarithmic(lowest, highest float64) (y func(float64) float64) {
	bottom, top := lowest/1.3, max(highest*1.3, lowest*10)
	height := math.Log(top / bottom)
	y = func(v float64) float64 { return plotHeight - math.Log(v/bottom)/height*(plotHeight-headroom) }
	factors := []float64{1, 2, 5}
	if top/bottom > 300 {
		factors = factors[:1]
	}
	for power := math.Pow(10, math.Floor(math.Log10(bottom))); power <= top; power *= 10 {
		for _, k := range factors {
			if v := power * k; v >= bottom && v <= top {
				text := view.Latency(time.Duration(math.Round(v)) * time.Microsecond)
				p.Rows = append(p.Rows, tick{At: coordinate(y(v)), Text: strings.Replace(text, ".0 ", " ", 1)})
			}
		}
	}
	return y
}

// area closes each part of a line down to the axis.
func area(d string) string {
	var closed strings.Builder
	for part := range strings.SplitSeq(d, "M") {
		if part == "" || !strings.Contains(part, "L") {
			continue // a dot has no area
		}
		first, _, _ := strings.Cut(part, " ")
		last, _, _ := strings.Cut(part[strings.LastIndex(part, "L")+1:], " ")
		closed.WriteString("M" + first + " " + coordinate(plotHeight) + "L" + part + "L" + last + " " + coordinate(plotHeight) + "Z")
	}
	return closed.String()
}
