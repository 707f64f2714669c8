package logging

import (
	"context"
	"log/slog"
	"slices"

	"github.com/rs/zerolog"
)

// handler keeps groups away from zerolog's own handler, which would put the
// attributes that were attached before a group into it as well. What it passes
// on are group values, which zerolog writes as it should, and attributes that
// cannot be taken for zerolog's own fields.
type handler struct {
	slog.Handler // zerolog's
	groups       []string
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	placed := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	placed.AddAttrs(h.place(attrs)...)
	return h.Handler.Handle(ctx, placed)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(h.place(attrs)), h.groups}
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return handler{h.Handler, append(slices.Clip(h.groups), name)}
}

// place puts attrs into the open groups, or beside the fields of zerolog where
// none is open.
func (h handler) place(attrs []slog.Attr) []slog.Attr {
	for _, name := range slices.Backward(h.groups) {
		attrs = []slog.Attr{{Key: name, Value: slog.GroupValue(attrs...)}}
	}
	return beside(attrs)
}

// beside renames the attributes that have the name of a field that zerolog
// writes itself: there would be two of them in JSON, and on a console the
// attribute would be shown in place of the field, without its quotes.
func beside(attrs []slog.Attr) []slog.Attr {
	named := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		a.Value = a.Value.Resolve()
		group := a.Value.Kind() == slog.KindGroup
		switch {
		case group && a.Key == "": // its attributes stand where it does
			a.Value = slog.GroupValue(beside(a.Value.Group())...)
		case !group && slices.Contains(ownFields(), a.Key):
			a.Key = "fields." + a.Key
		}
		named[i] = a
	}
	return named
}

// ownFields are variables, which a program may set.
func ownFields() []string {
	return []string{zerolog.TimestampFieldName, zerolog.LevelFieldName, zerolog.MessageFieldName, zerolog.CallerFieldName}
}
