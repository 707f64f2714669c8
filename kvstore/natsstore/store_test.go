package natsstore

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

func TestKeys(t *testing.T) {
	for key, want := range map[string]string{
		"": "=", "=": "=3D", "a/b": "a/b", "a.b": "a=2Eb", ".": "=2E", "a>": "a=3E", "*": "=2A", "__X-1": "__X-1",
		"\x00 ü": "=00=20=C3=BC", "@shop/k": "=40shop/k",
	} {
		token := escape(key)
		if token != want {
			t.Errorf("escape(%q) = %q, want %q", key, token, want)
		}
		if back, err := unescape(token); err != nil || back != key {
			t.Errorf("unescape(%q) = %q, %v", token, back, err)
		}
	}
	for _, token := range []string{"a=", "=4", "=zz", "=41", "=3d", "a.b", "a=="} {
		if key, err := unescape(token); err == nil {
			t.Errorf("unescape(%q) = %q, want an error: escape does not write it", token, key)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("a", "=61")
	f.Fuzz(func(t *testing.T, a, b string) {
		if back, err := unescape(escape(a)); err != nil || back != a {
			t.Errorf("%q comes back as %q, %v", a, back, err)
		}
		if (a == b) != (escape(a) == escape(b)) {
			t.Errorf("%q and %q become %q and %q", a, b, escape(a), escape(b))
		}
	})
}

func TestFaults(t *testing.T) {
	api := func(code jetstream.ErrorCode, text string) error {
		return &jetstream.APIError{Code: 503, ErrorCode: code, Description: text}
	}
	for _, test := range []struct {
		err           error
		writes, reads error
	}{
		{api(10071, "wrong last sequence: 3"), kvstore.ErrConflict, kvstore.ErrConflict},
		{api(10164, "wrong last sequence"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{jetstream.ErrKeyRevisionMismatch, kvstore.ErrConflict, kvstore.ErrConflict},
		{jetstream.ErrKeyExists, kvstore.ErrConflict, kvstore.ErrConflict},
		{jetstream.ErrKeyNotFound, kvstore.ErrNotFound, kvstore.ErrNotFound},
		{nats.ErrMaxPayload, kvstore.ErrTooLarge, kvstore.ErrTooLarge},
		{api(10054, "message size exceeds maximum allowed"), kvstore.ErrTooLarge, kvstore.ErrTooLarge},
		{api(10077, "maximum bytes exceeded"), kvstore.ErrNoSpace, kvstore.ErrNoSpace},
		{api(10023, "insufficient resources"), kvstore.ErrNoSpace, kvstore.ErrNoSpace},
		{api(10008, "JetStream system temporarily unavailable"), kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{nats.ErrNoResponders, kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{jetstream.ErrNoStreamResponse, kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{jetstream.ErrBucketNotFound, kvstore.ErrUnavailable, kvstore.ErrUnavailable},
		{nats.ErrAuthorization, kvstore.ErrPermission, kvstore.ErrPermission},
		{nats.ErrTimeout, kvstore.ErrUnknown, kvstore.ErrUnavailable},
		{context.DeadlineExceeded, kvstore.ErrUnknown, kvstore.ErrUnavailable},
		{nats.ErrConnectionClosed, kvstore.ErrUnknown, kvstore.ErrUnavailable},
		{io.EOF, kvstore.ErrUnknown, kvstore.ErrUnavailable},
	} {
		got := typed(test.err)
		for verb, pair := range map[string][2]error{"write": {got, test.writes}, "read": {fault.Read(got), test.reads}} {
			if got, want := pair[0], pair[1]; !errors.Is(got, want) || !errors.Is(got, test.err) {
				t.Errorf("%s: %v gives %v, want %v", verb, test.err, got, want)
			}
		}
	}
	if text := typed(errors.New(strings.Repeat("ü", 1000))).Error(); len(text) > 500 {
		t.Errorf("an error of %d bytes", len(text))
	}
}

func TestMemory(t *testing.T) {
	var m memory
	m.note("k", sight{rev: 5})
	m.note("k", sight{rev: 3}) // late
	m.note("gone", sight{rev: 7, gone: true})
	if got := m.get("k"); got != (sight{rev: 5}) {
		t.Errorf("get = %+v", got)
	}
	for name, test := range map[string]struct {
		prefix string
		listed map[string]sight
		behind bool
	}{
		"all":          {"", map[string]sight{"k": {rev: 5}}, false},
		"newer":        {"", map[string]sight{"k": {rev: 9, gone: true}, "gone": {rev: 8}}, false},
		"missing":      {"", nil, true},
		"older":        {"", map[string]sight{"k": {rev: 4}}, true},
		"not deleted":  {"", map[string]sight{"k": {rev: 5}, "gone": {rev: 6}}, true},
		"other prefix": {"x", nil, false},
	} {
		if got := m.behind(test.prefix, test.listed); got != test.behind {
			t.Errorf("%s: behind = %v", name, got)
		}
	}
	m.replace("k", sight{rev: 2})
	if got := m.get("k"); got != (sight{rev: 2}) {
		t.Errorf("get after replace = %+v", got)
	}
}
