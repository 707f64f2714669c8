package catalogue_test

import (
	"fmt"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

func Example() {
	var id catalogue.ID = catalogue.Discarded
	var m catalogue.Metric = id.Metric()
	var statsd catalogue.Statsd = m.Statsd
	var prom catalogue.Prom = m.Prom
	var scope catalogue.Scope = m.Scope
	var kind catalogue.Type = prom.Type
	var reason catalogue.Part = m.Parts[0]
	label := catalogue.Label{Key: reason.Name, Value: reason.Values[0]}
	fmt.Println(statsd.Name, label.Value)
	fmt.Println(prom.Name, kind, "of", scope, "by", reason.Name)
	fmt.Println(id.StatsdName("robots"))
	// Output:
	// requests.discarded.<reason> duplicate
	// crawler_requests_discarded_total counter of this process by reason
	// requests.discarded.robots
}

func ExampleTimings() {
	for _, t := range catalogue.Timings() {
		var part catalogue.TimingPart = t
		fmt.Println(part.Suffix, part.Type)
	}
	// Output:
	// count counter
	// sum_ms counter
	// p50 gauge
	// p95 gauge
	// p99 gauge
	// max gauge
}
