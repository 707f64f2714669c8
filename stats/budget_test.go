package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var partNames = [parts]string{
	"core and codes", "main histograms", "timers", "uniques", "error groups", "hosts", "history", "segments",
	"instruments", "extensions and unknown keys",
}

// spreadOver returns durations in every bucket there is, with large counts.
func spreadOver(rnd *rand.Rand, resolution int, most int64) Durations {
	cells := make([]int64, cellsOf(resolution))
	for i := range cells {
		cells[i] = 1 + rnd.Int64N(most)
	}
	h := newHistogram(resolution, 0, cells)
	return Durations{Count: h.total(), Sum: math.MaxInt64 / 3, Min: 1, Max: 200 * time.Hour, buckets: h}
}

// worst is the largest snapshot that a fleet of hostile sites could bring about.
func worst() Snapshot {
	rnd := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	big := func() int64 { return 1e12 + rnd.Int64N(1e12) }
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz <&\""[rnd.IntN(30)]
		}
		return string(b)
	}

	a := Snapshot{
		Discarded: big(), Interrupted: big(), InFlight: big(), Retries: big(), Attempts: big(), Unmatched: big(),
		Late: big(), Overflow: big(), Dropped: big(),
		FinishedDuration: spreadOver(rnd, fine, 1e12), FailedDuration: spreadOver(rnd, fine, 1e12),
		TotalDuration: spreadOver(rnd, fine, 1e12), QueueWait: spreadOver(rnd, fine, 1e12),
		StartedAt: at, LastStartedAt: at, FinishedAt: at, PersistedAt: at, Since: at,
		Generation: math.MaxUint64, Runtime: math.MaxInt64, OldestInFlight: math.MaxInt64,
	}
	a.Finished, a.Failed = a.FinishedDuration.Count, a.FailedDuration.Count
	a.Started = a.Total() + a.Discarded + a.Interrupted + a.InFlight
	a.RetryHistogram = make([]int64, maxRetries+1)
	for i := range a.RetryHistogram {
		a.RetryHistogram[i] = a.Total() / (maxRetries + 1)
	}
	a.RetryHistogram[0] += a.Total() % (maxRetries + 1)
	for code := range 1000 {
		setKey(&a.StatusCodes, code, big())
	}
	for _, r := range discardReasons {
		setKey(&a.Discards, r, big())
	}
	for i := range 500 { // as of newer versions
		setKey(&a.Discards, DiscardReason(fmt.Sprint("reason ", i)), big())
		setKey(&a.ErrorKinds, fmt.Sprint("kind ", i), big())
		setKey(&a.FailedKinds, fmt.Sprint("kind ", i), big())
	}
	group := func(i int) ErrorGroup {
		g := ErrorGroup{Kind: "protocol", Message: text(400), Count: int64(1 + i*i), FirstSeen: at, LastSeen: at}
		for range maxExamples {
			g.Examples = append(g.Examples, "https://"+text(300))
		}
		return g
	}
	for i := range 2000 { // of each list
		a.Errors = append(a.Errors, group(i))
		a.RetryErrors = append(a.RetryErrors, group(i))
	}
	a.Errors, a.RetryErrors = sortGroups(a.Errors), sortGroups(a.RetryErrors)
	for range 10_000 {
		a.Hosts = append(a.Hosts, HostStats{
			Host: text(200), Finished: big(), Failed: big(), Discarded: big(), Retries: big(), Errors: big(),
			Duration: spreadOver(rnd, coarse, 1e9),
		})
	}
	a.Hosts = sortHosts(a.Hosts)
	a.HostsOther = HostStats{Finished: big(), Duration: spreadOver(rnd, fine, 1e9)}
	for i := range 500 {
		setKey(&a.Timers, fmt.Sprint("timer ", i, text(100)), spreadOver(rnd, medium, 1e9))
	}
	for i := range 1000 {
		setKey(&a.Counters, fmt.Sprint("counter ", i, text(200)), big())
		setKey(&a.Gauges, fmt.Sprint("gauge ", i, text(200)), rnd.Float64())
	}
	for i := range 64 {
		var d distinct
		for range 20_000 {
			d.add(rnd.Uint64())
		}
		setKey(&a.sketches, fmt.Sprint("unique ", i, text(100)), d.sketch())
	}
	a.Uniques = estimates(a.sketches)
	for i := range 40 {
		setKey(&a.Extensions, fmt.Sprint("extension ", i), []json.RawMessage{fmt.Appendf(nil, `"%s"`, strings.Repeat("x", i*100))})
		setKey(&a.unknown, fmt.Sprint("unknown ", i), json.RawMessage(`{"of":"tomorrow"}`))
	}
	for i := range maxSegments {
		a.Segments = append(a.Segments, Segment{
			Owner: text(13), Host: text(253), Version: Version, Start: at.Add(time.Duration(i)), End: at, Finished: big(), Failed: big(),
		})
	}
	for _, r := range rings {
		points := make([]Point, r.length)
		for i := range points {
			points[i].At = at.Truncate(r.step).Add(time.Duration(i) * r.step)
			for _, c := range historyColumns {
				*c.of(&points[i]) = big()
			}
		}
		*r.points(&a.History) = points
	}
	return a
}

