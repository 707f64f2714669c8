package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

const svgHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="white"/><text x="12" y="20" font-size="14">%s</text>
`

var palette = []string{"#1f6feb", "#d1570a", "#2da44e", "#8250df", "#bf3989"}

type bar struct {
	name   string
	values []float64 // by series
}

// bars draws rows of horizontal bars on a logarithmic axis from 1 on.
func bars(title string, series []string, rows []bar) string {
	const left, width = 190, 760
	most := 1.0
	for _, r := range rows {
		for _, v := range r.values {
			most = max(most, v)
		}
	}
	x := func(v float64) float64 { return math.Log(max(v, 1)) / math.Log(most*1.3) * (width - left - 40) }
	height := 60 + len(rows)*(12*len(series)+8)
	var b strings.Builder
	fmt.Fprintf(&b, svgHead, width, height, html.EscapeString(title))
	for i, s := range series {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"40\" fill=%q>■ %s</text>\n", left+i*180, palette[i], html.EscapeString(s))
	}
	y := 52
	for _, r := range rows {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-6, y+6*len(series)+4, html.EscapeString(r.name))
		for i, v := range r.values {
			fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"10\" fill=%q/><text x=\"%.1f\" y=\"%d\" font-size=\"10\">%.2f</text>\n",
				left, y+12*i, x(v), palette[i], left+x(v)+4, y+12*i+9, v)
		}
		y += 12*len(series) + 8
	}
	return b.String() + "</svg>\n"
}

// lines draws the curves of a scale, each by its own greatest value, over a
// logarithmic axis of sizes.
func lines(sc scale) string {
	const left, top, width, height = 50, 90, 760, 380
	var b strings.Builder
	fmt.Fprintf(&b, svgHead, width, height, html.EscapeString("Cost against "+sc.name+"; each curve by its own maximum"))
	first, last := float64(sc.points[0].size), float64(sc.points[len(sc.points)-1].size)
	x := func(size int) float64 {
		return left + (width-left-60)*math.Log(float64(size)/first)/math.Log(max(last/first, 2))
	}
	for _, p := range sc.points {
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x(p.size), height-12, short(p.size))
	}
	for c, name := range sc.curves {
		most := 0.0
		for _, p := range sc.points {
			most = max(most, p.values[c])
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" fill=%q>— %s, at most %.4g</text>\n", left+c%2*330, 40+c/2*16, palette[c], html.EscapeString(name), most)
		var path []string
		for _, p := range sc.points {
			y := height - 32 - (height-32-top)*p.values[c]/max(most, 1e-9)
			path = append(path, fmt.Sprintf("%.1f,%.1f", x(p.size), y))
		}
		fmt.Fprintf(&b, "<polyline points=%q fill=\"none\" stroke=%q stroke-width=\"2\"/>\n", strings.Join(path, " "), palette[c])
	}
	return b.String() + "</svg>\n"
}

// short writes a size with as few characters as it needs.
func short(n int) string {
	for _, u := range []struct {
		size int
		unit string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if n >= u.size {
			return fmt.Sprintf("%.3g%s", float64(n)/float64(u.size), u.unit)
		}
	}
	return fmt.Sprint(n)
}
