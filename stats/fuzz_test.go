package stats

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seeds are bodies and records of every kind there is.
func seeds(f *testing.F) (all [][]byte) {
	files, err := filepath.Glob("testdata/crawlee/*.json")
	if err != nil || len(files) < 4 {
		f.Fatal(files, err)
	}
	for _, file := range append(files, "testdata/record-v1.cstat") {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, raw)
	}
	for _, a := range []Snapshot{sample(), crowded(), sample().Sub(Snapshot{Finished: 1}), {}} {
		body, err := a.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		record, err := a.Encode()
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, body, record)
	}
	return append(all, []byte(`{"requestsFinished":3,"extra":9}`), []byte("null"), []byte("CSTAT1 schema=1 "), nil)
}

// checkRoundTrips fails when a snapshot that was read is not read again alike.
func checkRoundTrips(t *testing.T, a Snapshot) {
	t.Helper()
	body, err := a.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var b Snapshot
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if diff := cmp.Diff(a, b, same); diff != "" {
		t.Fatalf("through JSON: %s", diff)
	}
	record, leftOut, err := encodeRecord(header{}, a)
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := decodeRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	if a.Balanced() == nil && c.Balanced() != nil {
		t.Fatal(c.Balanced())
	}
	if _, sizes, _ := a.marshal(); sizes.fit() && (leftOut != nil || !cmp.Equal(a, c, same)) {
		t.Fatalf("as a record: %s", cmp.Diff(a, c, same))
	}
	_, sizes, err := c.marshal()
	if err != nil || !sizes.fit() {
		t.Fatalf("%v of %v: %v", sizes, budget, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := Decode(data); err == nil {
			checkRoundTrips(t, a)
		}
		// The same as the body of a record that is whole.
		record, err := seal(header{}, data)
		if err != nil {
			return
		}
		if a, err := Decode(record); err == nil {
			checkRoundTrips(t, a)
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, body, err := parseHeader(data)
		if err != nil {
			return
		}
		if h.enc != plainJSON || h.schema != schema {
			return
		}
		again, err := seal(h, body)
		if err != nil {
			t.Fatal(err)
		}
		h2, _, err := parseHeader(again)
		if err != nil {
			t.Fatal(err)
		}
		h2.enc = h.enc // a long body is compressed
		if diff := cmp.Diff(h, h2, cmp.AllowUnexported(header{})); diff != "" && len(h.owner) <= maxOwner {
			t.Error(diff)
		}
	})
}

func FuzzCrawlee(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil || members[schemaKey] != nil {
			return
		}
		a, err := Decode(data)
		if err != nil {
			return
		}
		if err := a.Balanced(); err != nil {
			t.Fatal(err)
		}
		checkRoundTrips(t, a)
		record, err := a.EncodeCrawlee()
		if err != nil {
			t.Fatal(err)
		}
		b, err := Decode(record)
		if err != nil {
			t.Fatalf("%v in %s", err, record)
		}
		if a.Finished != b.Finished || a.Failed != b.Failed || a.Retries != b.Retries || !cmp.Equal(a.RetryHistogram, b.RetryHistogram) ||
			!cmp.Equal(a.StatusCodes, b.StatusCodes) || !cmp.Equal(a.StartedAt, b.StartedAt) {
			t.Error(cmp.Diff(a, b, same))
		}
	})
}

// summable reports whether no sum with a saturates: what does cannot be undone.
func summable(a Snapshot) bool {
	const most = math.MaxInt64 / 8
	for _, f := range a.fields() {
		switch v := f.read.(type) {
		case *int64:
			if *v > most {
				return false
			}
		case *map[string]int64:
			for _, n := range *v {
				if n > most {
					return false
				}
			}
		}
	}
	return true
}

