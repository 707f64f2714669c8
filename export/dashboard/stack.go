package dashboard

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crawlstats/crawlstats/export/internal/view"
)

// barWidths are how many seconds a bar can cover.
var barWidths = []int64{1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 900, 1800, 3600, 7200, 10800, 21600}

// responses is stacked bars, some sixty to fill the chart.
func responses(v view.View, r view.Range) plot {
	steps := v.Steps(r)
	width := barWidth(steps, r)
	p := newPlot(v, r, "Responses", "per "+barUnit(width)+", by status class")
	sums := map[int64]*[5]int64{}
	highest := int64(0)
	for _, s := range steps {
		if s.Gap() {
			continue
		}
		at := (s.Row[view.ColAt] - 1) / width * width
		if sums[at] == nil {
			sums[at] = &[5]int64{}
		}
		total := int64(0)
		for i := range sums[at] {
			sums[at][i] += s.Row[view.Col2xx+i]
			total += sums[at][i]
		}
		highest = max(highest, total)
	}
	if highest == 0 {
		return p.without("No status code was recorded in this time.")
	}
	y := p.linear(float64(highest))
	p.stack(extentOf(r), width, sums, y)
	return p
}

func (p *plot) stack(e extent, width int64, sums map[int64]*[5]int64, y func(float64) float64) {
	starts := slices.Sorted(maps.Keys(sums))
	for _, at := range starts {
		// A tenth of each bar stays free, so that they can be told apart.
		left, right := e.part(float64(at)), e.part(float64(at)+.9*float64(width))
		below := int64(0)
		for i, n := range sums[at] {
			if n == 0 {
				continue
			}
			low, high := y(float64(below)), y(float64(below+n))
			p.Bars = append(p.Bars, bar{
				X: coordinate(plotWidth * left), Width: coordinate(plotWidth * (right - left)), Y: coordinate(high), Height: coordinate(max(low-high, .5)),
				Class: responseInks[i].Class, Color: responseInks[i].Color,
			})
			below += n
		}
	}
	latest := sums[starts[len(starts)-1]]
	p.Label = p.Title + ", " + p.Unit + ". At the end:"
	for i, k := range responseInks {
		p.Legend = append(p.Legend, legend{k.Name, k.Class, k.Color, view.Count(latest[i])})
		p.Label += fmt.Sprintf(" %s %s", k.Name, view.Count(latest[i]))
	}
}

func barWidth(steps []view.Step, r view.Range) int64 {
	coarsest := int64(1)
	for _, s := range steps {
		coarsest = max(coarsest, s.Seconds)
	}
	want := max((r.To-r.From)/60, coarsest)
	for _, w := range barWidths {
		if w >= want && w%coarsest == 0 {
			return w
		}
	}
	return barWidths[len(barWidths)-1]
}

func barUnit(seconds int64) string {
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min", seconds/60)
	}
	return fmt.Sprintf("%d h", seconds/3600)
}
