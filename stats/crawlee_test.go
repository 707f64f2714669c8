package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
)

func crawleeKeyOrder() []string {
	return []string{
		"requestsFinished", "requestsFailed", "requestsRetries", "requestsFailedPerMinute", "requestsFinishedPerMinute",
		"requestMinDurationMillis", "requestMaxDurationMillis", "requestTotalFailedDurationMillis",
		"requestTotalFinishedDurationMillis", "crawlerStartedAt", "crawlerFinishedAt", "statsPersistedAt",
		"crawlerRuntimeMillis", "crawlerLastStartTimestamp", "requestRetryHistogram", "statsId",
		"requestAvgFailedDurationMillis", "requestAvgFinishedDurationMillis", "requestTotalDurationMillis",
		"requestsTotal", "requestsWithStatusCode", "errors", "retryErrors",
	}
}

func decodeFile(t *testing.T, name string) Snapshot {
	t.Helper()
	raw, err := os.ReadFile("testdata/crawlee/" + name)
	if err != nil {
		t.Fatal(err)
	}
	h, a, err := decodeRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	if h != (header{}) {
		t.Errorf("header %+v of a record that has none: it is of schema 0", h)
	}
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
	return a
}

var t0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// fromCrawlee is what the fixtures have in common.
func fromCrawlee() Snapshot {
	ms := time.Millisecond
	return Snapshot{
		Started: 4, Finished: 3, Failed: 1, Retries: 2, Attempts: 8,
		RetryHistogram:   []int64{2, 1, 0, 1},
		StatusCodes:      map[int]int64{200: 2, 301: 1, 503: 4},
		FinishedDuration: Durations{Count: 3, Sum: 161 * ms, Min: 1 * ms, Max: 120 * ms, Unbucketed: 3},
		FailedDuration:   Durations{Count: 1, Sum: 300 * ms, Min: 300 * ms, Max: 300 * ms, Unbucketed: 1},
		FailedKinds:      map[string]int64{"other": 1},
		ErrorKinds:       map[string]int64{"other": 5},
		StartedAt:        t0, Since: t0, LastStartedAt: t0,
	}
}

func TestRecordOfJavaScript(t *testing.T) {
	want := fromCrawlee()
	want.Errors = []ErrorGroup{{Kind: "other", Message: "main.js:20:5: E_PARSE: Error: Expected price got _", Count: 1}}
	want.RetryErrors = []ErrorGroup{{Kind: "other", Message: "main.js:10:3: TimeoutError: Navigation timed out after 60 seconds.", Count: 1}}
	want.RetryErrorsOther = 3
	want.PersistedAt, want.Runtime = t0.Add(time.Minute), time.Minute
	if diff := cmp.Diff(want, decodeFile(t, "js-3.18.1-midrun.json"), same); diff != "" {
		t.Error("midrun:", diff)
	}
	want.PersistedAt, want.Runtime = t0.Add(90*time.Second), 90*time.Second
	want.FinishedAt = want.PersistedAt
	if diff := cmp.Diff(want, decodeFile(t, "js-3.18.1-final.json"), same); diff != "" {
		t.Error("final:", diff)
	}
}

func TestRecordOfPython(t *testing.T) {
	want := fromCrawlee()
	want.ErrorsOther, want.RetryErrorsOther = 1, 4
	want.PersistedAt, want.FinishedAt, want.Runtime = t0.Add(90*time.Second), t0.Add(90*time.Second), 90*time.Second
	if diff := cmp.Diff(want, decodeFile(t, "py-1.9.2-final.json"), same); diff != "" {
		t.Error("final:", diff)
	}
	empty := Snapshot{StartedAt: t0, Since: t0, LastStartedAt: t0, PersistedAt: t0}
	if diff := cmp.Diff(empty, decodeFile(t, "py-1.9.2-empty.json"), same); diff != "" {
		t.Error("empty:", diff)
	}
}

