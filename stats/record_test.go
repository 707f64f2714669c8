package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"

	"github.com/crawlstats/crawlstats/kvstore"
)

// same compares snapshots to the last cell.
var same = cmp.AllowUnexported(Snapshot{}, Durations{}, histogram{}, sketch{})

func durationsOf(resolution int, all ...time.Duration) (d Durations) {
	for _, v := range all {
		d = d.merge(Durations{
			Count: 1, Sum: v, Min: v, Max: v,
			buckets: newHistogram(resolution, bucketOf(v, resolution), []int64{1}),
		})
	}
	return d
}

// sample is a snapshot with something in every field. The record of it in
// testdata is of the first release: it stays readable for ever, so neither may
// be changed.
func sample() Snapshot {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	ms := time.Millisecond
	a := Snapshot{
		Started: 12, Finished: 4, Failed: 2, Discarded: 3, Interrupted: 1, InFlight: 2,
		Retries: 2, Attempts: 11, Unmatched: 1, Late: 2, Overflow: 3, Dropped: 4,
		RetryHistogram:   []int64{4, 0, 1, 1},
		StatusCodes:      map[int]int64{0: 1, 200: 4, 503: 6},
		Discards:         map[DiscardReason]int64{DiscardRobots: 2, DiscardOther: 1},
		FinishedDuration: durationsOf(fine, 1*ms, 40*ms, 40*ms, 120*ms),
		FailedDuration:   durationsOf(fine, 150*ms, 3*time.Hour),
		TotalDuration:    durationsOf(fine, 0, 2*ms),
		QueueWait:        Durations{Count: 3, Sum: 6 * ms, Min: ms, Max: 3 * ms, Unbucketed: 3},
		Errors: []ErrorGroup{
			{Kind: "http", Message: "status 503 <busy> & \"quoted\"", Count: 1, FirstSeen: at, LastSeen: at.Add(time.Second), Examples: []string{"https://a.example/x?y=1", "https://b.example/"}},
		},
		RetryErrors:      []ErrorGroup{{Kind: "timeout", Message: "Zeitüberschreitung", Count: 4}},
		ErrorsOther:      1,
		RetryErrorsOther: 1,
		ErrorKinds:       map[string]int64{"http": 3, "timeout": 4},
		FailedKinds:      map[string]int64{"http": 2},
		Hosts: []HostStats{
			{Host: "a.example", Finished: 3, Failed: 1, Discarded: 2, Retries: 1, Errors: 4, Duration: durationsOf(coarse, ms, 2*ms, 3*ms, 400*ms)},
			{Host: "b.example", Finished: 1, Duration: durationsOf(coarse, 7*ms)},
		},
		HostsOther:     HostStats{Failed: 1, Errors: 3, Duration: durationsOf(coarse, time.Second)},
		Counters:       map[string]int64{"pages": 12, `seen{lang="de",kind="<x>"}`: 3, "zero": 0},
		Gauges:         map[string]float64{"queue": -12.25, "tiny": 5e-324},
		Timers:         map[string]Durations{"parse": durationsOf(medium, 3*ms, 4*ms), "unused": {}},
		Extensions:     map[string][]json.RawMessage{"cursor": {json.RawMessage(`{"page":7}`)}, "two": {json.RawMessage(`1`), json.RawMessage(`2`)}},
		StartedAt:      at.Add(-time.Hour),
		LastStartedAt:  at.Add(-time.Minute),
		FinishedAt:     at,
		PersistedAt:    at,
		Since:          at.Add(-time.Hour),
		Generation:     2,
		Runtime:        90*time.Second + 1,
		OldestInFlight: 5 * time.Second,
		Segments: []Segment{
			{Owner: "one-1", Host: "here", Version: "0.1.0", Start: at.Add(-time.Hour), End: at.Add(-time.Hour + time.Minute), Clean: true, Finished: 3},
			{Owner: "two-2", Host: "there", Version: "0.1.0", Start: at.Add(-time.Minute), End: at, Finished: 1, Failed: 2},
		},
		unknown: map[string]json.RawMessage{"aKeyOfTomorrow": json.RawMessage(`{"x":[1,2.50,"<"]}`)},
	}
	second := at.Truncate(time.Second)
	for i := range 5 {
		a.History.Seconds = append(a.History.Seconds, Point{
			At: second.Add(time.Duration(i+i/3*10) * time.Second), Finished: int64(i), Failed: 1, InFlight: 2,
			Status: [6]int64{0, 0, int64(i), 0, 1, 0}, P50: ms, P95: 2 * ms, P99: time.Duration(i) * ms,
		})
	}
	a.History.Hours = []Point{{At: at.Truncate(time.Hour), Discarded: 3, Retries: 4, Status: [6]int64{1, 2, 3, 4, 5, 6}}}
	var d distinct
	for i := range 200 {
		d.add(hash64(fmt.Sprint("https://a.example/", i)))
	}
	a.sketches = map[string]sketch{"urls": d.sketch().fold().fold().fold()}
	a.Uniques = estimates(a.sketches)
	a.unknown["aKeyOfTomorrow"], _ = json.Marshal(a.unknown["aKeyOfTomorrow"])
	return a
}

