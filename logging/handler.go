package logging

import (
	"context"
	"log/slog"
	"slices"
)

// handler keeps groups away from zerolog's own handler, which would put the
// attributes that were attached before a group into it as well. What it passes
// on are group values, which zerolog writes as it should.
type handler struct {
	slog.Handler // zerolog's
	groups       []string
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if len(h.groups) == 0 {
		return h.Handler.Handle(ctx, r)
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	grouped := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	grouped.AddAttrs(h.group(attrs)...)
	return h.Handler.Handle(ctx, grouped)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(h.group(attrs)), h.groups}
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return handler{h.Handler, append(slices.Clip(h.groups), name)}
}

// group puts attrs into the open groups.
func (h handler) group(attrs []slog.Attr) []slog.Attr {
	for _, name := range slices.Backward(h.groups) {
		attrs = []slog.Attr{{Key: name, Value: slog.GroupValue(attrs...)}}
	}
	return attrs
}