func TestWorstRecordStaysInItsBudget(t *testing.T) {
	a := worst()
	if err := a.Balanced(); err != nil {
		t.Fatal(err)
	}
	whole, uncut, err := a.marshal()
	if err != nil {
		t.Fatal(err)
	}
	before := facts(a)
	start := time.Now()
	record, leftOut, err := encodeRecord(header{}, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("cut and encoded in %v: %d bytes", time.Since(start).Round(time.Millisecond), len(record))
	if diff := cmp.Diff(before, facts(a)); diff != "" || len(a.Timers) != 500 || len(a.sketches) != 64 || len(a.Extensions) != 40 {
		t.Error("cutting changed the snapshot itself:", diff)
	}

	b, err := Decode(record)
	if err != nil {
		t.Fatal(err)
	}
	body, sizes, err := b.marshal()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%-28s %9s %9s %9s", "part", "uncut", "record", "budget")
	all := 0
	for p, name := range partNames {
		t.Logf("%-28s %9d %9d %9d", name, uncut[p], sizes[p], budget[p])
		all += budget[p]
		if sizes[p] > budget[p] {
			t.Errorf("%s: %d bytes of %d", name, sizes[p], budget[p])
		}
		if p := part(p); sizes[p] < budget[p]/2 && p != histogramPart { // a halved histogram may be far below
			t.Errorf("%s: only %d bytes of %d are used", name, sizes[p], budget[p])
		}
	}
	t.Logf("%-28s %9d %9d %9d", "all", len(whole), len(body), all)
	if len(body) >= 200<<10 || all >= 200<<10 {
		t.Errorf("%d bytes in all, budgets of %d", len(body), all)
	}

	// What is cut is found again beside what stayed.
	if err := b.Balanced(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, facts(b)); diff != "" {
		t.Errorf("totals (-before +after):\n%s", diff)
	}
	if !slices.Contains(leftOut, "extension 39") || slices.Contains(leftOut, "extension 1") || len(b.Extensions)+len(b.unknown)+len(leftOut) != 80 {
		t.Errorf("left out %q, %d and %d stayed", leftOut, len(b.Extensions), len(b.unknown))
	}
	for name, stayed := range map[string]bool{
		"the most frequent error": b.Errors[0].Count == a.Errors[0].Count,
		"the busiest host":        b.Hosts[0].Host == a.Hosts[0].Host,
		"the largest counter":     slices.Max(slices.Collect(maps.Values(a.Counters))) == largestBut(b.Counters, otherName),
		"the newest hour":         cmp.Equal(b.History.Hours[len(b.History.Hours)-1], a.History.Hours[167]),
		"the newest segment":      cmp.Equal(b.Segments[len(b.Segments)-1], a.Segments[31]),
	} {
		if !stayed {
			t.Error("lost:", name)
		}
	}
	if len(b.Timers) < 12 {
		t.Errorf("%d timers are left", len(b.Timers))
	}
}

// facts are totals that cutting must not change.
func facts(a Snapshot) map[string]int64 {
	f := map[string]int64{"started": a.Started, "finished": a.Finished, "errors other": 0}
	add := func(name string, n int64) { f[name] += n }
	for _, n := range a.StatusCodes {
		add("responses", n)
	}
	for _, n := range a.Discards {
		add("discards", n)
	}
	for _, n := range a.ErrorKinds {
		add("kinds", n)
	}
	for _, n := range a.FailedKinds {
		add("failed kinds", n)
	}
	for _, g := range a.Errors {
		add("errors", g.Count)
	}
	add("errors", a.ErrorsOther)
	for _, g := range a.RetryErrors {
		add("retry errors", g.Count)
	}
	add("retry errors", a.RetryErrorsOther)
	for _, h := range append(a.Hosts, a.HostsOther) {
		add("host requests", h.requests())
		add("host errors", h.Errors)
		add("host durations", h.Duration.buckets.total())
	}
	for _, n := range a.Counters {
		add("counters", n)
	}
	for _, n := range a.Gauges {
		add("gauges", int64(math.Round(n*1e9)))
	}
	for _, d := range a.Timers {
		add("timers", d.Count)
		add("timer buckets", d.buckets.total())
	}
	f["gauges"] /= 1000 // sums of fractions
	return f
}

func largestBut(m map[string]int64, other string) (n int64) {
	for k, v := range m {
		if k != other {
			n = max(n, v)
		}
	}
	return n
}

// TestUsualRecordIsNotCut: a crawl of a day with what a crawler usually has.
func TestUsualRecordIsNotCut(t *testing.T) {
	a := usual()
	record, leftOut, err := encodeRecord(header{}, a)
	if err != nil || leftOut != nil {
		t.Fatal(leftOut, err)
	}
	b, err := Decode(record)
	if diff := cmp.Diff(a, b, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	_, sizes, _ := a.marshal()
	for p, name := range partNames {
		t.Logf("%-28s %9d %9d", name, sizes[p], budget[p])
	}
	t.Logf("%d bytes", len(record))
}

// usual is a snapshot of 100 requests a second, for a day.
func usual() Snapshot {
	rnd := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	latency := func(resolution, n int) Durations {
		cells := make([]int64, cellsOf(resolution))
		var d Durations
		for range n {
			v := time.Duration(float64(120*time.Millisecond) * math.Exp(rnd.NormFloat64()*.7))
			cells[bucketOf(v, resolution)]++
			d.Count++
			d.Sum += v
			d.Max = max(d.Max, v)
		}
		d.buckets = newHistogram(resolution, 0, cells)
		return d
	}
	a := Snapshot{
		Attempts: 105_000, Retries: 3_000, RetryHistogram: []int64{97_000, 2_000, 1_000},
		StatusCodes:      map[int]int64{200: 98_000, 301: 4_000, 404: 1_500, 503: 1_200},
		FinishedDuration: latency(fine, 98_000), FailedDuration: latency(fine, 2_000),
		FailedKinds: map[string]int64{"http": 1500, "timeout": 500}, ErrorKinds: map[string]int64{"http": 2500, "timeout": 4500},
		StartedAt: at, LastStartedAt: at, PersistedAt: at, Since: at, Runtime: 24 * time.Hour,
		Counters: map[string]int64{"http.conn.accept.success": 1000, "pages": 98_000}, Gauges: map[string]float64{"queue": 1234},
	}
	a.Finished, a.Failed = a.FinishedDuration.Count, a.FailedDuration.Count
	a.Started = a.Total()
	for i := range 40 {
		a.Errors = append(a.Errors, ErrorGroup{
			Kind: "http", Message: fmt.Sprintf("GET <url>: status %d: something went wrong here", i), Count: 50,
			FirstSeen: at, LastSeen: at, Examples: []string{"https://shop.example/products/123?page=7"},
		})
	}
	a.Errors = sortGroups(a.Errors)
	for i := range 60 {
		a.Hosts = append(a.Hosts, HostStats{Host: fmt.Sprintf("www%d.example.com", i), Finished: 1600, Failed: 30, Errors: 100, Duration: latency(coarse, 1630)})
	}
	a.Hosts = sortHosts(a.Hosts)
	for i := range 5 {
		setKey(&a.Timers, fmt.Sprint("phase.", i), latency(medium, 50_000))
	}
	for i := range 2 {
		var d distinct
		for range 3_000 {
			d.add(rnd.Uint64())
		}
		setKey(&a.sketches, fmt.Sprint("urls.", i), d.sketch().fold())
	}
	a.Uniques = estimates(a.sketches)
	for i := range 32 {
		start := at.Add(time.Duration(i) * 137 * time.Second)
		a.Segments = append(a.Segments, Segment{
			Owner: fmt.Sprintf("ABCDEFGHIJKLM-%d", i+4000), Host: fmt.Sprintf("crawler-6d4b75cb6d-x2x%02d", i), Version: Version,
			Start: start.Add(123456789), End: start.Add(100*time.Second + 987654321), Finished: 3_000, Failed: 60,
		})
	}
	for _, r := range rings {
		seconds := int(r.step / time.Second)
		points := make([]Point, r.length)
		for i := range points {
			d := latency(fine, min(100*seconds, 1000))
			n := int64(95*seconds + rnd.IntN(10*seconds))
			points[i] = Point{
				At: at.Add(time.Duration(i) * r.step), Finished: n, Failed: rnd.Int64N(int64(3 * seconds)), Retries: rnd.Int64N(int64(5 * seconds)),
				InFlight: 30 + rnd.Int64N(20), Status: [6]int64{2: n, 3: rnd.Int64N(int64(5 * seconds)), 4: rnd.Int64N(3), 5: rnd.Int64N(3)},
				P50: d.Quantile(.5), P95: d.Quantile(.95), P99: d.Quantile(.99),
			}
		}
		*r.points(&a.History) = points
	}
	return a
}

func TestHostileTextsAreCut(t *testing.T) {
	a := Snapshot{
		Errors:   []ErrorGroup{{Kind: strings.Repeat("k", 1<<16), Message: strings.Repeat("m", 1<<16), Count: 3, Examples: []string{strings.Repeat("u", 1<<16)}}},
		Hosts:    []HostStats{{Host: strings.Repeat("h", 1<<16), Finished: 3}},
		Counters: map[string]int64{strings.Repeat("c", 1<<16): 3},
		Timers:   map[string]Durations{strings.Repeat("t", 1<<16): {Count: 3, Unbucketed: 3}},
		Segments: []Segment{{Host: strings.Repeat("s", 1<<16)}},
		sketches: map[string]sketch{strings.Repeat("q", 1<<16): {make([]uint8, 16)}},
	}
	record, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decode(record)
	if err != nil {
		t.Fatal(err)
	}
	if g := b.Errors[0]; g.Count != 3 || len(g.Message) > maxMessageBytes || len(g.Examples[0]) > maxURLBytes {
		t.Errorf("%d, %d, %d", g.Count, len(g.Message), len(g.Examples[0]))
	}
	if b.HostsOther.Finished != 3 || b.HostsOther.Host != "" || b.Counters[otherName] != 3 || b.Timers[otherName].Count != 3 || b.Segments != nil {
		t.Errorf("%+v", b)
	}
	if _, ok := b.Uniques[otherName]; !ok {
		t.Errorf("uniques %v", b.Uniques)
	}
}

func TestExtensionsOverTheirShare(t *testing.T) {
	a := Snapshot{Finished: 1, Extensions: map[string][]json.RawMessage{
		"small": {json.RawMessage(`1`)}, "large": {json.RawMessage(`"` + strings.Repeat("x", 17<<10) + `"`)},
	}}
	record, err := a.Encode()
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), `"large"`) || strings.Contains(err.Error(), "small") {
		t.Error(err)
	}
	b, err := Decode(record)
	if err != nil || b.Finished != 1 || len(b.Extensions) != 1 || b.Extensions["small"] == nil {
		t.Errorf("the rest: %+v, %v", b, err)
	}
	if len(a.Extensions) != 2 {
		t.Error("encoding changed the snapshot")
	}
}

// TestFormatIsWritten: docs/FORMAT.md names every key and every budget.
func TestFormatIsWritten(t *testing.T) {
	raw, err := os.ReadFile("../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, f := range new(Snapshot).fields() {
		if !strings.Contains(text, "`"+f.key+"`") {
			t.Errorf("no key `%s`", f.key)
		}
	}
	for _, c := range historyColumns {
		if !strings.Contains(text, "`"+c.name+"`") {
			t.Errorf("no column `%s`", c.name)
		}
	}
	for p, name := range partNames {
		if row := fmt.Sprintf("| %s | %d |", name, budget[p]>>10); !strings.Contains(text, row) {
			t.Errorf("no row %q", row)
		}
	}
	for _, key := range crawleeKeys("") {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("no prefix `%s`", key)
		}
	}
}