func TestSampleBalances(t *testing.T) {
	if err := sample().Balanced(); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotJSONIsLossless(t *testing.T) {
	full := sample()
	local := full
	local.StartedAt = full.StartedAt.In(time.FixedZone("", 3600))
	for name, want := range map[string]Snapshot{
		"full":      full,
		"zero":      {},
		"window":    Snapshot{Finished: 1}.Sub(full),
		"local":     local,
		"fleet":     full.Merge(full),
		"only one":  {Finished: 3},
		"no sketch": {Uniques: map[string]int64{"seen": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			got := Snapshot{Finished: 99} // is replaced
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("back from JSON (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSnapshotJSONStartsWithTheKeysOfCrawlee(t *testing.T) {
	raw, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	want := append(crawleeKeyOrder(), schemaKey)
	if diff := cmp.Diff(want, objectKeys(t, raw)[:len(want)]); diff != "" {
		t.Error(diff)
	}
}

// objectKeys returns the keys of a JSON object in their order.
func objectKeys(t *testing.T, object []byte) (keys []string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

func TestPartsHaveJSON(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		v    any
		want string
	}{
		{
			HostStats{Host: "a", Finished: 1, Duration: Durations{Count: 1, Sum: 5, Min: 5, Max: 5, Unbucketed: 1}},
			`{"host":"a","finished":1,"duration":{"count":1,"sumNanos":5,"minNanos":5,"maxNanos":5,"unbucketed":1}}`,
		},
		{
			ErrorGroup{Kind: "dns", Message: "m", Count: 2, FirstSeen: at},
			`{"kind":"dns","message":"m","count":2,"firstSeen":"2026-03-01T12:00:00Z"}`,
		},
		{
			Segment{Owner: "o", Start: at.UTC(), Clean: true},
			`{"owner":"o","host":"","version":"","start":"2026-03-01T12:00:00Z","clean":true,"finished":0,"failed":0}`,
		},
		{
			Point{At: at, Finished: 1, Status: [6]int64{0, 0, 1}, P50: 7},
			`{"at":"2026-03-01T12:00:00Z","finished":1,"failed":0,"discarded":0,"retries":0,"inFlight":0,"status":[0,0,1,0,0,0],"p50Nanos":7,"p95Nanos":0,"p99Nanos":0}`,
		},
		{durationsOf(coarse, 64, 64), `{"count":2,"sumNanos":128,"minNanos":64,"maxNanos":64,"resolution":2,"first":1,"buckets":"Ag"}`},
	} {
		raw, err := json.Marshal(c.v)
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != c.want {
			t.Errorf("%T\n got %s\nwant %s", c.v, raw, c.want)
		}
	}
	var (
		h HostStats
		g ErrorGroup
		s Segment
		p Point
	)
	full := sample()
	for _, c := range []struct{ in, out, want any }{
		{full.Hosts[0], &h, &full.Hosts[0]},
		{full.Errors[0], &g, &full.Errors[0]},
		{full.Segments[0], &s, &full.Segments[0]},
		{full.History.Seconds[3], &p, &full.History.Seconds[3]},
	} {
		raw, _ := json.Marshal(c.in)
		if err := json.Unmarshal(raw, c.out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, c.out, same); diff != "" {
			t.Error(diff)
		}
	}
}

// crowded is too large to stand in a record uncompressed.
func crowded() Snapshot {
	a := sample()
	for i := range 100 {
		a.Errors = append(a.Errors, ErrorGroup{Kind: "other", Message: fmt.Sprint("group of errors ", i, strings.Repeat(".", 100)), Count: 1})
	}
	a.Errors = sortGroups(a.Errors)
	return a
}

func TestRecordRoundTrip(t *testing.T) {
	h := header{epoch: 7, seq: 4211, owner: "9a0b-12_X", at: time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)}
	for _, c := range []struct {
		enc  string
		want Snapshot
	}{{plainJSON, sample()}, {packedJSON, crowded()}, {plainJSON, Snapshot{}}} {
		record, leftOut, err := encodeRecord(h, c.want)
		if err != nil || leftOut != nil {
			t.Fatal(leftOut, err)
		}
		gotHeader, got, err := decodeRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, same); diff != "" {
			t.Error(diff)
		}
		want := h
		want.schema, want.enc = schema, c.enc
		if gotHeader != want {
			t.Errorf("header %+v, want %+v", gotHeader, want)
		}
		line, _, _ := bytes.Cut(record, []byte("\n"))
		if want := "CSTAT1 schema=1 epoch=7 seq=4211 owner=9a0b-12_X enc=" + c.enc + " len="; !bytes.HasPrefix(line, []byte(want)) {
			t.Errorf("header %s", line)
		}
	}
}

func TestEncodeIsAnExport(t *testing.T) {
	a := sample()
	record, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := parseHeader(record)
	if err != nil || h.epoch != 0 || h.seq != 0 || h.owner != "" || !h.at.Equal(a.PersistedAt) {
		t.Errorf("header %+v, %v", h, err)
	}
	got, err := Decode(record)
	if diff := cmp.Diff(a, got, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	bare, _ := json.Marshal(a)
	got, err = Decode(append([]byte(" \n"), bare...))
	if diff := cmp.Diff(a, got, same); err != nil || diff != "" {
		t.Error("without a header:", err, diff)
	}
}

func TestOwnerIsOneWord(t *testing.T) {
	record, _, err := encodeRecord(header{owner: "a b\ncrc32c=ä" + strings.Repeat("x", 100)}, Snapshot{})
	if err != nil {
		t.Fatal(err)
	}
	if h, _, err := parseHeader(record); err != nil || !strings.HasPrefix(h.owner, "a_b_crc32c__") || len(h.owner) > maxOwner {
		t.Errorf("owner %q, %v", h.owner, err)
	}
}

// TestGoldenRecord reads the record of the first release. It never changes: a
// version that cannot read it needs a new schema, and a test for the old one.
func TestGoldenRecord(t *testing.T) {
	record, err := os.ReadFile("testdata/record-v1.cstat")
	if err != nil {
		t.Fatal(err)
	}
	h, got, err := decodeRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if h.schema != 1 || h.epoch != 7 || h.seq != 4211 || h.owner != "golden-1" || h.at.Year() != 2026 {
		t.Errorf("header %+v", h)
	}
}

// TestOneWrongBitIsSeen flips every bit of a record: nothing damaged is ever
// counted on.
func TestOneWrongBitIsSeen(t *testing.T) {
	record, _, err := encodeRecord(header{epoch: 1, seq: 2, owner: "o"}, Snapshot{Started: 3, Finished: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i := range record {
		for bit := range 8 {
			record[i] ^= 1 << bit
			_, _, err := decodeRecord(record)
			if !errors.Is(err, kvstore.ErrCorrupt) && !errors.Is(err, ErrNewerSchema) {
				t.Fatalf("bit %d of byte %d (%q): %v", bit, i, record[i], err)
			}
			record[i] ^= 1 << bit
		}
	}
	for n := range record {
		if _, _, err := decodeRecord(record[:n]); !errors.Is(err, kvstore.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, _, err := decodeRecord(append(record, '\n')); !errors.Is(err, kvstore.ErrCorrupt) {
		t.Fatal("one byte more:", err)
	}
}

// recordOf returns a record of any body, with other words in its header.
func recordOf(t *testing.T, body string, replace ...string) []byte {
	t.Helper()
	record, err := seal(header{}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	line, rest, _ := strings.Cut(string(record), "\n")
	front, back, _ := strings.Cut(strings.NewReplacer(replace...).Replace(line), " crc32c=")
	back = back[8:] + "\n"
	return []byte(fmt.Sprintf("%s crc32c=%08x%s%s", front, checksum([]byte(front), []byte(back), []byte(rest)), back, rest))
}

func TestRecordOfAnotherVersion(t *testing.T) {
	a, _ := Snapshot{Finished: 3}.MarshalJSON()
	body := string(a)
	for name, c := range map[string]struct {
		record []byte
		want   error
	}{
		"this":          {recordOf(t, body), nil},
		"newer minor":   {recordOf(t, strings.Replace(body, "{", `{"later":{"a":1},`, 1), " at=", " at=", "Z", "Z zone=4"), nil},
		"newer schema":  {recordOf(t, body, "schema=1", "schema=2"), ErrNewerSchema},
		"newest schema": {recordOf(t, body, "schema=1", "schema=99999999999999999999"), ErrNewerSchema},
		"newer layout":  {[]byte("CSTAT2 all=new\n"), ErrNewerSchema},
		"newer packing": {recordOf(t, body, "enc=json", "enc=cbor"), ErrNewerSchema},
		"newer body":    {recordOf(t, strings.Replace(body, `"crawlstatsSchema":1`, `"crawlstatsSchema":2`, 1)), ErrNewerSchema},
		"newer export":  {[]byte(`{"crawlstatsSchema":2}`), ErrNewerSchema},
		"schema 0":      {recordOf(t, body, "schema=1", "schema=0"), kvstore.ErrCorrupt},
		"no schema":     {recordOf(t, body, " schema=1", ""), kvstore.ErrCorrupt},
		"wrong epoch":   {recordOf(t, body, "epoch=0", "epoch=18446744073709551616"), kvstore.ErrCorrupt},
		"wrong time":    {recordOf(t, body, "at=0001", "at=soon"), kvstore.ErrCorrupt},
		"wrong body":    {recordOf(t, "{"), kvstore.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Decode(c.record)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if c.want == nil && a.Finished != 3 {
				t.Errorf("finished %d", a.Finished)
			}
			if c.want == ErrNewerSchema && !strings.Contains(err.Error(), "update the program") {
				t.Errorf("%v: does not say what to do", err)
			}
		})
	}
}

func TestUnknownKeysAreCarriedThrough(t *testing.T) {
	a, err := Decode([]byte(`{"crawlstatsSchema":1, "requestsFinished":3, "of tomorrow<": {"b" : 1.50, "a":[ null ]}}`))
	if err != nil {
		t.Fatal(err)
	}
	a = a.Merge(Snapshot{Finished: 1}) // a restart
	raw, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if want := `"of tomorrow\u003c":{"b":1.50,"a":[null]}}`; !bytes.HasSuffix(raw, []byte(want)) {
		t.Errorf("%s\ndoes not end in %s", raw, want)
	}
}

func TestTooLarge(t *testing.T) {
	noise := make([]byte, maxRecord)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	if _, err := seal(header{}, noise); !errors.Is(err, ErrTooLarge) {
		t.Error("sealing:", err)
	}
	if _, err := Decode(noise[:1]); !errors.Is(err, kvstore.ErrCorrupt) {
		t.Error(err)
	}
	if _, err := Decode(append([]byte("CSTAT1"), noise...)); !errors.Is(err, ErrTooLarge) {
		t.Error("decoding:", err)
	}
	bomb := s2.Encode(nil, make([]byte, maxBody+1))
	record := recordOf(t, string(bomb), "enc=json ", "enc=json+s2 ")
	if _, err := Decode(record); !errors.Is(err, kvstore.ErrCorrupt) || !strings.Contains(err.Error(), "at most") {
		t.Error("a bomb:", err)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"null":                 `null`,
		"array":                `[]`,
		"text":                 `"x"`,
		"cut off":              `{"requestsFinished":3`,
		"two":                  `{}{}`,
		"schema of text":       `{"crawlstatsSchema":"1"}`,
		"schema 0":             `{"crawlstatsSchema":0}`,
		"schema null":          `{"crawlstatsSchema":null}`,
		"negative count":       `{"crawlstatsSchema":1,"requestsFinished":-1}`,
		"too large a count":    `{"crawlstatsSchema":1,"attempts":9223372036854775808}`,
		"half a request":       `{"crawlstatsSchema":1,"requestsStarted":1.5}`,
		"negative in map":      `{"crawlstatsSchema":1,"errorKinds":{"dns":-1}}`,
		"negative code count":  `{"crawlstatsSchema":1,"requestsWithStatusCode":{"200":-1}}`,
		"code out of range":    `{"crawlstatsSchema":1,"requestsWithStatusCode":{"1000":1}}`,
		"code of text":         `{"crawlstatsSchema":1,"requestsWithStatusCode":{"x":1}}`,
		"too many retries":     `{"crawlstatsSchema":1,"requestRetryHistogram":[` + strings.Repeat("0,", 65) + `1]}`,
		"negative counter":     `{"crawlstatsSchema":1,"counters":{"a":-1}}`,
		"gauge of text":        `{"crawlstatsSchema":1,"gauges":{"a":"NaN"}}`,
		"gauge out of range":   `{"crawlstatsSchema":1,"gauges":{"a":1e999}}`,
		"negative runtime":     `{"crawlstatsSchema":1,"runtimeNanos":-1}`,
		"time of text":         `{"crawlstatsSchema":1,"since":"yesterday"}`,
		"year 10000":           `{"crawlstatsSchema":1,"since":"9999-12-31T23:59:59-01:00"}`,
		"base64":               `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":6,"buckets":"?"}}`,
		"half a number":        `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":6,"buckets":"gA"}}`,
		"zeros without end":    `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":6,"buckets":"AP///////////wE"}}`,
		"resolution 7":         `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":7,"buckets":"AQ"}}`,
		"resolution 0":         `{"crawlstatsSchema":1,"queueWait":{"count":1,"buckets":"AQ"}}`,
		"first bucket":         `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":2,"first":144,"buckets":"AQ"}}`,
		"last bucket":          `{"crawlstatsSchema":1,"queueWait":{"count":2,"resolution":2,"first":143,"buckets":"AQE"}}`,
		"negative bucket":      `{"crawlstatsSchema":1,"queueWait":{"count":2,"resolution":2,"buckets":"////////////AQ"}}`,
		"more in buckets":      `{"crawlstatsSchema":1,"queueWait":{"count":1,"resolution":2,"buckets":"Ag"}}`,
		"more beside buckets":  `{"crawlstatsSchema":1,"queueWait":{"count":1,"unbucketed":2}}`,
		"min above max":        `{"crawlstatsSchema":1,"queueWait":{"count":1,"minNanos":2,"maxNanos":1}}`,
		"sum of nothing":       `{"crawlstatsSchema":1,"queueWait":{"sumNanos":2}}`,
		"timer":                `{"crawlstatsSchema":1,"timers":{"a":{"count":-1}}}`,
		"host":                 `{"crawlstatsSchema":1,"hosts":[{"host":"a","failed":-1}]}`,
		"host duration":        `{"crawlstatsSchema":1,"hostsOther":{"duration":{"count":-1}}}`,
		"group":                `{"crawlstatsSchema":1,"errorGroups":[{"count":-1}]}`,
		"group year":           `{"crawlstatsSchema":1,"errorGroups":[{"firstSeen":"9999-12-31T23:59:59-01:00"}]}`,
		"sketch size":          `{"crawlstatsSchema":1,"uniques":{"a":{"size":8192,"registers":"AP8/"}}}`,
		"sketch of 100":        `{"crawlstatsSchema":1,"uniques":{"a":{"size":100,"registers":"AGM"}}}`,
		"sketch too short":     `{"crawlstatsSchema":1,"uniques":{"a":{"size":16,"registers":"AA4"}}}`,
		"sketch too long":      `{"crawlstatsSchema":1,"uniques":{"a":{"size":16,"registers":"ABA"}}}`,
		"register":             `{"crawlstatsSchema":1,"uniques":{"a":{"size":16,"registers":"PgAO"}}}`,
		"negative estimate":    `{"crawlstatsSchema":1,"uniques":{"a":{"estimate":-1}}}`,
		"segments uneven":      `{"crawlstatsSchema":1,"segments":{"owner":["a"],"host":[]}}`,
		"negative in segment":  `{"crawlstatsSchema":1,"segments":{"owner":["a"],"host":[""],"version":[""],"start":[null],"end":[null],"clean":[true],"finished":[-1],"failed":[0]}}`,
		"too many points":      `{"crawlstatsSchema":1,"history":{"1h":{"first":"2026-01-01T00:00:00Z","points":169}}}`,
		"negative points":      `{"crawlstatsSchema":1,"history":{"1h":{"first":"2026-01-01T00:00:00Z","points":-1}}}`,
		"short column":         `{"crawlstatsSchema":1,"history":{"1h":{"first":"2026-01-01T00:00:00Z","points":2,"columns":{"failed":"AQ"}}}}`,
		"points out of order":  `{"crawlstatsSchema":1,"history":{"1s":{"first":"2026-01-01T00:00:00Z","points":2,"columns":{"lateNanos":"AACAoPTIxPT///8B"}}}}`,
		"points after 9999":    `{"crawlstatsSchema":1,"history":{"1h":{"first":"9999-12-31T23:59:59Z","points":2}}}`,
		"extension of no list": `{"crawlstatsSchema":1,"extensions":{"a":1}}`,
		"crawlee: text":        `{"requestsFinished":"plenty"}`,
		"crawlee: negative":    `{"requestsFailed":-1}`,
		"crawlee: half":        `{"requestsFinished":1.5}`,
		"crawlee: too large":   `{"requestsFinished":1e19}`,
		"crawlee: histogram":   `{"requestRetryHistogram":{"0":1}}`,
		"crawlee: in it":       `{"requestsFinished":1,"requestRetryHistogram":[-1]}`,
		"crawlee: codes":       `{"requestsWithStatusCode":[]}`,
		"crawlee: time":        `{"crawlerStartedAt":"noon"}`,
		"crawlee: far time":    `{"crawlerStartedAt":9e18}`,
		"crawlee: duration":    `{"crawlerRuntimeMillis":"1 minute"}`,
		"crawlee: P":           `{"crawlerRuntimeMillis":"P99999999999999D"}`,
		"crawlee: long":        `{"requestTotalFinishedDurationMillis":1e300}`,
		"crawlee: errors":      `{"errors":7}`,
		"crawlee: error count": `{"errors":{"a":{"count":-2}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := Decode([]byte(body)); !errors.Is(err, kvstore.ErrCorrupt) {
				t.Errorf("error %v, and %+v", err, a)
			}
		})
	}
}

// TestNothingUnreadableIsWritten: a record that the next start refuses would be
// the worse way to learn of a wrong count.
func TestNothingUnreadableIsWritten(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, a := range map[string]Snapshot{
		"negative":  {Finished: -1},
		"year":      {StartedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"disorder":  {History: History{Hours: []Point{{At: at}, {At: at}}}},
		"points":    {History: History{Hours: make([]Point, 169)}},
		"segments":  {Segments: make([]Segment, 33)},
		"retries":   {RetryHistogram: make([]int64, 66)},
		"extension": {Extensions: map[string][]json.RawMessage{"a": {json.RawMessage("{")}}},
	} {
		if raw, err := a.MarshalJSON(); err == nil {
			t.Errorf("%s: %s", name, raw)
		}
		if record, err := a.Encode(); err == nil {
			t.Errorf("%s: %s", name, record)
		}
	}
}

func TestNoInfinityInJSON(t *testing.T) {
	inf := math.Inf(1)
	a := Snapshot{Finished: 1, Gauges: map[string]float64{"inf": inf, "nan": inf - inf, "two": 2}}
	raw, err := a.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var got Snapshot
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"inf": 1.7976931348623157e308, "nan": 0, "two": 2}
	if diff := cmp.Diff(want, got.Gauges); diff != "" {
		t.Error(diff)
	}
}
