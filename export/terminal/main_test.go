package terminal

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/internal/syncbuf"
	"github.com/crawlstats/crawlstats/stats"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hostile is what a server may send as a title, a host or an error.
const hostile = "a\x1b[2Jb\rc\x1b]8;;http://evil\x07d\u202ee\x00\xff<script>{{7*7}}\u009b1m"

// screen is a writer that a test reads while others write.
type screen struct {
	syncbuf.Buffer
}

func (s *screen) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// shop is a crawl that finished after it was resumed once.
func shop(t *testing.T) stats.Snapshot {
	t.Helper()
	s := stats.New()
	s.Counter("items").Add(3)
	for i := range 1000 {
		q := stats.Outcome{
			Request:  stats.Request{Host: []string{"a.example", "b.example", "c.example"}[i%3], URL: "https://b.example/p"},
			Duration: time.Duration(i+1) * time.Millisecond, StatusCode: 200 + 100*(i%4/3),
		}
		switch {
		case i%20 == 1:
			q.Err, q.StatusCode = stats.WithKind(stats.KindHTTP, errors.New("503 from upstream")), 503
		case i%100 == 2:
			q.Err, q.StatusCode = stats.WithKind(stats.KindTimeout, errors.New("no answer")), 0
		case i%50 == 3:
			q.Discard = stats.DiscardRobots
		}
		s.Observe(q)
	}
	a := s.Snapshot()
	a.StartedAt, a.LastStartedAt, a.Since = at.Add(-892*time.Second), at.Add(-400*time.Second), at.Add(-892*time.Second)
	a.FinishedAt, a.PersistedAt, a.Runtime = at, at, 838*time.Second
	a.Segments = []stats.Segment{
		{Owner: "one", Start: a.StartedAt, End: at.Add(-454 * time.Second), Finished: 500, Failed: 30},
		{Owner: "two", Start: a.LastStartedAt, End: at, Clean: true, Finished: 420, Failed: 30},
	}
	a.History.Minutes = []stats.Point{{At: at.Add(-2 * time.Minute), Finished: 60}, {At: at.Add(-time.Minute), Finished: 120}}
	return a
}

// plain fails when s has more than lines of text.
func plain(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if r != '\n' && !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			t.Errorf("%q reaches the terminal in %q", r, s)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "undefined", "null", "<nil>", "%!"} {
		if strings.Contains(s, bad) {
			t.Errorf("%q in %q", bad, s)
		}
	}
}
