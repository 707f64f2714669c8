package faults

import (
	"fmt"
	"strings"
	"time"
)

// panel is one series of the plot, and what it may grow by.
type panel struct {
	title string
	of    func(vital) float64
	slack float64
}

func (p panel) peak(seen []vital) (most float64) {
	for _, v := range seen {
		most = max(most, p.of(v))
	}
	return most
}

// plot draws the panels one below the other.
func plot(panels []panel, seen []vital, lasts time.Duration) string {
	const width, height, left, gap = 760, 90, 60, 40
	var b strings.Builder
	total := len(panels)*(height+gap) + gap
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width+left+20, total)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, p := range panels {
		top := gap/2 + i*(height+gap) + 14
		most := max(p.peak(seen)*1.1, 1)
		points := make([]string, 0, len(seen))
		for _, v := range seen {
			x := left + width*float64(v.at)/float64(seen[len(seen)-1].at)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, float64(top+height)-float64(height)*p.of(v)/most))
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text><text x="%d" y="%d" text-anchor="end">%.0f</text><text x="%d" y="%d" text-anchor="end">0</text>`+"\n",
			left, top-6, p.title, left-6, top+10, most, left-6, top+height)
		fmt.Fprintf(&b, `<path d="M%d %dV%dH%d" fill="none" stroke="#999"/><polyline points="%s" fill="none" stroke="#06c" stroke-width="1.5"/>`+"\n",
			left, top, top+height, left+width, strings.Join(points, " "))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">%v of mixed load, stops and full disks; a process beside it is killed and restarted</text>`+"\n</svg>\n", left, total-8, lasts)
	return b.String()
}
