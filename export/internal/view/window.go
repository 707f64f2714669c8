package view

import (
	"fmt"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// A Window is what happened in a part of the recent past. Its rates are over the
// time in which the crawl ran.
type Window struct {
	Seconds       int64   `json:"seconds"` // 0: nothing is known of this time
	Finished      int64   `json:"finished"`
	Failed        int64   `json:"failed"`
	Discarded     int64   `json:"discarded"`
	Retried       int64   `json:"retried"` // attempts
	FinishedRate  float64 `json:"finishedPerSecond"`
	FailedPercent float64 `json:"failedPercent"` // of finished and failed
}

func (w Window) done() int64 { return w.Finished + w.Failed }

// text says which time the window is of.
func (w Window) text() string {
	if w.Seconds >= 55 {
		return "the last minute"
	}
	return fmt.Sprintf("the last %d s", w.Seconds)
}

const (
	minute = time.Minute
	past   = 15 * time.Minute
)

// lastMinute ends with the newest second of the history.
func lastMinute(h stats.History) Window {
	end := newest(h.Seconds)
	return within(h.Seconds, time.Second, end.Add(-minute), end)
}

// before returns up to 15 minutes that end where the last minute begins.
func before(h stats.History) Window {
	end := newest(h.Seconds).Add(-minute)
	w := within(h.TenSeconds, 10*time.Second, end.Add(-past), end)
	if w.Seconds < 30 { // the crawl is young
		w = within(h.Seconds, time.Second, end.Add(-past), end)
	}
	return w
}

func newest(points []stats.Point) time.Time {
	if len(points) == 0 {
		return time.Time{}
	}
	return points[len(points)-1].At
}

// within adds up the points in (from, to].
func within(points []stats.Point, step time.Duration, from, to time.Time) Window {
	var w Window
	for _, p := range points {
		if p.At.After(from) && !p.At.After(to) {
			w.Seconds += int64(step / time.Second)
			w.Finished += p.Finished
			w.Failed += p.Failed
			w.Discarded += p.Discarded
			w.Retried += p.Retries
		}
	}
	if w.Seconds > 0 {
		w.FinishedRate = float64(w.Finished) / float64(w.Seconds)
	}
	w.FailedPercent = Ratio(w.Failed, w.done())
	return w
}
