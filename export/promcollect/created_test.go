package promcollect_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/readingtest"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/stats"
)

// When a counter began stands on every page once: as gauges in classic text if
// asked for, and in OpenMetrics as samples of the counter itself.
func TestCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		since := float64(st.Live().Since.UnixMilli()) / 1000
		const (
			sample = "crawler_requests_finished_created{"
			family = "# TYPE crawler_requests_finished_created gauge"
		)
		for _, c := range []struct {
			gauges          bool
			accept          string
			samples, gauged int
		}{
			{false, "", 0, 0},
			{false, openMetrics, 1, 0},
			{true, "", 1, 1},
			{true, "text/plain;version=0.0.4", 1, 1},
			{true, openMetrics, 1, 0},
		} {
			h := promcollect.Handler(st, promcollect.Config{CreatedGauges: c.gauges})
			_, body := get(t, h, c.accept)
			if got := [2]int{len(lines(body, sample)), len(lines(body, family))}; got != [2]int{c.samples, c.gauged} {
				t.Errorf("gauges %t, %q: %v samples and gauges, want %v", c.gauges, c.accept, got, [2]int{c.samples, c.gauged})
			}
		}
		p := fetch(t, promcollect.Handler(st, promcollect.Config{CreatedGauges: true}), "")
		for _, name := range []string{"crawler_requests_finished_created", "crawler_request_duration_seconds_created", "mutate_requests_created"} {
			if got := p.value(t, name); got != since {
				t.Errorf("%s is %v, want %v", name, got, since)
			}
		}
		if p["crawler_job_requests_created"] != nil || p["crawler_state_persists_created"] != nil {
			t.Error("what has no beginning tells one")
		}
		for family := range fetch(t, promcollect.Handler(st, promcollect.Config{CreatedGauges: true}), protobuf) {
			if strings.HasSuffix(family, "_created") {
				t.Errorf("%s stands in protobuf, which tells without", family)
			}
		}
	})
}

// unborn is a source that cannot tell when its counts began.
type unborn struct{ read stats.Snapshot }

func (u unborn) Snapshot() stats.Snapshot { return u.read }
func (u unborn) Live() stats.Snapshot     { return u.read }

// Where nobody knows when a counter or a histogram began, no page says so.
func TestCreatedUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := readingtest.Full(t)
		read := st.Live()
		read.Since = time.Time{}
		for family, f := range gather(t, unborn{read}, promcollect.Config{}) {
			for _, m := range f.Metric {
				if m.GetCounter().GetCreatedTimestamp() != nil || m.GetHistogram().GetCreatedTimestamp() != nil {
					t.Errorf("%s was created at %v", family, created(m))
				}
			}
		}
		_, body := get(t, promcollect.Handler(unborn{read}, promcollect.Config{}), openMetrics)
		for _, line := range lines(body, "crawler_") {
			if strings.Contains(line, "_created") {
				t.Error(line)
			}
		}
	})
}
