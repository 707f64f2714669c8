package badgerstore

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
)

// TestFaults is about the texts of one version: after an update, read Badger's
// changes, try TestDamage, and pin the new one.
func TestFaults(t *testing.T) {
	const pinned = "v4.9.6"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/dgraph-io/badger/v4" && m.Version != pinned {
				t.Errorf("Badger is %s, the texts of its errors were read in %s", m.Version, pinned)
			}
		}
	}
	for _, test := range []struct {
		err  error
		want error
	}{
		{y.Wrap(syscall.ENOSPC, "While opening memtable"), kvstore.ErrNoSpace},
		{y.Wrap(syscall.EDQUOT, "x"), kvstore.ErrNoSpace},
		{y.Wrap(syscall.EROFS, "x"), kvstore.ErrReadOnly},
		{y.Wrap(syscall.EACCES, "x"), kvstore.ErrPermission},
		{y.Wrap(syscall.EPERM, "x"), kvstore.ErrPermission},
		{y.Wrapf(syscall.EAGAIN, "Cannot acquire directory lock on %q.  Another process is using this Badger database.", "d"), kvstore.ErrLocked},
		{y.Wrap(syscall.EMFILE, "x"), kvstore.ErrUnavailable},
		{badger.ErrTxnTooBig, kvstore.ErrTooLarge},
		{badger.ErrBlockedWrites, kvstore.ErrClosed},
		{badger.ErrDBClosed, kvstore.ErrClosed},
		{badger.ErrEncryptionKeyMismatch, kvstore.ErrCorrupt},
		{badger.ErrInvalidDataKeyID, kvstore.ErrCorrupt},
		{y.Wrap(y.ErrChecksumMismatch, "x"), kvstore.ErrCorrupt},
		{errors.New("manifest has bad magic"), kvstore.ErrCorrupt},
		{errors.New("file does not exist for table 7"), kvstore.ErrCorrupt},
		{guarded(func() error { panic("index out of range") }), kvstore.ErrCorrupt},
	} {
		if got := typed(test.err, errors.ErrUnsupported); !errors.Is(got, test.want) || errors.Is(got, errors.ErrUnsupported) {
			t.Errorf("%v is %v, want %v", test.err, got, test.want)
		}
	}
	if got := typed(errors.New("something new"), kvstore.ErrUnknown); !errors.Is(got, kvstore.ErrUnknown) || recognized(got) {
		t.Errorf("an unknown error is %v, want ErrUnknown, not recognized", got)
	}
}

func TestCut(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", 300), strings.Repeat("x", 5000), strings.Repeat("€", 5000), "a" + strings.Repeat("€", 300), strings.Repeat("\xff", 5000)} {
		got := cut(s + "\n")
		if len(got) > 310 || utf8.ValidString(s) && !utf8.ValidString(got) || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("cut of %d bytes is %d bytes: %q", len(s), len(got), got)
		}
	}
}

func TestLogger(t *testing.T) {
	rec := &recorder{}
	b := &bridge{log: slog.New(rec)}
	b.Errorf("early %d", 1)
	b.open.Store(true)
	b.Errorf("bad\n")
	b.Warningf("odd %s", strings.Repeat("x", 1000))
	b.Infof("info")
	b.Debugf("trace")
	want := []string{
		"DEBUG early 1", "ERROR bad", "WARN odd " + strings.Repeat("x", 296) + "…", "DEBUG info", "DEBUG-4 trace",
	}
	if diff := cmp.Diff(want, rec.lines()); diff != "" {
		t.Error(diff)
	}
}

func TestOutage(t *testing.T) {
	rec := &recorder{}
	log := slog.New(rec)
	o := outage{what: "the side copy"}
	for _, err := range []error{nil, errors.New("full"), errors.New("full"), nil, nil} {
		o.report(log, err)
	}
	want := []string{"WARN the side copy fails error=full", "WARN the side copy works again"}
	if diff := cmp.Diff(want, rec.lines()); diff != "" {
		t.Error(diff)
	}
}

func TestEnvelope(t *testing.T) {
	e := newEnvelope([]byte("value"))
	seal(e, "key", 7)
	if value, rev, ok := unseal(e, "key"); !ok || rev != 7 || string(value) != "value" {
		t.Fatalf("unseal = %q, %d, %v", value, rev, ok)
	}
	if _, _, ok := unseal(e, "other"); ok {
		t.Error("an envelope opens under another key")
	}
	for i := range e {
		for bit := range 8 {
			e[i] ^= 1 << bit
			if _, _, ok := unseal(e, "key"); ok {
				t.Errorf("bit %d of byte %d is not checked", bit, i)
			}
			e[i] ^= 1 << bit
		}
		if _, _, ok := unseal(e[:i], "key"); ok {
			t.Errorf("the first %d bytes open", i)
		}
	}
}

func TestMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks")
	m, err := newMarks(path, map[string]kvstore.Revision{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	for key, to := range map[string]mark{"a": {rev: 5}, "b": {rev: 6, deleted: true}, "c": {rev: 1 << 60}} {
		if err := m.set(key, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	want := map[keyHash]mark{hashOf("a"): {rev: 5}, hashOf("b"): {rev: 6, deleted: true}, hashOf("c"): {rev: 1 << 60}}
	if got, err := readMarks(path); err != nil || !maps.Equal(got, want) {
		t.Errorf("readMarks = %v, %v, want %v", got, err, want)
	}

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[20] ^= 1 // in the revision of "a"
	data = append(data, "half a slot"...)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	delete(want, hashOf("a"))
	if got, err := readMarks(path); err != nil || !maps.Equal(got, want) {
		t.Errorf("readMarks of a damaged file = %v, %v, want %v", got, err, want)
	}
	if got, err := readMarks(path + ".none"); err != nil || len(got) != 0 {
		t.Errorf("readMarks of no file = %v, %v", got, err)
	}
}
