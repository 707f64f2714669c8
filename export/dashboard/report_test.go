package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/stats"
)

var reportTime = time.Date(2026, 11, 21, 2, 17, 0, 0, time.UTC)

// catalogueCrawl is a crawl of an invented shop: killed and resumed, then a site
// that breaks down.
func catalogueCrawl() stats.Snapshot {
	rng := rand.New(rand.NewPCG(1, 2))
	st := stats.New()
	observe := func(o stats.Outcome) { st.Observe(o) }
	hosts := []string{"shop.example.net", "img.example.org", "api.example.com", "docs.example.com", "forum.example.com", "news.example.org", "static.example.net"}
	for i := range 9000 {
		host := hosts[min(int(rng.ExpFloat64()*1.6), len(hosts)-1)]
		o := stats.Outcome{
			Request:  stats.Request{Host: host, URL: fmt.Sprintf("https://%s/p/%d?ref=list", host, i)},
			Duration: time.Duration(rng.ExpFloat64() * float64(180*time.Millisecond)), StatusCode: []int{200, 200, 200, 200, 200, 200, 301, 304, 404}[rng.IntN(9)],
		}
		switch n := rng.IntN(1000); {
		case n < 20:
			o.StatusCode, o.Err, o.Duration = 503, stats.WithKind(stats.KindHTTP, errors.New("503 Service Unavailable")), time.Second
			o.Host = hosts[0]
		case n < 30:
			o.StatusCode, o.Err, o.Duration = 0, stats.WithKind(stats.KindTimeout, errors.New("request timed out after 30s awaiting response headers")), 30*time.Second
		case n < 34:
			o.StatusCode, o.Err = 0, stats.WithKind(stats.KindDNS, errors.New("lookup old-blog.example.edu: no such host"))
		case n < 36:
			o.Err = stats.WithKind(stats.KindParse, errors.New(`<img src=x onerror="document.title='pwned'"> unexpected token`))
		case n < 60:
			o.Discard = stats.DiscardRobots
		case n < 90:
			o.Retries = 1 + rng.IntN(3)
		}
		observe(o)
	}
	st.Gauge(view.PendingGauge).Set(3120)
	a := st.Snapshot()
	end := reportTime.Add(-10 * time.Second)
	begin := end.Add(-16 * time.Minute)
	a.StartedAt, a.LastStartedAt, a.PersistedAt, a.FinishedAt, a.Since = begin, begin.Add(5*time.Minute), end, end, begin
	a.Runtime = 15 * time.Minute
	a.Segments = []stats.Segment{
		{Owner: "a", Host: "w1", Version: stats.Version, Start: begin, End: begin.Add(4 * time.Minute), Finished: 2500},
		{Owner: "b", Host: "w1", Version: stats.Version, Start: begin.Add(5 * time.Minute), End: end, Clean: true, Finished: 6300},
	}
	point := func(at time.Time, step float64) (p stats.Point, alive bool) {
		age := at.Sub(begin).Minutes()
		if age > 4 && age <= 5 {
			return p, false
		}
		rate := 45 * math.Min(1, age) * (1 + .1*rng.NormFloat64())
		slow := 1.0
		p.At = at
		if age > 12.5 && age < 15 {
			rate, slow = rate/2, 5
			p.Failed, p.Status[5] = int64(4*step), int64(5*step)
		}
		p.Finished, p.Retries, p.InFlight = int64(math.Max(rate, 0)*step), int64(rng.IntN(3)), 48
		p.Status[2], p.Status[3], p.Status[4] = p.Finished*9/10, p.Finished/15, p.Finished/40
		jitter := 1 + .1*rng.NormFloat64()
		p.P50 = time.Duration(160 * slow / 2 * jitter * float64(time.Millisecond))
		p.P95 = time.Duration(820 * slow * jitter * float64(time.Millisecond))
		p.P99 = time.Duration(1900 * slow * jitter * float64(time.Millisecond))
		return p, true
	}
	fill := func(step time.Duration, most int) (points []stats.Point) {
		for at := begin.Truncate(step).Add(step); !at.After(end); at = at.Add(step) {
			if p, alive := point(at, step.Seconds()); alive {
				points = append(points, p)
			}
		}
		return points[max(0, len(points)-most):]
	}
	a.History = stats.History{Seconds: fill(time.Second, 300), TenSeconds: fill(10*time.Second, 90), Minutes: fill(time.Minute, 180)}
	return a
}

// document is a report as a browser sees it.
type document struct {
	raw      string
	text     string         // what can be read
	elements map[string]int // by name
	style    string         // of the style element
	policy   string
	data     string            // of the data block
	sections map[string]string // text of each panel by its heading
}

