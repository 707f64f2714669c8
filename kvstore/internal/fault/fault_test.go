package fault

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/kvstore"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestRead(t *testing.T) {
	cause := errors.New("broken pipe")
	for sentinel, want := range map[error]error{kvstore.ErrUnknown: kvstore.ErrUnavailable, kvstore.ErrNoSpace: kvstore.ErrNoSpace} {
		err := Read(New(sentinel, "look", cause))
		if !errors.Is(err, want) || !errors.Is(err, cause) || errors.Is(err, kvstore.ErrUnknown) {
			t.Errorf("a read that ends with %v: %v, want %v", sentinel, err, want)
		}
	}
	if err := Read(cause); err != cause {
		t.Errorf("an error of nobody's becomes %v", err)
	}
}

func TestLongTextOfAServer(t *testing.T) {
	text := New(kvstore.ErrUnavailable, "wait", errors.New(strings.Repeat("é", 1<<20))).Error()
	if len(text) > 400 || !utf8.ValidString(text) || !strings.HasSuffix(text, "é…") {
		t.Errorf("%d bytes: %.500q", len(text), text)
	}
}
