package badgerstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// recorder is a slog.Handler that keeps what it is told.
type recorder struct {
	mu      sync.Mutex
	records []slog.Record
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
	return nil
}

// WithAttrs drops what Badger says: only its bridge adds attributes.
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return slog.DiscardHandler }

func (r *recorder) count(level slog.Level) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.records {
		if rec.Level == level {
			n++
		}
	}
	return n
}

// lines returns level, message and attributes of each record.
func (r *recorder) lines() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.records {
		line := rec.Level.String() + " " + rec.Message
		rec.Attrs(func(a slog.Attr) bool {
			line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
			return true
		})
		lines = append(lines, line)
	}
	return lines
}