func write(t *testing.T, r Report, s stats.Snapshot) document {
	t.Helper()
	var page bytes.Buffer
	if r.Now.IsZero() {
		r.Now = reportTime
	}
	if err := r.Write(&page, s); err != nil {
		t.Fatal(err)
	}
	d := document{raw: page.String(), elements: map[string]int{}, sections: map[string]string{}}
	root, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			d.text += n.Data
		}
		if n.Type != html.ElementNode {
			continue
		}
		d.elements[n.Data]++
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"src", "href", "style", "srcdoc", "action"}, a.Key) {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
			if a.Key == "content" && strings.HasPrefix(a.Val, "default-src") {
				d.policy = a.Val
			}
		}
		switch n.Data {
		case "style":
			d.style = n.FirstChild.Data
		case "script":
			d.data = n.FirstChild.Data
			if !slices.Contains(n.Attr, html.Attribute{Key: "type", Val: "application/json"}) {
				t.Errorf("a script: %v", n.Attr)
			}
		case "h3":
			d.sections[n.FirstChild.Data] = textOf(n.Parent.Parent)
		}
	}
	return d
}

func textOf(n *html.Node) (text string) {
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			text += c.Data
		}
	}
	return text
}

// checkReport fails the test when the report has a hole, or a number is none.
func checkReport(t *testing.T, d document) {
	t.Helper()
	if bad := regexp.MustCompile(`\b(NaN|[+-]?Inf(inity)?|undefined|null|nil)\b|%!|ZgotmplZ`).FindString(strings.Replace(d.raw, d.data, "", 1)); bad != "" {
		t.Errorf("the report says %s", bad)
	}
	for _, name := range []string{"Throughput", "Latency", "Responses", "Totals", "Retries needed", "Discarded", "Status codes", "Error groups", "Hosts"} {
		if text := strings.TrimSpace(d.sections[name]); len(text) < len(name)+10 {
			t.Errorf("%s is empty: %q", name, text)
		}
	}
}

// One file: nothing to fetch, no script, and a policy that fits its style.
func TestReportIsOneFile(t *testing.T) {
	s := catalogueCrawl()
	d := write(t, Report{ID: "shop-catalogue"}, s)
	checkReport(t, d)
	sum := sha256.Sum256([]byte(d.style))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(d.policy, want) || d.elements["style"] != 1 {
		t.Errorf("policy %s, want %s", d.policy, want)
	}
	for _, foreign := range []string{"link", "img", "iframe", "object", "embed", "form", "a", "base"} {
		if d.elements[foreign] != 0 {
			t.Errorf("the report has <%s>", foreign)
		}
	}
	if strings.Contains(d.style, "url(") || strings.Contains(d.style, "@import") {
		t.Error("the style asks for files")
	}
	v := view.Of(view.Input{Snapshot: s, ID: "shop-catalogue", Now: reportTime})
	want := []string{v.Name, string(v.State), v.Progress.Text, v.Verdict.Text, v.Latency.Text, v.Errors.Text, "resumed"}
	for _, f := range v.Facts {
		want = append(want, f.Label, f.Text)
	}
	for _, tile := range v.Tiles {
		want = append(want, tile.Title, tile.Value, tile.Unit, tile.Text)
	}
	for _, table := range [][]view.Bar{v.Retries.Bars, v.Discards.Bars, v.Status.Bars, v.Status.Codes} {
		for _, b := range table {
			want = append(want, b.Label, view.Count(b.Count))
		}
	}
	for _, e := range v.Errors.Rows {
		want = append(want, e.Kind, e.Message, e.Sample, view.Count(e.Attempts), view.Count(e.GaveUp), e.LastText)
	}
	for _, h := range v.Hosts.Rows {
		want = append(want, h.Host, view.Count(h.Finished+h.Failed), view.Percent(h.FailedPercent), h.P50, h.P95)
	}
	for _, text := range want {
		if !strings.Contains(d.text, text) {
			t.Errorf("the report does not say %q", text)
		}
	}
}

func TestReportHoldsTheSnapshot(t *testing.T) {
	s := catalogueCrawl()
	d := write(t, Report{}, s)
	got, err := stats.Decode([]byte(d.data))
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(again)); diff != "" {
		t.Error(diff)
	}
}

func TestReportIsTheSameEachTime(t *testing.T) {
	s := catalogueCrawl()
	if write(t, Report{}, s).raw != write(t, Report{}, s).raw {
		t.Error("two reports of one snapshot differ")
	}
}

