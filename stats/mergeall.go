package stats

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// mergeAll merges in pairs, and pairs of pairs, on all processors: what is named
// differently in each part is then copied log n times and not n times.
func mergeAll(parts []Snapshot) Snapshot {
	for len(parts) > 1 {
		half := make([]Snapshot, (len(parts)+1)/2)
		inParallel(len(half), runtime.GOMAXPROCS(0), func(i int) {
			half[i] = parts[2*i]
			if 2*i+1 < len(parts) {
				half[i] = half[i].Merge(parts[2*i+1])
			}
		})
		parts = half
	}
	if len(parts) == 0 {
		return Snapshot{}
	}
	return parts[0].Merge(Snapshot{}) // a copy, where there was one part only
}

// inParallel calls do for 0 to n-1, on several goroutines, and waits for all.
func inParallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, workers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
