package dashboard_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// A report at the end of a crawl. A record that was saved makes one too:
//
//	s, err := stats.Load(ctx, store, stats.Key("shop", ""))
func ExampleReport() {
	st := stats.New()
	for range 3 {
		j := st.Begin()
		j.Finish()
	}
	var file bytes.Buffer // or os.Create("report.html")
	if err := (dashboard.Report{ID: "shop", Live: true}).Write(&file, st.Snapshot()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(file.String(), "<h1>shop</h1>"))

	_, rest, _ := strings.Cut(file.String(), `id="snapshot">`)
	snapshot, _, _ := strings.Cut(rest, "</script>")
	s, err := stats.Decode([]byte(snapshot))
	fmt.Println(s.Finished, err)
	// Output:
	// true
	// 3 <nil>
}

// Without a name the report is of the crawl called crawl.
func ExampleWriteReport() {
	var file bytes.Buffer
	if err := dashboard.WriteReport(&file, stats.Snapshot{}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(file.String(), "No request has been made yet."))
	// Output: true
}