// Charts break where there was no process, and the resume is marked.
func TestReportLeavesGapsOpen(t *testing.T) {
	v := view.Of(view.Input{Snapshot: catalogueCrawl(), Now: reportTime})
	p := throughput(v, v.Ranges[2])
	if len(p.Marks) != 1 || p.Marks[0].Text != "resumed" || p.Marks[0].At != "31.3%" {
		t.Errorf("marks %+v", p.Marks)
	}
	for _, l := range p.Lines {
		if n := strings.Count(l.D, "M"); n != 2 {
			t.Errorf("%s has %d parts, want 2", l.Class, n)
		}
	}
	if n := strings.Count(p.Lines[0].Area, "Z"); n != 2 {
		t.Errorf("the area has %d parts, want 2", n)
	}
	bars := responses(v, v.Ranges[2])
	for _, b := range bars.Bars {
		if b.Class == "c0" {
			t.Errorf("a bar of nothing: %+v", b)
		}
	}
	if len(bars.Bars) < 100 || len(bars.Rows) < 2 || len(bars.Columns) < 2 {
		t.Errorf("%d bars, %d rows, %d columns", len(bars.Bars), len(bars.Rows), len(bars.Columns))
	}
}

func TestOddReports(t *testing.T) {
	begun := stats.Snapshot{StartedAt: reportTime.Add(-time.Minute), LastStartedAt: reportTime.Add(-time.Minute), Runtime: time.Minute, PersistedAt: reportTime}
	with := func(f func(*stats.Snapshot)) stats.Snapshot { a := begun; f(&a); return a }
	failed := stats.New()
	for range 40 {
		failed.Observe(stats.Outcome{Request: stats.Request{Host: "a.example"}, Duration: time.Second, Err: errors.New("no such page")})
	}
	point := func(at time.Time, n int64) stats.Point {
		return stats.Point{At: at, Finished: n, P50: time.Duration(n), P95: time.Duration(n), P99: time.Duration(n)}
	}
	for name, c := range map[string]struct {
		s    stats.Snapshot
		says []string
	}{
		"nothing at all": {stats.Snapshot{}, []string{"no data", "No request has been made yet.", "Nothing has been recorded yet.", "No status code was recorded.", "No host was recorded"}},
		"zero requests":  {begun, []string{"No request has been made yet.", "does not report its queue"}},
		"finished, none": {with(func(a *stats.Snapshot) { a.FinishedAt = reportTime }), []string{"Finished without a single request."}},
		"all failed":     {failed.Snapshot(), []string{"All 40 requests have failed.", "100.0 %", "no such page", "a.example", "No history"}},
		"one host":       {func() stats.Snapshot { a := catalogueCrawl(); a.Hosts = a.Hosts[:1]; return a }(), []string{"shop.example.net"}},
		"one second": {with(func(a *stats.Snapshot) {
			a.Started, a.Finished = 1, 1
			a.History.Seconds = []stats.Point{point(reportTime, 1)}
		}), []string{"Throughput"}},
		"idle for a time": {with(func(a *stats.Snapshot) {
			a.Started, a.InFlight = 1, 1
			a.History.Seconds = []stats.Point{point(reportTime, 0)}
		}), []string{"No request has ended in this time.", "No request has finished in this time.", "No status code was recorded in this time."}},
		"clock set back": {with(func(a *stats.Snapshot) {
			a.Started, a.Finished = 2, 2
			a.PersistedAt, a.FinishedAt = reportTime.Add(time.Hour), reportTime.Add(time.Hour)
			a.Segments = []stats.Segment{{Start: reportTime.Add(time.Hour)}, {Start: reportTime.Add(-time.Hour)}}
			a.History.Seconds = []stats.Point{point(reportTime, 2), point(reportTime.Add(time.Hour), 2)}
		}), []string{"State saved now"}},
		"enormous": {with(func(a *stats.Snapshot) {
			a.Started, a.Finished, a.Runtime = math.MaxInt64, math.MaxInt64, 1
			a.StatusCodes = map[int]int64{200: math.MaxInt64 / 2, 0: math.MaxInt64 / 2}
			a.History.Hours = []stats.Point{point(reportTime.Add(-9000*time.Hour), math.MaxInt64), point(reportTime, math.MaxInt64)}
		}), []string{"9,223,372,036,854,775,807"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := write(t, Report{}, c.s)
			checkReport(t, d)
			text := strings.Join(strings.Fields(d.text), " ")
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("the report does not say %q:\n%s", want, text)
				}
			}
		})
	}
}

