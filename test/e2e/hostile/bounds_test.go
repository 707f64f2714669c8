package hostile

import (
	"errors"
	"iter"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	million = 1_000_000 / raceScale
	// What a Statistics may take, whatever a site sends, with the default bounds
	// and no request in flight: measured are 3 to 5 MB on two processors.
	mostHeap = 16 << 20
)

// A site that answers with a million distinct hosts, error texts, URLs, codes and
// reasons, for a program that makes instruments of them too: every total is exact,
// and memory, record and pages stay what they are.
func TestAMillionOfEverything(t *testing.T) {
	o := newOutlet(t, stats.Config{ID: "shop"})
	s := o.st
	before := heap()
	host, stop := iter.Pull(hostile.Hosts(million))
	defer stop()
	i := 0
	for name := range hostile.Names(million) {
		h, _ := host()
		out := stats.Outcome{
			Request:    stats.Request{Host: h, URL: "https://" + h + "/" + name, Retries: i % 100},
			StatusCode: i % 5000, Duration: time.Duration(i) * time.Microsecond,
		}
		switch i % 4 {
		case 0:
			out.Err = errors.New(name + " is not there")
		case 1:
			out.Discard = stats.DiscardReason(name)
		case 2:
			s.Start(name)
			s.Retry(name, errors.New("no "+name))
		}
		s.Observe(out)
		if i%4 == 2 {
			s.Finish(name)
		}
		if i%10 == 0 {
			s.Counter(name).Inc()
			s.Gauge("g", stats.Label{Key: "host", Value: h}).Set(1)
			s.Timer(name).Observe(time.Second)
			s.Unique(name).Add(name)
			s.Unique("names").Add(name)
		}
		i++
	}
	grown := heap() - before
	t.Logf("the heap grew by %.1f MB", float64(grown)/(1<<20))
	if grown > mostHeap {
		t.Errorf("the heap grew by %d MB, the bound is %d", grown>>20, mostHeap>>20)
	}
	o.close(t)
	a := o.final
	const quarter = million / 4
	if a.Finished != 3*quarter || a.Failed != quarter || a.Discarded != quarter {
		t.Errorf("%d finished, %d failed, %d discarded", a.Finished, a.Failed, a.Discarded)
	}
	if n := failures(a); n != quarter {
		t.Errorf("%d errors, want %d", n, quarter)
	}
	if n := retries(a); n != quarter {
		t.Errorf("%d errors of retries, want %d", n, quarter)
	}
	if n := hosts(a); n != million-quarter {
		t.Errorf("%d requests by host, want %d", n, million-quarter)
	}
	if n := sum(a.Counters); n != million/10 {
		t.Errorf("%d counted by counters, want %d", n, million/10)
	}
	if a.Dropped == 0 || a.ErrorsOther == 0 || a.HostsOther.Finished == 0 {
		t.Error("what did not fit is not to be seen")
	}
	each(t, o)
}

// A site that never answers: requests in flight are bounded, and the refused ones
// are counted.
func TestAMillionInFlight(t *testing.T) {
	const most = million / 10
	o := newOutlet(t, stats.Config{ID: "shop", MaxInFlight: most})
	before := heap()
	for i := range million {
		o.st.Start("request " + strconv.Itoa(i))
	}
	if grown := heap() - before; grown > mostHeap {
		t.Errorf("the heap grew by %d MB, the bound is %d", grown>>20, mostHeap>>20)
	}
	a := o.st.Snapshot()
	if a.InFlight > most || a.InFlight+a.Overflow != million || a.Balanced() != nil {
		t.Errorf("%d in flight, %d refused: %v", a.InFlight, a.Overflow, a.Balanced())
	}
	o.close(t)
	each(t, o)
}

// Ids that all have one hash elsewhere are told from each other here.
func TestCollidingIDs(t *testing.T) {
	const n = 1 << 16
	o := newOutlet(t, stats.Config{ID: "shop"})
	for id := range hostile.Colliding(n) {
		o.st.Start(id)
	}
	if a := o.st.Snapshot(); a.InFlight != n {
		t.Errorf("%d in flight, want %d", a.InFlight, n)
	}
	for id := range hostile.Colliding(n) {
		o.st.Finish(id)
	}
	o.close(t)
	if a := o.final; a.Finished != n || a.Unmatched != 0 {
		t.Errorf("%d finished, %d unmatched", a.Finished, a.Unmatched)
	}
	each(t, o)
}

// heap returns the bytes that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
