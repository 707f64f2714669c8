package view

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A Snapshot has the newest runs; of how many there were before, nothing is said.
func TestResumedManyTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for run, want := range map[int]string{1: "", 3: "2×", 31: "30×", 32: "31× or more", 40: "31× or more"} {
			store := kvstore.NewMemory()
			var st *stats.Statistics
			for range run {
				st = open(t, store)
				second(st, 1, 0)
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
			}
			got, _, resumed := strings.Cut(look(st, nil).Facts[2].Text, ", last ")
			if resumed != (want != "") || resumed && got != want {
				t.Errorf("after %d runs it says %q, want %q", run, got, want)
			}
		}
	})
}

// Latencies far below a millisecond have a line too.
func TestSparkOfMicroseconds(t *testing.T) {
	var a stats.Snapshot
	for i := range 180 {
		a.History.Seconds = append(a.History.Seconds, stats.Point{At: trackTime.Add(time.Duration(i+1) * time.Second), P95: time.Duration(300+i/5*15) * time.Microsecond})
	}
	spark := Of(Input{Snapshot: a, Now: trackTime}).Tiles[3].Spark
	for i, v := range spark {
		if want := float64(300+15*i) / 1e6; v == nil || *v != want {
			text, _ := json.Marshal(spark)
			t.Fatalf("step %d is not %v: %s", i, want, text)
		}
	}
}

// What a forged record says stays in bounds.
func TestForgedSnapshots(t *testing.T) {
	seen := trackTime.Add(-time.Hour)
	a := stats.Snapshot{
		Started: 1, Finished: 1 << 62, Failed: 1 << 62, Discarded: 1 << 62, InFlight: 1 << 62,
		Gauges:      map[string]float64{PendingGauge: math.MaxFloat64},
		Errors:      []stats.ErrorGroup{{Kind: "k", Message: "m", Count: 1}},
		RetryErrors: []stats.ErrorGroup{{Kind: "k", Message: "m", Count: 1, FirstSeen: seen}},
	}
	for _, s := range []int{10, 5, 7, 11} {
		a.History.Seconds = append(a.History.Seconds, stats.Point{At: trackTime.Add(time.Duration(s) * time.Second)})
	}
	v := Of(Input{Snapshot: a, Now: trackTime})
	if p := v.Progress; p.Done != math.MaxInt64 || p.Total != math.MaxInt64 {
		t.Errorf("%+v", p)
	}
	if e := v.Errors.Rows[0]; !e.First.Equal(seen) {
		t.Errorf("first seen %v, want %v", e.First, seen)
	}
	var order []int64
	for _, row := range v.Rings[0].Rows {
		order = append(order, row[ColAt]-trackTime.Unix())
	}
	if fmt.Sprint(order) != "[10 11]" {
		t.Errorf("rows at %v", order)
	}
	checkWhole(t, v)
}
