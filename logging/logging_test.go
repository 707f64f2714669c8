package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// hostile is what a server may send as a title: colours, an erased line, C1
// control and bidirectional override, DEL, a character beyond 16 bits that does
// not show, a forged line.
const hostile = "a\x1b[2K\x1b[31mb\u009b1mc\u202ed\x7fe\U000e0001f\n12:00:00 ERR forged\rg"

// at has a handler log a fixed time.
func at(h slog.Handler, level slog.Level, msg string, args ...any) {
	r := slog.NewRecord(time.Date(2026, 3, 1, 14, 5, 6, 0, time.Local), level, msg, 0)
	r.Add(args...)
	if h.Enabled(context.Background(), level) {
		h.Handle(context.Background(), r)
	}
}

func TestConsole(t *testing.T) {
	for name, c := range map[string]struct {
		color bool
		level slog.Level
		msg   string
		args  []any
		want  string
	}{
		"plain": {
			msg: "saved", args: []any{"key", "shop", "bytes", 12, "error", errors.New("disk full")},
			want: "14:05:06 INF saved error=\"disk full\" bytes=12 key=shop\n",
		},
		"colour": {
			color: true, level: slog.LevelWarn, msg: "saved", args: []any{"key", "shop"},
			want: "\x1b[90m14:05:06\x1b[0m \x1b[33mWRN\x1b[0m \x1b[1msaved\x1b[0m \x1b[36mkey=\x1b[0mshop\n",
		},
		"table": {
			msg: "Statistics\n┌────┐\n│ 12 │\n└────┘", args: []any{"id", "shop"},
			want: "14:05:06 INF Statistics id=shop\n  ┌────┐\n  │ 12 │\n  └────┘\n",
		},
		"no message": {
			args: []any{"id", "shop"},
			want: "14:05:06 INF id=shop\n",
		},
		"below info": {level: slog.LevelDebug, msg: "detail"},
		"hostile message": {
			msg:  hostile,
			want: `14:05:06 INF a\u001b[2K\u001b[31mb\u009b1mc\u202ed\u007fe\udb40\udc01f` + "\n  12:00:00 ERR forged\\u000dg\n",
		},
		"hostile value": {
			msg: "m", args: []any{"v", hostile},
			want: `14:05:06 INF m v="a\x1b[2K\x1b[31mb\u009b1mc\u202ed\x7fe\U000e0001f\n12:00:00 ERR forged\rg"` + "\n",
		},
		"hostile name": {
			msg: "m", args: []any{hostile, 1},
			want: `14:05:06 INF m a\u001b[2K\u001b[31mb\u009b1mc\u202ed\u007fe\udb40\udc01f\u000a12:00:00 ERR forged\u000dg=1` + "\n",
		},
		"names of zerolog's own": {
			msg: "m", args: []any{"time", 3 * time.Second, "level", hostile, "message", "v", "caller", hostile, "stack", 1},
			want: `14:05:06 INF m ` + `fields.caller="a\x1b[2K\x1b[31mb\u009b1mc\u202ed\x7fe\U000e0001f\n12:00:00 ERR forged\rg" ` +
				`fields.level="a\x1b[2K\x1b[31mb\u009b1mc\u202ed\x7fe\U000e0001f\n12:00:00 ERR forged\rg" fields.message=v fields.time=3000 stack=1` + "\n",
		},
		"hostile list": {
			msg: "m", args: []any{"v", []string{hostile}},
			want: `14:05:06 INF m v=["a\u001b[2K\u001b[31mb\u009b1mc\u202ed\u007fe\udb40\udc01f\n12:00:00 ERR forged\rg"]` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", "")
			var out bytes.Buffer
			at(newConsole(&out, c.color).Handler(), c.level, c.msg, c.args...)
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestJSONIsLossless checks that a hostile record is one line of visible
// characters that reads back to the very strings that were logged.
func TestJSONIsLossless(t *testing.T) {
	var out bytes.Buffer
	New(&out).Info(hostile, "v", hostile, hostile, 1)

	line := strings.TrimSuffix(out.String(), "\n")
	if got := visible(line); got != line {
		t.Errorf("the record does not show as it is:\n%q", line)
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		t.Fatal(err)
	}
	if record["message"] != hostile || record["v"] != hostile || record[hostile] != 1.0 {
		t.Errorf("strings changed: %q", record)
	}
}

func TestNewChoosesJSONOffTerminals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	New(file).Info("hello", "table", "a\nb")
	got, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(got) || bytes.Count(got, []byte("\n")) != 1 {
		t.Errorf("wrote %q, want one line of JSON", got)
	}
}

func TestZerologKeepsLevelAndFields(t *testing.T) {
	var out bytes.Buffer
	log := Zerolog(zerolog.New(&out).Level(zerolog.WarnLevel).With().Str("app", "x").Logger())
	log.Info("quiet")
	at(log.Handler(), slog.LevelError, "loud", "took", 1500*time.Millisecond)
	got := out.String()
	if !strings.HasPrefix(got, `{"level":"error","app":"x","took":1500,`) || strings.Count(got, "\n") != 1 {
		t.Errorf("wrote %s", got)
	}
}

func TestDefaultIsOne(t *testing.T) {
	if Default() == nil || Default() != Default() {
		t.Error("Default is not one logger")
	}
}

// TestHandler runs the rules of log/slog, with dotted keys read as groups.
func TestHandler(t *testing.T) {
	var out bytes.Buffer
	newHandler := func(*testing.T) slog.Handler {
		out.Reset()
		return New(&out).Handler()
	}
	slogtest.Run(t, newHandler, func(t *testing.T) map[string]any {
		var flat map[string]any
		if err := json.Unmarshal(out.Bytes(), &flat); err != nil {
			t.Fatal(err)
		}
		flat[slog.MessageKey] = flat[zerolog.MessageFieldName]
		delete(flat, zerolog.MessageFieldName)
		nested := map[string]any{}
		for key, v := range flat {
			m := nested
			for group, rest, ok := strings.Cut(key, "."); ok; group, rest, ok = strings.Cut(key, ".") {
				if m[group] == nil {
					m[group] = map[string]any{}
				}
				m, key = m[group].(map[string]any), rest
			}
			m[key] = v
		}
		return nested
	})
}

func TestGroupHoldsNothingAttachedBeforeIt(t *testing.T) {
	var out bytes.Buffer
	at(New(&out).With("a", 1).WithGroup("g").With("b", 2).Handler(), slog.LevelInfo, "m", "c", 3)
	if got := out.String(); !strings.HasPrefix(got, `{"level":"info","a":1,"g.b":2,"g.c":3,`) {
		t.Errorf("wrote %s", got)
	}
}

// resolved is a value that turns out to be a group.
type resolved struct{}

func (resolved) LogValue() slog.Value { return slog.GroupValue(slog.Int("message", 1)) }

// TestOwnNames: no attribute takes the place of what zerolog writes itself, and
// in a group there is nothing to be taken.
func TestOwnNames(t *testing.T) {
	for name, c := range map[string]struct {
		log  func(*slog.Logger) *slog.Logger
		args []any
		want string
	}{
		"record":   {args: []any{"time", 1, "level", 2, "message", 3, "caller", 4}, want: `"fields.time":1,"fields.level":2,"fields.message":3,"fields.caller":4,`},
		"attached": {log: func(l *slog.Logger) *slog.Logger { return l.With("time", 1) }, want: `"fields.time":1,`},
		"inline":   {args: []any{slog.Group("", "level", 1, slog.Group("", "time", 2)), "", resolved{}}, want: `"fields.level":1,"fields.time":2,"fields.message":1,`},
		"error":    {args: []any{"error", errors.New("full"), "stack", 1, "msg", 2}, want: `"error":"full","stack":1,"msg":2,`},
		"group":    {args: []any{slog.Group("time", "level", 1), "message", resolved{}}, want: `"time.level":1,"message.message":1,`},
		"in group": {log: func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").With("level", 1) }, args: []any{"time", 2}, want: `"g.level":1,"g.time":2,`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := New(&out)
			if c.log != nil {
				log = c.log(log)
			}
			at(log.Handler(), slog.LevelInfo, "m", c.args...)
			got, ok := strings.CutPrefix(out.String(), `{"level":"info",`)
			got, _, found := strings.Cut(got, `"time":"2026-03-01T`)
			if !ok || !found || got != c.want {
				t.Errorf("wrote %s, want %s in it", out.String(), c.want)
			}
		})
	}
}