// TestDialects reads what the five dialects write differently.
func TestDialects(t *testing.T) {
	for name, c := range map[string]struct {
		record  string
		runtime time.Duration
	}{
		"Python 0.0.7 to 1.0.3": {`{"statsId":0,"crawlerRuntimeMillis":0.0,"crawlerLastStartTimestamp":"2024-01-01T00:00:00Z","statsPersistedAt":"2024-01-01T00:01:00.5Z"}`, 60500 * time.Millisecond},
		"Python 1.0.4":          {`{"statsId":0,"crawlerRuntimeMillis":1000.0,"crawlerLastStartTimestamp":"2024-01-01T01:00:00+01:00","statsPersistedAt":"2024-01-01T00:01:00"}`, time.Minute},
		"Python 1.1.0":          {`{"statsId":0,"crawlerRuntimeMillis":"P1DT1H1M1.5S","crawlerLastStartTimestamp":"2024-01-01T00:00:00Z","statsPersistedAt":"2024-01-01T00:01:00Z"}`, 25*time.Hour + time.Minute + 1500*time.Millisecond},
		"a year of Python":      {`{"crawlerRuntimeMillis":"P1Y2W3D"}`, (365 + 14 + 3) * 24 * time.Hour},
		"JavaScript 3":          {`{"statsId":"0","crawlerRuntimeMillis":60000,"crawlerLastStartTimestamp":1704067200000,"statsPersistedAt":"2024-01-01T00:01:00.000Z"}`, time.Minute},
		"JavaScript 4":          {`{"statsId":"shop","crawlerRuntimeMillis":60000,"crawlerLastStartTimestamp":1704067200000.0,"statsPersistedAt":"2024-01-01T00:01:00.000Z"}`, time.Minute},
		"a clock set back":      {`{"crawlerRuntimeMillis":-5,"crawlerLastStartTimestamp":1704067260000,"statsPersistedAt":"2024-01-01T00:00:00.000Z"}`, 0},
		"a negative duration":   {`{"crawlerRuntimeMillis":"-PT5S"}`, 0},
		"nothing known":         {`{"crawlerRuntimeMillis":null,"crawlerLastStartTimestamp":null,"statsPersistedAt":null}`, 0},
	} {
		a, err := Decode([]byte(c.record))
		if err != nil || a.Runtime != c.runtime || a.unknown != nil {
			t.Errorf("%s: runtime %v, want %v; unknown %v, error %v", name, a.Runtime, c.runtime, a.unknown, err)
		}
	}
}

func TestMissingAndUnknownKeys(t *testing.T) {
	got, err := Decode([]byte(`{"requestsFinished":3,"extra":9}`))
	want := Snapshot{
		Started: 3, Finished: 3, Attempts: 3, RetryHistogram: []int64{3},
		FinishedDuration: Durations{Count: 3, Unbucketed: 3},
		unknown:          map[string]json.RawMessage{"extra": json.RawMessage("9")},
	}
	if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if a, err := Decode([]byte("{}")); err != nil || !cmp.Equal(a, Snapshot{}, same) {
		t.Error("an empty object:", a, err)
	}
}

func TestNoRecordAtAll(t *testing.T) {
	for _, record := range []string{"", " ", "null", "[]", `{"requestsFinished":3,`, `{"name":"x","version":1}`, "0", "\x00"} {
		if _, err := Decode([]byte(record)); !errors.Is(err, kvstore.ErrCorrupt) {
			t.Errorf("%q: %v", record, err)
		}
	}
}

// TestCrawleeHistogram: the histogram is made to hold exactly the requests that
// ended.
func TestCrawleeHistogram(t *testing.T) {
	for histogram, want := range map[string]struct {
		retries  []int64
		attempts int64
	}{
		`[2,1,null,1]`:            {[]int64{2, 1, 0, 1}, 8},
		`[2,1,null,1,2,1,null,1]`: {[]int64{2, 1, 0, 1}, 8}, // a JavaScript crawl that went on
		`[1]`:                     {[]int64{4}, 4},
		`[0]`:                     {[]int64{4}, 4},
		`[]`:                      {[]int64{4}, 4},
		`[null,1.0]`:              {[]int64{3, 1}, 5},
		`[9223372036854775807,1]`: {[]int64{4}, 4},
	} {
		a, err := Decode(fmt.Appendf(nil, `{"requestsFinished":3,"requestsFailed":1,"requestRetryHistogram":%s}`, histogram))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.retries, a.RetryHistogram); diff != "" || a.Attempts != want.attempts {
			t.Errorf("%s: %v, %d attempts", histogram, a.RetryHistogram, a.Attempts)
		}
		if err := a.Balanced(); err != nil {
			t.Error(err)
		}
	}
}

