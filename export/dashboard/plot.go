package dashboard

import (
	"math"
	"strconv"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
)

// A plot is a chart of the report, made of SVG. Across, places are in per cent of
// its width, or parts of plotWidth where only lines are drawn; down they are in
// pixels. So letters keep their size on a phone and on a wide screen.
type plot struct {
	Title, Unit string
	Empty       string // the sentence that stands for a chart without ink
	Label       string // for those who cannot see it
	Legend      []legend
	Lines       []line
	Bars        []bar
	Rows        []tick // of the axis on the left
	Columns     []tick // of the axis below
	Marks       []mark
}

const (
	plotWidth  = 1000 // of the lines; it is stretched
	plotHeight = 190
	headroom   = 14 // for the words of marks
)

type (
	legend struct{ Name, Class, Color, Value string }
	line   struct{ Class, Color, D, Area string }
	bar    struct{ X, Y, Width, Height, Class, Color string }
	tick   struct{ At, Text, Anchor string }
	mark   struct{ At, Text, Anchor, Shift string }
)

// ink is how a series looks where styles do not work.
type ink struct{ Name, Class, Color string }

var (
	throughputInks = []ink{{"finished", "finished", "#0b7285"}, {"failed", "failed", "#cc4420"}, {"retried", "retried", "#d08700"}}
	latencyInks    = []ink{{"p50", "p50", "#7db2dc"}, {"p95", "p95", "#2f74bd"}, {"p99", "p99", "#143a6b"}}
	responseInks   = []ink{{"2xx", "c2", "#12876a"}, {"3xx", "c3", "#3b82c4"}, {"4xx", "c4", "#d08700"}, {"5xx", "c5", "#cc4420"}, {"other", "c0", "#414a58"}}
)

// extent is where a plot stands in time.
type extent struct{ from, to float64 }

func extentOf(r view.Range) extent { return extent{float64(r.From), float64(max(r.To, r.From+1))} }

// part is where a moment stands, from 0 to 1.
func (e extent) part(at float64) float64 { return min(max((at-e.from)/(e.to-e.from), 0), 1) }

func (e extent) percent(at int64) string { return coordinate(100*e.part(float64(at))) + "%" }

// newPlot has everything that all plots of a range have.
func newPlot(v view.View, r view.Range, title, unit string) plot {
	e := extentOf(r)
	p := plot{Title: title, Unit: unit, Empty: r.Empty}
	step, form := timeStep(e.to - e.from)
	for at := math.Ceil(e.from/step) * step; at <= e.to; at += step {
		t := tick{At: e.percent(int64(at)), Text: time.Unix(int64(at), 0).UTC().Format(form), Anchor: "middle"}
		switch where := e.part(at); {
		case where < .05:
			t.Anchor = "start"
		case where > .95:
			t.Anchor = "end"
		}
		p.Columns = append(p.Columns, t)
	}
	lastWord := -1.0
	for _, m := range v.Marks {
		if m.At < r.From || m.At > r.To {
			continue
		}
		where := e.part(float64(m.At))
		one := mark{At: e.percent(m.At), Anchor: "start", Shift: "4"}
		if where > .8 {
			one.Anchor, one.Shift = "end", "-4"
		}
		if lastWord < 0 || where-lastWord > .2 { // words must not lie on each other
			one.Text, lastWord = m.Text, where
		}
		p.Marks = append(p.Marks, one)
	}
	return p
}

// timeSteps are the distances of ticks, with the form of their words.
var timeSteps = []struct {
	step float64
	form string
}{
	{1, "15:04:05"},
	{5, "15:04:05"},
	{15, "15:04:05"},
	{30, "15:04:05"},
	{60, "15:04"},
	{120, "15:04"},
	{300, "15:04"},
	{600, "15:04"},
	{900, "15:04"},
	{1800, "15:04"},
	{3600, "15:04"},
	{7200, "15:04"},
	{10800, "15:04"},
	{21600, "2 Jan 15h"},
	{43200, "2 Jan 15h"},
	{86400, "2 Jan"},
	{172800, "2 Jan"},
}

// timeStep chooses ticks that fit a phone.
func timeStep(seconds float64) (step float64, form string) {
	for _, s := range timeSteps {
		if seconds/s.step <= 4.5 {
			return s.step, s.form
		}
	}
	days := math.Ceil(seconds / 86400 / 4)
	return days * 86400, "2 Jan 2006"
}

// throughput is requests by second.
func throughput(v view.View, r view.Range) plot {
	p := newPlot(v, r, "Throughput", "requests per second")
	columns := []int{view.ColFinished, view.ColFailed, view.ColRetried}
	steps := v.Steps(r)
	perSecond := func(s view.Step, i int) float64 { return float64(s.Row[columns[i]]) / float64(max(s.Seconds, 1)) }
	highest := 0.0
	for _, s := range steps {
		for i := range columns {
			if !s.Gap() {
				highest = max(highest, perSecond(s, i))
			}
		}
	}
	if highest == 0 {
		return p.without("No request has ended in this time.")
	}
	y := p.linear(highest)
	p.draw(r, steps, throughputInks, perSecond, y, view.Rate)
	p.Lines[0].Area = area(p.Lines[0].D)
	return p
}

// latency is of the requests that finished in each step, on a logarithmic axis.
func latency(v view.View, r view.Range) plot {
	p := newPlot(v, r, "Latency", "log scale")
	columns := []int{view.ColP50, view.ColP95, view.ColP99}
	steps := v.Steps(r)
	micros := func(s view.Step, i int) float64 {
		if n := s.Row[columns[i]]; n > 0 {
			return float64(n)
		}
		return math.NaN() // nothing finished
	}
	lowest, highest := math.Inf(1), 0.0
	for _, s := range steps {
		for i := range columns {
			if s.Gap() {
				continue
			}
			if n := micros(s, i); n > 0 {
				lowest, highest = min(lowest, n), max(highest, n)
			}
		}
	}
	if highest == 0 {
		return p.without("No request has finished in this time.")
	}
	y := p.logarithmic(lowest, highest)
	p.draw(r, steps, latencyInks, micros, y, inMicros)
	return p
}

func inMicros(n float64) string { return view.Latency(time.Duration(n) * time.Microsecond) }

// without is a plot that says why it is empty.
func (p plot) without(sentence string) plot {
	if p.Empty == "" {
		p.Empty = sentence
	}
	p.Label = p.Title + ": " + p.Empty
	return p
}

// draw adds a line for each ink. Gaps, and values that are none, stay open.
func (p *plot) draw(r view.Range, steps []view.Step, inks []ink, value func(view.Step, int) float64, y func(float64) float64, text func(float64) string) {
	e := extentOf(r)
	p.Label = p.Title + ", " + p.Unit + ". At the end: "
	for i, k := range inks {
		var d stroke
		latest := view.None
		for _, s := range steps {
			if s.Gap() || math.IsNaN(value(s, i)) {
				d.lift()
				continue
			}
			v := value(s, i)
			// A step is drawn at its end, where its figures were known.
			d.to(plotWidth*e.part(float64(s.Row[view.ColAt])), y(v))
			latest = text(v)
		}
		p.Lines = append(p.Lines, line{Class: k.Class, Color: k.Color, D: d.String()})
		p.Legend = append(p.Legend, legend{k.Name, k.Class, k.Color, latest})
		if i > 0 {
			p.Label += ", "
		}
		p.Label += k.Name + " " + latest
	}
	p.Label += "."
}

// coordinate writes a coordinate.
func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
