package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/internal/syncbuf"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// outlet is a Statistics and all that comes out of it.
type outlet struct {
	st    *stats.Statistics
	bus   *events.Bus
	log   syncbuf.Buffer
	final stats.Snapshot
	out   map[string]string // by sink
	store kvstore.Store
	key   string

	named  bool // the texts are in its names alone
	forged bool // its record was not written by this library
}

func newOutlet(t *testing.T, cfg stats.Config) *outlet {
	t.Helper()
	o, err := openOutlet(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func openOutlet(t *testing.T, cfg stats.Config) (*outlet, error) {
	t.Helper()
	o := &outlet{bus: new(events.Bus), out: map[string]string{}, key: stats.Key(cfg.ID, cfg.Member)}
	if cfg.Store == nil {
		cfg.Store = kvstore.NewMemory()
	}
	o.store = cfg.Store
	cfg.Events, cfg.Logger, cfg.LogEvery = o.bus, logging.New(&o.log), -1
	var err error
	o.st, err = stats.Open(context.Background(), cfg)
	return o, err
}

// close reads every sink that reads a living Statistics, closes it, and reads the
// others.
func (o *outlet) close(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { o.st.Close() })
	for _, s := range sinks {
		if s.live {
			o.out[s.name] = s.read(t, o)
		}
	}
	if err := o.st.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	o.final = o.st.Snapshot()
	if err := o.final.Balanced(); err != nil {
		t.Error(err)
	}
	for _, s := range sinks {
		if !s.live && (!s.file || !o.named) {
			o.out[s.name] = s.read(t, o)
		}
	}
}

// each checks what came out of each sink, in a test of its own.
func each(t *testing.T, o *outlet) {
	t.Helper()
	for _, s := range sinks {
		if s.file && o.named {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			out := o.out[s.name]
			if out == "" {
				t.Fatal("nothing came out")
			}
			if s.most > 0 && len(out) > s.most {
				t.Errorf("%d bytes, the most is %d", len(out), s.most)
			}
			if s.data && o.forged {
				if !json.Valid([]byte(out)) {
					t.Error("not JSON")
				}
				return
			}
			if !s.binary {
				clean(t, out)
			}
			if i := strings.Index(out, hostile.Secret); i >= 0 {
				t.Errorf("a secret: %q", around(out, i))
			}
			s.check(t, out)
		})
	}
}

// clean fails when text has anything in it that does not show, but for line breaks
// and tabs.
func clean(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r == '\n' || r == '\t' {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 || !unicode.IsGraphic(r) {
			t.Errorf("%q in %q", r, around(text, i))
			return
		}
	}
}

func around(text string, i int) string { return text[max(0, i-60):min(len(text), i+60)] }

var built string // the folder of command

// command builds the command once.
var command = sync.OnceValues(func() (exe string, err error) {
	exe = filepath.Join(built, "crawlstats")
	cmd := exec.Command("go", "build", "-o", exe, "./cmd/crawlstats")
	cmd.Dir = "../../.."
	cmd.Stderr = os.Stderr
	return exe, cmd.Run()
})

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "crawlstats-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := leaktest.Run(m)
	os.RemoveAll(built)
	os.Exit(code)
}

// get asks a handler of this machine.
func get(t *testing.T, h http.Handler, path string, header ...string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%s: %d: %.300s", path, w.Code, w.Body)
	}
	return w.Body.String()
}
