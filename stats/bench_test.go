package stats

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// The floor that the recorder is compared with: two monotonic clock reads and
// two atomics of one's own.
func BenchmarkFloor(b *testing.B) {
	epoch := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		var started, ended struct {
			n atomic.Int64
			_ [120]byte
		}
		var sum time.Duration
		for pb.Next() {
			started.n.Add(1)
			start := time.Since(epoch)
			sum += time.Since(epoch) - start
			ended.n.Add(1)
		}
		sink.Add(int64(sum))
	})
}

var sink atomic.Int64

func BenchmarkByHandle(b *testing.B) {
	s := New()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j := s.Begin()
			j.StatusCode(200)
			j.Finish()
		}
	})
}

func BenchmarkByHandleWithHost(b *testing.B) {
	s := New()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j := s.BeginWith(Request{Host: "shop.example.net"})
			j.StatusCode(200)
			j.Finish()
		}
	})
}

func BenchmarkByID(b *testing.B) {
	s := New()
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = "request-" + strconv.Itoa(i)
		s.Start(ids[i])
	}
	var worker atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		prefix := strconv.FormatInt(worker.Add(1), 10)
		own := make([]string, 1024)
		for i := range own {
			own[i] = prefix + "-" + ids[i]
		}
		for i := 0; pb.Next(); i++ {
			s.Start(own[i&1023])
			s.Finish(own[i&1023])
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	s := New()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Observe(Outcome{Duration: time.Millisecond, StatusCode: 200})
		}
	})
}

func BenchmarkFail(b *testing.B) {
	s := New()
	b.ReportAllocs()
	for b.Loop() {
		j := s.BeginWith(Request{URL: "https://shop.example.net/product/17"})
		j.Fail(errSlow)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := New()
	for i := range 100_000 {
		s.Observe(Outcome{Duration: time.Duration(i) * time.Microsecond, StatusCode: 200})
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Snapshot()
	}
}
