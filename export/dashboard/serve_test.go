package dashboard

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/stats"
)

// Wherever it listens, the URL leads this machine to the page.
func TestListenURL(t *testing.T) {
	for _, address := range []string{":0", "127.0.0.1:0", "localhost:0", "0.0.0.0:0", "[::]:0"} {
		d := New(stats.New(), Config{})
		defer d.Close()
		s, err := Listen(t.Context(), address, d)
		if err != nil {
			if strings.HasPrefix(address, "[") {
				t.Skip("this machine has no IPv6:", err)
			}
			t.Fatal(err)
		}
		defer s.Close()
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s: %s answers %d", address, s.URL, resp.StatusCode)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestCloseNothing(t *testing.T) {
	var d *Dashboard
	var s *Server
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// frozen is a Source that never changes.
type frozen stats.Snapshot

func (f frozen) Snapshot() stats.Snapshot { return stats.Snapshot(f) }
func (f frozen) Live() stats.Snapshot     { return stats.Snapshot(f) }

// What cannot be written as JSON is an error, and no empty file.
func TestUnwritable(t *testing.T) {
	d := New(frozen{Extensions: map[string][]json.RawMessage{"x": {json.RawMessage("{")}}}, Config{})
	defer d.Close()
	for _, path := range []string{"report.html", "api/v1/snapshot.json"} {
		resp := ask(d, http.MethodGet, "http://localhost/"+path)
		text, err := io.ReadAll(resp.Body)
		if resp.StatusCode != 500 || !strings.HasSuffix(string(text), "cannot be written.\n") {
			t.Errorf("%s: %d, %q, %v", path, resp.StatusCode, text, err)
		}
	}
}
