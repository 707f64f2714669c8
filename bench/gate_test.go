package main

import (
	"testing"
	"time"
)

// The gate: ratios to the floor, and allocations. A time is never looked at. What
// disturbs a round makes it dearer, so the lower quartile of the rounds is what a
// busy machine changes least. The limits leave a quarter or more above the worst
// of many runs beside two busy loops on two cores, so a red gate is no noise; what
// is less than that, allocations tell, which are exact. One lock and one map of
// jobs cost twice the floor and more, as the control below proves: they would not
// get through.
func TestGate(t *testing.T) {
	limits := map[string]float64{
		"handle": handleLimit, "handle, plain": handleLimit, "handle, retries": 1.9, "handle, defer": 1.75,
		"handle, everything": 3.5, "by id": 2.6, "observe": 0.5,
	}
	all := []entry{{"F2", floors[1], one}}
	for _, c := range ours {
		all = append(all, entry{c.name, c, one})
	}
	crowd := setting{2, 128}
	all = append(all, entry{"F2 in a crowd", floors[1], crowd}, entry{"handle in a crowd", byHandle, crowd})
	m, err := rounds(all, 21, 4*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for name, limit := range limits {
		r := quantile(m.ratios(name, "F2"), 0.25)
		t.Logf("%-16s %.2f of the floor, at most %.2f", name, r, limit)
		if r > limit {
			t.Errorf("%s costs %.2f times the floor, %.2f at the most", name, r, limit)
		}
	}
	r := quantile(m.ratios("handle in a crowd", "F2 in a crowd"), 0.25)
	t.Logf("%-16s %.2f of the floor, at most %.2f", "in a crowd", r, crowdLimit)
	if r > crowdLimit {
		t.Errorf("with 256 goroutines the handle costs %.2f times the floor, %.2f at the most", r, crowdLimit)
	}
}

const (
	handleLimit = 1.6
	crowdLimit  = 1.6
)

// The control: a lock and a map of jobs would not get through.
func TestGateClosesForALockAndAMap(t *testing.T) {
	m, err := rounds([]entry{{"F2", floors[1], one}, {"port", crawleePort, one}}, 9, 4*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if r := quantile(m.ratios("port", "F2"), 0.25); r < 1.25*handleLimit {
		t.Errorf("one lock and a map cost %.2f times the floor: the gate would let them in", r)
	}
}

// Recording a request allocates nothing, whatever is told of it.
func TestGateAllocations(t *testing.T) {
	for _, c := range ours {
		t.Run(c.name, func(t *testing.T) {
			s := c.open()
			s.loop(requests, 0, 2*tableSize) // hosts, ids and cells have their places
			const n = 1024
			// by id, the loop makes its ids first: what is counted is what more requests add
			few := testing.AllocsPerRun(20, func() { s.loop(requests, 0, n) })
			more := testing.AllocsPerRun(20, func() { s.loop(requests, 0, 3*n) })
			if more > few+8 {
				t.Errorf("%.0f allocations for %d requests more", more-few, 2*n)
			}
		})
	}
}

// A contender that loses requests is found out.
func TestLosersAreFound(t *testing.T) {
	loser := contender{name: "loser", open: func() subject {
		return subject{loop: func([]request, int, int) {}, recorded: func() int64 { return 7 }}
	}}
	if _, err := rounds([]entry{{"loser", loser, one}}, 1, time.Millisecond); err == nil {
		t.Error("a contender that counts nothing was measured")
	}
}

// Every contender of the report runs, and what can tell has counted everything.
func TestEveryContender(t *testing.T) {
	for _, e := range entries() {
		if _, err := e.run(e.setting, 2000); err != nil {
			t.Error(err)
		}
	}
}