// FuzzMerge checks the laws of Merge on whatever can be read. Gauges stay out of
// it: the sum of fractions depends on the order in its last bit.
func FuzzMerge(f *testing.F) {
	all := seeds(f)
	for i, seed := range all {
		f.Add(seed, all[(i+1)%len(all)], all[(i+2)%len(all)])
	}
	f.Fuzz(func(t *testing.T, x, y, z []byte) {
		var s [3]Snapshot
		for i, data := range [][]byte{x, y, z} {
			a, err := Decode(data)
			if err != nil || a.window {
				return
			}
			s[i] = a.Merge(Snapshot{}) // lists that were read may be in any order
			s[i].Gauges = nil
		}
		a, b, c := s[0], s[1], s[2]
		for _, law := range []struct {
			name        string
			left, right Snapshot
		}{
			{"identity", a.Merge(Snapshot{}), a},
			{"identity from the left", Snapshot{}.Merge(a), a},
			{"commutative", a.Merge(b), b.Merge(a)},
			{"associative", a.Merge(b).Merge(c), a.Merge(b.Merge(c))},
		} {
			if diff := cmp.Diff(law.left, law.right, same); diff != "" {
				t.Errorf("%s: %s", law.name, diff)
			}
		}
		if !summable(a) || !summable(b) {
			return
		}
		if a.Balanced() == nil && b.Balanced() == nil {
			if err := a.Merge(b).Balanced(); err != nil {
				t.Error(err)
			}
		}
		w := a.Merge(b).Sub(b)
		for what, pair := range map[string][2]int64{
			"started": {w.Started, a.Started}, "finished": {w.Finished, a.Finished}, "failed": {w.Failed, a.Failed},
			"attempts": {w.Attempts, a.Attempts}, "retries": {w.Retries, a.Retries}, "errors": {w.ErrorsOther, a.ErrorsOther},
			"durations": {w.FinishedDuration.Count, a.FinishedDuration.Count},
		} {
			if pair[0] != pair[1] {
				t.Errorf("Sub does not undo Merge: %d %s, want %d", pair[0], what, pair[1])
			}
		}
		if !cmp.Equal(w.RetryHistogram, a.RetryHistogram) {
			t.Errorf("Sub does not undo Merge: %v, want %v", w.RetryHistogram, a.RetryHistogram)
		}
	})
}

func FuzzHistory(f *testing.F) {
	for _, a := range []Snapshot{sample(), usual(), {}} {
		raw, err := json.Marshal(a.History)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var h History
		if json.Unmarshal(data, &h) != nil {
			return
		}
		raw, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var back History
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if diff := cmp.Diff(h, back); diff != "" {
			t.Fatal(diff)
		}
		for _, r := range rings {
			points := *r.points(&h)
			if len(points) > r.length {
				t.Errorf("%d points", len(points))
			}
			for i := 1; i < len(points); i++ {
				if !points[i].At.After(points[i-1].At) {
					t.Errorf("point %d is out of order", i)
				}
			}
		}
		if diff := cmp.Diff(h, h.merge(History{})); diff != "" {
			t.Error("merged with nothing:", diff)
		}
	})
}

// FuzzPack: whatever is unpacked packs again to numbers that are equal.
func FuzzPack(f *testing.F) {
	for _, numbers := range [][]int64{nil, {0}, {1, 0, 0, 5}, {math.MaxInt64, -1}, make([]int64, 300)} {
		f.Add(pack(numbers))
	}
	f.Fuzz(func(t *testing.T, text string) {
		numbers, err := unpack(text, 4096)
		if err != nil {
			return
		}
		if len(numbers) > 4096 {
			t.Fatalf("%d numbers", len(numbers))
		}
		again, err := unpack(pack(numbers), 4096)
		if err != nil || !cmp.Equal(numbers, again) {
			t.Errorf("%v, %v, %v", numbers, again, err)
		}
	})
}

// TestDecodeAllocatesLittle: short texts that stand for many zeros make the
// decoder allocate no more than histograms of that many buckets take.
func TestDecodeAllocatesLittle(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"crawlstatsSchema":1,"timers":{`)
	zeros := pack(append(make([]int64, 1000), 1))
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"`)
		b.WriteString(time.Duration(i).String())
		b.WriteString(`":{"count":1,"resolution":5,"buckets":"` + zeros + `"}`)
	}
	b.WriteString(`}}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(500*b.Len()); got > most {
		t.Errorf("%d bytes allocated for a record of %d", got, b.Len())
	}
}
