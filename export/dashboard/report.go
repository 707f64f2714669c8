package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

// A Report says what a Snapshot does not know of its crawl. Its zero value is
// ready.
type Report struct {
	// ID is the name of the crawl; default "crawl".
	ID string
	// Live says that the Snapshot was just taken from a running Statistics.
	// Without, a crawl that was neither closed nor saved within 30 s is taken for
	// interrupted.
	Live bool
	// Gone says that no process can be running the crawl: it is interrupted at once.
	Gone bool
	// Members are the workers of a fleet, from its Members: the report then has
	// their table, and its state is theirs. nil, the default: one crawler. A fleet
	// that has no worker yet is not nil.
	Members []stats.Member
	// Now is the time of the report; default time.Now().
	Now time.Time
}

// WriteReport writes the report of a crawl without a name.
func WriteReport(w io.Writer, s stats.Snapshot) error { return Report{}.Write(w, s) }

// Write writes the report: one HTML file that needs no other file, no network
// and no script, and shows what the page shows. Times are in UTC. As long as the
// JSON of the Snapshot is at most 512 KB, it is in the file too, in the element
// with the id snapshot, for [stats.Decode] to read.
//
// It writes once, at the end; the error is that of w, or that s cannot be written
// as JSON.
func (r Report) Write(w io.Writer, s stats.Snapshot) error {
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	return writeReport(w, s, view.Of(view.Input{Snapshot: s, ID: r.ID, Live: r.Live, Gone: r.Gone, Members: r.Members, Now: r.Now, MaxErrors: 25}))
}

// maxSnapshot bounds the JSON in a report, which mail servers have to like.
const maxSnapshot = 512 << 10

// reportData is what the template is filled with.
type reportData struct {
	view.View
	Policy   string
	Style    template.CSS
	Sections []reportSection
	Version  string
	Snapshot json.RawMessage // nil: too large
	Size     string
}

// reportSection is the charts of a range of time.
type reportSection struct {
	Title                          string
	Throughput, Latency, Responses plot
}

func writeReport(w io.Writer, s stats.Snapshot, v view.View) error {
	snapshot, err := s.MarshalJSON()
	if err != nil {
		return fmt.Errorf("dashboard: report: %w", err)
	}
	parts, err := reportParts()
	if err != nil {
		return fmt.Errorf("dashboard: report: %w", err)
	}
	data := reportData{
		View: v, Policy: parts.policy, Style: parts.style, Version: stats.Version,
		Sections: reportSections(v), Size: view.Bytes(int64(len(snapshot))),
	}
	if len(snapshot) <= maxSnapshot {
		data.Snapshot = snapshot
	}
	var page bytes.Buffer
	if err := parts.page.Execute(&page, data); err != nil {
		return fmt.Errorf("dashboard: report: %w", err)
	}
	if _, err := w.Write(page.Bytes()); err != nil {
		return fmt.Errorf("dashboard: report: %w", err)
	}
	return nil
}

// reportSections are all of the history and, where that is much longer, its end.
func reportSections(v view.View) []reportSection {
	recent, all := v.Ranges[1], v.Ranges[2]
	section := func(title string, r view.Range) reportSection {
		return reportSection{title, throughput(v, r), latency(v, r), responses(v, r)}
	}
	sections := []reportSection{section("The whole crawl", all)}
	if all.To-all.From > 2*(recent.To-recent.From) {
		sections = append(sections, section("The last 15 minutes", recent))
	}
	return sections
}

// parts of a report that never change.
type parts struct {
	page   *template.Template
	style  template.CSS
	policy string
}

