package stats

import "testing"

// benchRecords are a record of a few kilobytes, one of a busy crawl, one as
// large as they get, and one that must be cut at every save.
func benchRecords(b *testing.B, run func(b *testing.B, a Snapshot)) {
	all := worst()
	_, sizes, err := all.marshal()
	if err != nil {
		b.Fatal(err)
	}
	large, _ := all.fit(sizes)
	cut := usual()
	cut.Hosts, cut.Errors, cut.RetryErrors = all.Hosts[:defaultHosts], all.Errors[:defaultGroups], all.RetryErrors[:defaultGroups]
	for _, c := range []struct {
		name string
		a    Snapshot
	}{{"4KB", sample()}, {"70KB", usual()}, {"200KB", large}, {"cut", cut}} {
		b.Run(c.name, func(b *testing.B) { run(b, c.a) })
	}
}

func BenchmarkEncode(b *testing.B) {
	benchRecords(b, func(b *testing.B, a Snapshot) {
		var record []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if record, err = a.Encode(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(record)), "record-bytes")
	})
}

func BenchmarkDecode(b *testing.B) {
	benchRecords(b, func(b *testing.B, a Snapshot) {
		record, err := a.Encode()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(record); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseHeader(b *testing.B) {
	benchRecords(b, func(b *testing.B, a Snapshot) {
		record, err := a.Encode()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, _, err := parseHeader(record); err != nil {
				b.Fatal(err)
			}
		}
	})
}
