package stats_test

import (
	"encoding/json"
	"fmt"

	"github.com/crawlstats/crawlstats/stats"
)

// A record of Crawlee is read as ours. What is exported can be read with head
// and jq, merged, and kept in a store.
func ExampleDecode() {
	a, err := stats.Decode([]byte(`{"requestsFinished":3,"requestsFailed":1,"crawlerRuntimeMillis":"PT1M30S","requestRetryHistogram":[2,1,null,1]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Finished, a.Failed, a.RetryHistogram, a.Runtime, a.Balanced())

	record, err := a.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := stats.Decode(record)
	fmt.Println(b.Total(), err)
	// Output:
	// 3 1 [2 1 0 1] 1m30s <nil>
	// 4 <nil>
}

// The JSON of a Snapshot is lossless.
func ExampleSnapshot_MarshalJSON() {
	raw, err := json.Marshal(stats.Snapshot{Started: 2, Finished: 1, InFlight: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	var a stats.Snapshot
	if err := json.Unmarshal(raw, &a); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Started, a.Finished, a.InFlight)
	// Output: 2 1 1
}
