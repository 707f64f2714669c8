package stats

import (
	"context"
	"log/slog"
	"time"
)

// reporter writes the periodic line: the summary, what changed since the line
// before, and the rate of that time beside the average.
type reporter struct {
	s      *Statistics
	before Snapshot
	at     time.Time
}

func newReporter(s *Statistics) *reporter {
	return &reporter{s: s, before: s.Snapshot(), at: time.Now()}
}

func (r *reporter) log() {
	now, at := r.s.Snapshot(), time.Now()
	before := r.before
	if now.Generation != before.Generation {
		before = Snapshot{}
	}
	elapsed := at.Sub(r.at)
	r.s.logLine(r.s.cfg.PeriodicLogger, now.Summary(),
		slog.Int64("finished_since", now.Finished-before.Finished),
		slog.Int64("failed_since", now.Failed-before.Failed),
		slog.Int64("retried_since", now.Attempts-before.Attempts-(now.Started-before.Started)),
		slog.Float64("finished_per_minute_now", round1(perMinute(now.Finished-before.Finished, elapsed))),
		slog.Float64("finished_per_minute_average", round1(now.FinishedPerMinute())),
	)
	r.before, r.at = now, at
}

// logLine writes the message with the summary, as a table or as attributes.
func (s *Statistics) logLine(log *slog.Logger, sum Summary, attrs ...slog.Attr) {
	message := s.cfg.LogMessage
	if s.cfg.LogInline {
		attrs = append(sum.LogValue().Group(), attrs...)
	} else {
		message += "\n" + sum.String()
	}
	if s.cfg.ID != "" {
		attrs = append([]slog.Attr{slog.String("crawler", s.cfg.ID)}, attrs...)
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, message, attrs...)
}

func round1(v float64) float64 { return float64(int64(v*10+.5)) / 10 }
