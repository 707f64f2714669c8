package statstest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

// crawl is the program under test.
func crawl(st *stats.Statistics, urls ...string) {
	for _, url := range urls {
		j := st.BeginWith(stats.Request{URL: url})
		if url == "/broken" {
			j.Fail(errors.New("this page is broken"))
			continue
		}
		j.Finish()
	}
}

// One Statistics serves several cases: Reset puts it back to zero between them.
func Example_reset() {
	st := stats.New()
	for _, urls := range [][]string{{"/", "/about"}, {"/broken"}} {
		crawl(st, urls...)
		c := statstest.Count(st)
		fmt.Println(c.Finished, "finished,", c.Failed, "failed")
		if err := st.Reset(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(statstest.Count(st) == statstest.Counts{})
	// Output:
	// 2 finished, 0 failed
	// 0 finished, 1 failed
	// true
}

func ExampleCounts() {
	st := stats.New()
	crawl(st, "/", "/broken")
	fmt.Println(statstest.Count(st) == statstest.Counts{Started: 2, Finished: 1, Failed: 1, Attempts: 2})
	// Output: true
}

func TestNewResetsBetweenCases(t *testing.T) {
	st := statstest.New(t)
	for range 3 {
		crawl(st, "/", "/broken")
		if got, want := statstest.Count(st), (statstest.Counts{Started: 2, Finished: 1, Failed: 1, Attempts: 2}); got != want {
			t.Errorf("counts %+v, want %+v", got, want)
		}
		statstest.Balanced(t, st)
		if err := st.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