func TestDenseHistogramInRecords(t *testing.T) {
	a, err := Decode([]byte(`{"requestsFailed":1,"requestRetryHistogram":[null,null,null,1]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{0, 0, 0, 1}, a.RetryHistogram); diff != "" {
		t.Error(diff)
	}
	record, err := a.Encode()
	if err != nil || !strings.Contains(string(record), `"requestRetryHistogram":[0,0,0,1],`) {
		t.Errorf("%s, %v", record, err)
	}
}

func TestHundredThousandRetriesOfCrawlee(t *testing.T) {
	a, err := Decode([]byte(`{"requestsFinished":1,"requestRetryHistogram":[` + strings.Repeat("null,", 100_000) + `1]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.RetryHistogram) != 65 || a.RetryHistogram[64] != 1 || a.Attempts != 100_001 {
		t.Errorf("histogram %v, %d attempts", a.RetryHistogram, a.Attempts)
	}
	record, err := a.Encode()
	if err != nil || len(record) >= 16<<10 {
		t.Errorf("%d bytes, %v", len(record), err)
	}
}

// TestC19_NothingIsRounded: 1,000 requests of 0.4 ms, saved after each 100.
func TestNothingIsRounded(t *testing.T) {
	var a Snapshot
	for range 10 {
		d := durationsOf(fine, 400*time.Microsecond)
		for range 99 {
			d = d.merge(durationsOf(fine, 400*time.Microsecond))
		}
		a = a.Merge(Snapshot{Started: 100, Finished: 100, RetryHistogram: []int64{100}, FinishedDuration: d})
		record, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if a, err = Decode(record); err != nil {
			t.Fatal(err)
		}
	}
	if a.FinishedDuration.Sum != 400*time.Millisecond || a.Balanced() != nil {
		t.Errorf("%v in all, %v", a.FinishedDuration.Sum, a.Balanced())
	}
	record, err := a.EncodeCrawlee()
	if err != nil || !strings.Contains(string(record), `"requestTotalFinishedDurationMillis":400,`) {
		t.Errorf("%s, %v", record, err)
	}
}

// TestCrawleeDurations: bounds that are missing or wrong lie between what is
// known.
func TestCrawleeDurations(t *testing.T) {
	ms := time.Millisecond
	for record, want := range map[string]Durations{
		`"requestMinDurationMillis":null,"requestMaxDurationMillis":null`: {Min: 20 * ms, Max: 20 * ms}, // JavaScript after a resume
		`"requestMinDurationMillis":5.5,"requestMaxDurationMillis":0.0`:   {Min: 5500 * time.Microsecond, Max: 20 * ms},
		`"requestMinDurationMillis":-500,"requestMaxDurationMillis":80`:   {Min: 20 * ms, Max: 80 * ms}, // a clock set back
		`"requestMinDurationMillis":0,"requestMaxDurationMillis":80`:      {Min: 0, Max: 80 * ms},
		`"requestMinDurationMillis":90,"requestMaxDurationMillis":80`:     {Min: 90 * ms, Max: 90 * ms},
		`"requestMinDurationMillis":"PT0.01S"`:                            {Min: 10 * ms, Max: 20 * ms},
	} {
		a, err := Decode([]byte(`{"requestsFinished":2,"requestTotalFinishedDurationMillis":40,` + record + `}`))
		want.Count, want.Unbucketed, want.Sum = 2, 2, 40*ms
		if diff := cmp.Diff(want, a.FinishedDuration, same); err != nil || diff != "" {
			t.Errorf("%s: %v %s", record, err, diff)
		}
	}
	a, err := Decode([]byte(`{"requestsFinished":2,"requestTotalFinishedDurationMillis":-250}`))
	if err != nil || a.FinishedDuration.Sum != 0 {
		t.Errorf("a negative sum: %+v, %v", a.FinishedDuration, err)
	}
}

func TestCrawleeStatusCodes(t *testing.T) {
	a, err := Decode([]byte(`{"requestsWithStatusCode":{"200":2,"404":1.0,"undefined":3,"1000":4,"0":5,"-1":6,"500":null}}`))
	want := map[int]int64{0: 18, 200: 2, 404: 1, 500: 0}
	if diff := cmp.Diff(want, a.StatusCodes); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCrawleeErrorTrees(t *testing.T) {
	a, err := Decode([]byte(`{"requestsFailed":10,"errors":{
		"missing stack trace":{"missing error code":{"Error":{
			"a\u001b[31m b":{"count":3,"firstErrorHtmlUrl":"https://x.example/"},
			"count":{"count":2},
			"` + strings.Repeat("long ", 100) + `":{"count":100}}}},
		"Error":{"a":{"count":1}},
		"count":7}}`))
	if err != nil {
		t.Fatal(err)
	}
	long := "Error: " + strings.Repeat("long ", 100)
	want := []ErrorGroup{{Kind: "other", Message: cleanText(long, 300), Count: 10}}
	if diff := cmp.Diff(want, a.Errors); diff != "" || a.ErrorsOther != 0 {
		t.Error("the most frequent first:", diff, a.ErrorsOther)
	}
	a, err = Decode([]byte(`{"requestsFailed":10,"errors":{"x":{"Error":{"a\u001b[31m b":{"count":3},"count":{"count":2}}},"":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	want = []ErrorGroup{{Kind: "other", Message: `x: Error: a\x1b[31m b`, Count: 3}, {Kind: "other", Message: "x: Error: count", Count: 2}}
	if diff := cmp.Diff(want, a.Errors); diff != "" || a.ErrorsOther != 5 {
		t.Error(diff, a.ErrorsOther)
	}
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	if a, err := Decode([]byte(`{"requestsFailed":1,"errors":` + deep + `}`)); err != nil || a.ErrorsOther != 1 {
		t.Error("deep:", err, a.ErrorsOther)
	}
}

// TestCrawleeKeysOfOurNames: what would be hidden behind a key of ours in the
// next record is not carried through.
func TestCrawleeKeysOfOurNames(t *testing.T) {
	a, err := Decode([]byte(`{"hosts":"many","browserRequestHandlerRuns":7}`))
	want := map[string]json.RawMessage{"browserRequestHandlerRuns": json.RawMessage("7")}
	if diff := cmp.Diff(want, a.unknown); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCrawleeKeys(t *testing.T) {
	want := []string{"SDK_CRAWLER_STATISTICS_my=20shop", "__CRAWLER_STATISTICS_my=20shop", "CRAWLEE_CRAWLER_STATISTICS_my=20shop"}
	if diff := cmp.Diff(want, crawleeKeys("my shop")); diff != "" {
		t.Error(diff)
	}
}

// TestC46_RecordForCrawlee compares with a record that the real class (Statistics
// of @crawlee/core 3.18.1) has loaded, and calculated the same from as from its
// own.
func TestRecordForCrawlee(t *testing.T) {
	a := decodeFile(t, "js-3.18.1-midrun.json")
	got, err := a.EncodeCrawlee()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(crawleeKeyOrder(), objectKeys(t, got)); diff != "" {
		t.Error("keys:", diff)
	}
	want, err := os.ReadFile("testdata/crawlee/ours-for-js.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Error(diff)
	}

	back, err := Decode(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, back, same); diff != "" {
		t.Error("back again:", diff)
	}
}

func TestRecordForCrawleeOfNothing(t *testing.T) {
	got, err := Snapshot{}.EncodeCrawlee()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"requestsFinished":0,"requestsFailed":0,"requestsRetries":0,"requestsFailedPerMinute":0,"requestsFinishedPerMinute":0,` +
		`"requestMinDurationMillis":null,"requestMaxDurationMillis":0,"requestTotalFailedDurationMillis":0,` +
		`"requestTotalFinishedDurationMillis":0,"crawlerStartedAt":null,"crawlerFinishedAt":null,"statsPersistedAt":"1970-01-01T00:00:00Z",` +
		`"crawlerRuntimeMillis":0,"crawlerLastStartTimestamp":0,"requestRetryHistogram":[],"statsId":"0",` +
		`"requestAvgFailedDurationMillis":null,"requestAvgFinishedDurationMillis":null,"requestTotalDurationMillis":0,` +
		`"requestsTotal":0,"requestsWithStatusCode":{},"errors":{},"retryErrors":{}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
