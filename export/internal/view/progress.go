package view

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// Progress is how far the crawl has come. Without the gauge [PendingGauge]
// nobody knows how much there is, and there is no percentage; while more is found
// than done, there is no time left.
type Progress struct {
	Known   bool    `json:"known"` // the crawler reports its queue
	Percent float64 `json:"percent"`
	Done    int64   `json:"done"` // finished, failed and discarded
	Pending int64   `json:"pending"`
	Total   int64   `json:"total"` // done, in flight and pending
	// Left is the time until the queue is empty if it goes on shrinking as it
	// does; 0: not known.
	Left time.Duration `json:"leftNanos"`
	Text string        `json:"text"`
}

// settling is how long the queue is watched before it is judged.
const settling = 20 * time.Second

func progress(in Input, s State) Progress {
	a := in.Snapshot
	p := Progress{Done: add(add(a.Finished, a.Failed), a.Discarded)}
	pending, known := pendingOf(a)
	if !known {
		p.Text = Counted(p.Done, "request", "requests") + " done; the crawler does not report its queue"
		return p
	}
	p.Known, p.Pending = true, pending
	p.Total = add(add(p.Done, a.InFlight), pending)
	if p.Percent = Ratio(p.Done, p.Total); p.Percent > 99 && p.Done < p.Total {
		p.Percent = 99 // the rest is on its way
	}
	p.Text = fmt.Sprintf("%s of %s known", Count(p.Done), Counted(p.Total, "request", "requests"))
	if s != Running {
		return p
	}
	falling, watched := in.Track.falling()
	switch {
	case pending+a.InFlight == 0:
		p.Text += "; nothing is left in the queue"
	case watched < settling:
		p.Text += "; watching the queue"
	case falling <= 0:
		p.Text += "; the queue is not getting shorter"
	default:
		seconds := float64(pending+a.InFlight) / falling
		p.Left = time.Duration(min(seconds, 100*365*86400) * float64(time.Second))
		p.Text += ", about " + Duration(p.Left) + " left at this pace"
	}
	return p
}

// pendingOf returns the length of the queue, over all labels.
func pendingOf(a stats.Snapshot) (n int64, known bool) {
	sum := 0.0
	for key, v := range a.Gauges {
		if base, _, _ := strings.Cut(key, "{"); base == PendingGauge {
			sum, known = sum+finite(v), true
		}
	}
	return int64(math.Min(math.Max(sum, 0), 1<<53)), known
}
