package badgerstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// levelTrace is below Debug: Badger's debug lines are about its insides.
const levelTrace = slog.LevelDebug - 4

// bridge hands Badger's lines to slog. What Badger complains of while it opens,
// it returns as well, and some of it heals: until open is set, nothing is above
// Debug.
type bridge struct {
	log  *slog.Logger
	open atomic.Bool
}

func newBridge(log *slog.Logger) *bridge { return &bridge{log: log.With("component", "badger")} }

func (b *bridge) Errorf(format string, args ...any)   { b.print(slog.LevelError, format, args) }
func (b *bridge) Warningf(format string, args ...any) { b.print(slog.LevelWarn, format, args) }
func (b *bridge) Infof(format string, args ...any)    { b.print(slog.LevelDebug, format, args) }
func (b *bridge) Debugf(format string, args ...any)   { b.print(levelTrace, format, args) }

func (b *bridge) print(level slog.Level, format string, args []any) {
	if !b.open.Load() {
		level = min(level, slog.LevelDebug)
	}
	if b.log.Enabled(context.Background(), level) {
		b.log.Log(context.Background(), level, cut(fmt.Sprintf(format, args...)))
	}
}

// outage logs when something begins to fail and when it works again.
type outage struct {
	what    string
	failing bool
}

func (o *outage) report(log *slog.Logger, err error) {
	switch {
	case err != nil && !o.failing:
		log.Warn(o.what+" fails", "error", cut(err.Error()))
	case err == nil && o.failing:
		log.Warn(o.what + " works again")
	}
	o.failing = err != nil
}
