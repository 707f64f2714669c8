package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// contender is one way of recording a request.
type contender struct {
	name   string
	module string // path of the Go module it comes from; "" for the standard library and our own
	about  string // what it does
	lacks  string // what it does not do, that others do
	open   func() subject
}

// subject is a contender made ready. loop records n requests of the table, from
// index at on, and runs on many goroutines at once. recorded, if there is one,
// returns how many requests were counted, so that nobody wins by losing some.
type subject struct {
	loop     func(table []request, at, n int)
	recorded func() int64
	close    func()
}

// setting is how a contender is run.
type setting struct {
	procs      int // GOMAXPROCS
	goroutines int // for each processor
}

func (s setting) String() string {
	return fmt.Sprintf("%d procs, %d goroutines", s.procs, s.procs*s.goroutines)
}

// sample is one measurement. The cost is CPU time of the whole process, which a
// neighbour that takes the other core does not change as it changes wall time.
type sample struct {
	nanos  float64 // CPU time for each request
	bytes  float64 // allocated for each request
	allocs float64
}

// warmUp is how many requests go before, so that what is made once, such as the
// cells of a host, is there.
const warmUp = tableSize

// eachAtLeast is how many requests a goroutine records: with a few only, each of a
// crowd is over before it meets another.
const eachAtLeast = 512

// run measures n requests.
func (c *contender) run(s setting, n int) (sample, error) {
	runtime.GOMAXPROCS(s.procs)
	subject := c.open()
	if subject.close != nil {
		defer subject.close()
	}
	goroutines := s.procs * s.goroutines
	each := max(n/goroutines, 1)
	done := make(chan struct{}, goroutines)
	var at atomic.Int64
	runtime.GC()

	subject.loop(requests, 0, warmUp)
	before, began := memory(), cpuTime()
	for range goroutines {
		go func() {
			subject.loop(requests, int(at.Add(977)), each)
			done <- struct{}{}
		}()
	}
	for range goroutines {
		<-done
	}
	took, after := cpuTime()-began, memory()

	total := each * goroutines
	if subject.recorded != nil {
		if got := subject.recorded(); got != int64(total+warmUp) {
			return sample{}, fmt.Errorf("%s has counted %d of %d requests", c.name, got, total+warmUp)
		}
	}
	return sample{
		nanos:  float64(took) / float64(total),
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(total),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(total),
	}, nil
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// cpuTime returns what the process has used of all processors.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// threadTime returns what this thread has used. Unlike getrusage it tells to the
// nanosecond.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(t.Nano())
}

// entry is a contender in a setting, under a name of its own.
type entry struct {
	key string
	contender
	setting
}

// samples are the measurements of every entry, round by round.
type samples map[string][]sample

// rounds measures every entry once in each round, so that what changes over time,
// such as the clock of the processor, changes for all: the samples of one round
// can be compared with each other.
func rounds(all []entry, n int, slice time.Duration) (samples, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	sizes := make([]int, len(all))
	for i, e := range all {
		const probe = 20_000
		m, err := e.run(e.setting, probe)
		if err != nil {
			return nil, err
		}
		sizes[i] = max(int(float64(slice)/max(m.nanos, 1)), e.procs*e.goroutines*eachAtLeast)
	}
	measured := make(samples, len(all))
	for range n {
		for i, e := range all {
			m, err := e.run(e.setting, sizes[i])
			if err != nil {
				return nil, err
			}
			measured[e.key] = append(measured[e.key], m)
		}
	}
	return measured, nil
}

// ratios returns the cost of a over that of b, round by round, sorted.
func (s samples) ratios(a, b string) []float64 {
	r := make([]float64, min(len(s[a]), len(s[b])))
	for i := range r {
		r[i] = s[a][i].nanos / s[b][i].nanos
	}
	slices.Sort(r)
	return r
}

// ratio returns the median of ratios.
func (s samples) ratio(a, b string) float64 { return quantile(s.ratios(a, b), 0.5) }

// median returns the median of one column of an entry.
func (s samples) median(key string, column func(sample) float64) float64 {
	var values []float64
	for _, m := range s[key] {
		values = append(values, column(m))
	}
	slices.Sort(values)
	return quantile(values, 0.5)
}

func nanos(s sample) float64     { return s.nanos }
func allocated(s sample) float64 { return s.bytes }
func allocs(s sample) float64    { return s.allocs }

// quantile returns a value of a sorted row, 0 of an empty one.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