// hostileTexts are what strangers put into everything that they can reach.
var hostileTexts = []string{
	`<img src=x onerror=document.title='pwned'>`, `"><script>document.title='pwned'</script>`, `javascript:alert(1)`, `</script>`, `</style>`, `</title>`,
	`<!--`, `]]>`, `{{7*7}}`, "\u202eevil", "a\x00b", "\xff\xfe", "\x1b[2J\r", `' onload='x`, `&lt;b&gt;`, "\u2028", `=cmd()`, strings.Repeat("x", 1<<20),
}

func TestHostileReports(t *testing.T) {
	crawl := func(text string) stats.Snapshot {
		st := stats.New()
		for range 3 {
			st.Observe(stats.Outcome{Request: stats.Request{Host: text, URL: "https://a.example/" + text}, Duration: time.Second, StatusCode: 200})
			st.Observe(stats.Outcome{Request: stats.Request{Host: text, URL: text}, Err: stats.WithKind(stats.KindOther, errors.New(text))})
		}
		st.Counter(text, stats.Label{Key: text, Value: text}).Inc()
		a := st.Snapshot()
		// A forged record holds more than recording lets through.
		a.Errors = append(a.Errors, stats.ErrorGroup{Kind: text, Message: text, Count: 3, Examples: []string{text}})
		a.Hosts = append(a.Hosts, stats.HostStats{Host: text, Finished: 1})
		a.Discards = map[stats.DiscardReason]int64{stats.DiscardReason(text): 2}
		a.Segments = []stats.Segment{{Owner: text, Host: text, Version: text, Start: reportTime.Add(-time.Hour)}, {Owner: text, Start: reportTime}}
		return a
	}
	calm := write(t, Report{ID: "calm"}, crawl("calm"))
	for _, text := range hostileTexts {
		t.Run(fmt.Sprintf("%.20q", text), func(t *testing.T) {
			d := write(t, Report{ID: text}, crawl(text))
			want := maps.Clone(calm.elements)
			if d.data == "" { // too much for the file
				delete(want, "script")
			}
			if got, want := slices.Sorted(maps.Keys(d.elements)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
				t.Errorf("elements %v, want %v", got, want)
			}
			for _, name := range []string{"script", "style", "title", "meta"} {
				if d.elements[name] != want[name] {
					t.Errorf("%d <%s>, want %d", d.elements[name], name, want[name])
				}
			}
			if !strings.Contains(d.text, view.Clean(text)) {
				t.Errorf("the report does not show %.60q", view.Clean(text))
			}
			for _, r := range d.text {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
					t.Errorf("the report holds %U", r)
				}
			}
			if len(d.raw)-len(d.data) > 64<<10 {
				t.Errorf("%d bytes beside the snapshot", len(d.raw)-len(d.data))
			}
		})
	}
}

// However large the crawl was, the report can be sent.
func TestLargeReports(t *testing.T) {
	a := catalogueCrawl()
	long := strings.Repeat("w", 60)
	for i := range 50_000 {
		a.Hosts = append(a.Hosts, stats.HostStats{Host: fmt.Sprintf("%s%d.example", long, i), Finished: int64(i)})
	}
	for i := range 2000 {
		a.Errors = append(a.Errors, stats.ErrorGroup{Kind: "other", Message: fmt.Sprintf("%s %d %s", long, i, strings.Repeat("e", 200)), Count: int64(i), Examples: []string{"https://" + long}})
	}
	d := write(t, Report{}, a)
	checkReport(t, d)
	if len(d.raw) > 256<<10 || d.data != "" || !strings.Contains(d.text, "too much for this file") {
		t.Errorf("%d bytes, %d of them the snapshot", len(d.raw), len(d.data))
	}
	if !strings.Contains(d.text, "more hosts") || !strings.Contains(d.text, "2,004 groups") {
		t.Error("the report does not say what it leaves out")
	}
}

// The page's own report is of the same look: its name, its trends.
func TestReportOfThePage(t *testing.T) {
	st := stats.New()
	st.Observe(stats.Outcome{Err: errors.New("no such page")})
	d := New(st, Config{ID: "shop"})
	defer d.Close()
	resp := ask(d, http.MethodGet, "http://localhost/report.html")
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "<h1>shop</h1>") || !strings.Contains(string(text), "running") {
		t.Errorf("%v: %.500s", err, text)
	}
}

func TestReportSaysWhatIsWrong(t *testing.T) {
	broken := errors.New("disk full")
	if err := WriteReport(failing{broken}, stats.Snapshot{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	var page bytes.Buffer
	if err := WriteReport(&page, stats.Snapshot{Started: -1}); err == nil || page.Len() > 0 {
		t.Errorf("%v, and %d bytes of a snapshot that cannot be", err, page.Len())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
