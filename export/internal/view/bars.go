package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/crawlstats/crawlstats/stats"
)

// A Bar is a row of a histogram.
type Bar struct {
	Label   string  `json:"label"`
	Count   int64   `json:"count"`
	Percent float64 `json:"percent"` // of all bars
	Text    string  `json:"text"`    // Percent as it is shown
}

// A BarTable is a histogram, or the sentence that stands for an empty one.
type BarTable struct {
	Bars  []Bar  `json:"bars"`
	Empty string `json:"empty,omitempty"`
}

func newBarTable(bars []Bar, empty string) BarTable {
	var sum int64
	for _, b := range bars {
		sum += b.Count
	}
	if sum == 0 {
		return BarTable{Bars: []Bar{}, Empty: empty}
	}
	for i := range bars {
		bars[i].share(sum)
	}
	return BarTable{Bars: bars}
}

func (b *Bar) share(all int64) {
	b.Percent = Ratio(b.Count, all)
	b.Text = Percent(b.Percent)
}

const retryBars = 6 // none, 1 to 4, 5 or more

// retryTable is of finished and failed requests.
func retryTable(a stats.Snapshot) BarTable {
	var bars []Bar
	for retries, n := range a.RetryHistogram {
		switch {
		case retries == 0:
			bars = append(bars, Bar{Label: "none", Count: n})
		case retries < retryBars:
			bars = append(bars, Bar{Label: strconv.Itoa(retries), Count: n})
		default:
			bars[retryBars-1].Label = fmt.Sprintf("%d or more", retryBars-1)
			bars[retryBars-1].Count += n
		}
	}
	return newBarTable(bars, "No request has finished or failed yet.")
}

func discardTable(a stats.Snapshot) BarTable {
	var bars []Bar
	for reason, n := range a.Discards {
		bars = append(bars, Bar{Label: Clean(strings.ReplaceAll(string(reason), "_", " ")), Count: n})
	}
	slices.SortFunc(bars, func(x, y Bar) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Label, y.Label)) })
	return newBarTable(bars, "No request was discarded.")
}

// A StatusTable is the responses by class, and the most frequent codes.
type StatusTable struct {
	BarTable       // 2xx, 3xx, 4xx, 5xx, other
	Total    int64 `json:"total"`
	Codes    []Bar `json:"codes"`
	More     int   `json:"more"` // codes that are not in Codes
}

const maxCodes = 12

func statusTable(a stats.Snapshot) StatusTable {
	classes := []Bar{{Label: "2xx"}, {Label: "3xx"}, {Label: "4xx"}, {Label: "5xx"}, {Label: "other"}}
	t := StatusTable{Codes: []Bar{}}
	for _, code := range slices.Sorted(maps.Keys(a.StatusCodes)) {
		n := a.StatusCodes[code]
		class, label := code/100-2, strconv.Itoa(code)
		if class < 0 || class > 3 {
			class = 4
		}
		if code == 0 {
			label = "other"
		}
		classes[class].Count += n
		t.Total += n
		t.Codes = append(t.Codes, Bar{Label: label, Count: n})
	}
	t.BarTable = newBarTable(classes, "No status code was recorded.")
	slices.SortStableFunc(t.Codes, func(x, y Bar) int { return cmp.Compare(y.Count, x.Count) })
	for i := range t.Codes {
		t.Codes[i].share(t.Total)
	}
	t.More = max(0, len(t.Codes)-maxCodes)
	t.Codes = t.Codes[:len(t.Codes)-t.More]
	return t
}