var reportParts = sync.OnceValues(func() (p parts, err error) {
	css, err := web.ReadFile("web/report/report.css")
	if err != nil {
		return p, err
	}
	sum := sha256.Sum256(css)
	p.style = template.CSS(css)
	p.policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	p.page, err = template.New("report.html").Funcs(template.FuncMap{
		"count": view.Count, "percent": view.Percent, "rate": view.Rate, "latency": view.Latency, "bytes": view.Bytes,
		"duration": func(millis int64) string { return view.Duration(time.Duration(millis) * time.Millisecond) },
		"floor":    func(p float64) int { return int(p) },
		"clock":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"plus":     func(a, b int64) int64 { return a + b },
		"spark":    sparkPath, "trended": trended, "trend": trendBars, "widest": widest, "share": share, "mix": hostMix, "inkOf": inkOf,
	}).ParseFS(web, "web/report/report.html")
	return p, err
})

// sparkPath is the line of a tile, 72 by 26; a step that is missing stays open.
func sparkPath(values []*float64) string {
	highest := 1e-9
	for _, v := range values {
		if v != nil {
			highest = max(highest, *v)
		}
	}
	var line stroke
	for i, v := range values {
		if v == nil {
			line.lift()
			continue
		}
		line.to(72*float64(i)/float64(max(len(values)-1, 1)), 24-*v/highest*22)
	}
	return line.String()
}

// trendBar is a bar of a trend, 84 by 20.
type trendBar struct{ X, Y, Height string }

// trendBars never fill the height for fewer than six errors: one is no outage.
func trendBars(counts []int64) (bars []trendBar) {
	highest := int64(6)
	for _, n := range counts {
		highest = max(highest, n)
	}
	for i, n := range counts {
		if n > 0 {
			h := max(20*float64(n)/float64(highest), 1)
			bars = append(bars, trendBar{coordinate(float64(i) * 84 / float64(len(counts))), coordinate(20 - h), coordinate(h)})
		}
	}
	return bars
}

// trended reports that somebody has watched the errors.
func trended(rows []view.ErrorRow) bool {
	return slices.ContainsFunc(rows, func(r view.ErrorRow) bool { return r.Trend != nil })
}

// widest is the highest count.
func widest(bars []view.Bar) (n int64) {
	for _, b := range bars {
		n = max(n, b.Count)
	}
	return n
}

// inkOf is the colour of a class of status codes, or that of all other bars.
func inkOf(label string) ink {
	for _, k := range responseInks {
		if k.Name == label {
			return k
		}
	}
	return throughputInks[0]
}

// share is the part that n is of all, for a width; what there is can be seen.
func share(n, all int64) string {
	if n <= 0 || all <= 0 {
		return "0%"
	}
	return coordinate(max(100*float64(n)/float64(all), 0.6)) + "%"
}

// mixPart is a part of the outcomes of a host.
type mixPart struct{ X, Width, Class, Color string }

func hostMix(h view.HostRow) (parts []mixPart) {
	all := float64(h.Finished + h.Failed + h.Discarded)
	x := 0.0
	for _, p := range []struct {
		n            int64
		class, color string
	}{{h.Finished, "c2", "#12876a"}, {h.Failed, "c5", "#cc4420"}, {h.Discarded, "c0", "#414a58"}} {
		if p.n > 0 && all > 0 {
			width := 100 * float64(p.n) / all
			parts = append(parts, mixPart{coordinate(x) + "%", coordinate(width) + "%", p.class, p.color})
			x += width
		}
	}
	return parts
}

// stroke writes the d of an SVG path.
type stroke struct {
	strings.Builder
	down   bool // a line has begun
	x, y   float64
	points int // of the line that has begun
}

func (p *stroke) to(x, y float64) {
	command := "L"
	if !p.down {
		command, p.points = "M", 0
	}
	p.WriteString(command + coordinate(x) + " " + coordinate(y))
	p.down, p.x, p.y, p.points = true, x, y, p.points+1
}

// lift ends a line. A point alone becomes a dot.
func (p *stroke) lift() {
	if p.down && p.points == 1 {
		p.WriteString("h0.01")
	}
	p.down = false
}

func (p *stroke) String() string {
	p.lift()
	return p.Builder.String()
}
