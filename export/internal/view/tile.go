package view

import (
	"math"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Tile is one key figure.
type Tile struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Unit  string `json:"unit,omitempty"`
	Text  string `json:"text"`
	Level Level  `json:"level"`
	// Spark is the last three minutes, 5 s each, oldest first; null where there
	// was no process or nothing to tell. Absent where the tile has none.
	Spark []*float64 `json:"spark,omitempty"`
	Color string     `json:"color,omitempty"` // of the spark: finished, failed, retried, latency
}

func tiles(in Input, v View) []Tile {
	t, a := v.Totals, in.Snapshot
	spark := func(of func(stats.Point) (float64, bool)) []*float64 { return sparkline(a.History.Seconds, of) }
	finished := Tile{
		Title: "Finished", Value: Count(t.Finished), Text: Rate(t.PerSecond) + "/s overall", Color: "finished",
		Spark: spark(func(p stats.Point) (float64, bool) { return float64(p.Finished), true }),
	}
	failed := Tile{
		Title: "Failed", Value: Count(t.Failed), Text: Percent(t.FailedPercent) + " overall", Color: "failed",
		Spark: spark(func(p stats.Point) (float64, bool) { return float64(p.Failed), true }),
	}
	if v.Minute.Seconds > 0 {
		finished.Text = Rate(v.Minute.FinishedRate) + "/s in " + v.Minute.text()
		failed.Text = Percent(v.Minute.FailedPercent) + " in " + v.Minute.text()
	}
	failed.Level = failureLevel(v.Minute)
	if t.Finished+t.Failed == 0 {
		failed.Text = "nothing is done yet"
	}
	retried := Tile{
		Title: "Retried", Value: Count(t.Retries), Text: Rate(Ratio(t.Retries, t.Finished+t.Failed)) + " per 100 requests", Color: "retried",
		Spark: spark(func(p stats.Point) (float64, bool) { return float64(p.Retries), true }),
	}
	return []Tile{finished, failed, retried, latencyTile(v.Latency, spark), flightTile(a, v.Progress), bytesTile(t, v.Minute)}
}

func latencyTile(l Latencies, spark func(func(stats.Point) (float64, bool)) []*float64) Tile {
	t := Tile{Title: "Latency p95", Value: None, Text: l.Text, Color: "latency"}
	if l.Known {
		t.Value, t.Unit = split(Latency(l.P95))
		t.Text = "p50 " + Latency(l.P50) + ", p99 " + Latency(l.P99)
	}
	t.Spark = spark(func(p stats.Point) (float64, bool) { return p.P95.Seconds(), p.P95 > 0 })
	return t
}

func flightTile(a stats.Snapshot, p Progress) Tile {
	t := Tile{Title: "In flight", Value: Count(a.InFlight), Text: "queue is not reported"}
	if p.Known {
		t.Text = Count(p.Pending) + " queued"
	}
	if a.OldestInFlight > 0 {
		t.Text += ", oldest " + Duration(a.OldestInFlight)
	}
	return t
}

// bytesTile shows what was downloaded, or what was discarded where nobody counts
// bytes.
func bytesTile(t Totals, w Window) Tile {
	if t.Bytes < 0 {
		tile := Tile{Title: "Discarded", Value: Count(t.Discarded), Text: "given up on purpose"}
		if w.Seconds > 0 && t.Discarded > 0 {
			tile.Text = Count(w.Discarded) + " in " + w.text()
		}
		return tile
	}
	tile := Tile{Title: "Downloaded", Text: "of bodies, in all runs"}
	tile.Value, tile.Unit = split(Bytes(t.Bytes))
	if t.RuntimeMillis > 0 {
		tile.Text = Bytes(int64(float64(t.Bytes)/float64(t.RuntimeMillis)*1000)) + "/s overall"
	}
	return tile
}

// split parts a number from a single unit; other texts stay whole.
func split(s string) (value, unit string) {
	for i := range s {
		if s[i] == ' ' {
			if c := s[i+1]; c < '0' || c > '9' {
				return s[:i], s[i+1:]
			}
			break
		}
	}
	return s, ""
}

const (
	sparkSpan = 3 * time.Minute
	sparkStep = 5 * time.Second
)

// sparkline averages the points of each step; what of does not know is left out.
func sparkline(points []stats.Point, of func(stats.Point) (float64, bool)) []*float64 {
	if len(points) == 0 {
		return nil
	}
	begin := func(p stats.Point) time.Time { return p.At.Add(-time.Nanosecond).Truncate(sparkStep) }
	end := begin(points[len(points)-1])
	sums := make([]float64, sparkSpan/sparkStep)
	counts := make([]int, len(sums))
	for _, p := range points {
		i := len(sums) - 1 - int(end.Sub(begin(p))/sparkStep)
		if i < 0 || i >= len(sums) {
			continue
		}
		if v, ok := of(p); ok {
			sums[i] += v
			counts[i]++
		}
	}
	spark := make([]*float64, len(sums))
	for i, n := range counts {
		if n > 0 {
			v := math.Round(sums[i]/float64(n)*1e6) / 1e6 // of a latency, microseconds
			spark[i] = &v
		}
	}
	return spark
}
