package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// TestPage reads from a running dashboard, mounted below a prefix.
func TestPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop\x1b[2J", LogEvery: -1, Logger: nolog})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	st.Observe(stats.Outcome{Duration: time.Second})
	page := dashboard.New(st, dashboard.Config{Logger: nolog})
	defer page.Close()
	server := httptest.NewServer(page)
	defer server.Close()
	has(t, good(t, dir, "show", server.URL), "running", "1 finished", `shop\x1b[2J`)
	has(t, good(t, dir, "show", server.URL+"/"), "1 finished")
	if a, err := stats.Decode([]byte(good(t, dir, "export", server.URL))); err != nil || a.Finished != 1 {
		t.Errorf("%d finished, %v", a.Finished, err)
	}
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "x" {
			http.Error(w, "who is there?", http.StatusForbidden)
			return
		}
		page.ServeHTTP(w, r)
	}))
	defer guarded.Close()
	has(t, good(t, dir, "show", guarded.URL+"/?token=x"), "running", "1 finished", `shop\x1b[2J`)
	bad(t, dir, exitNothing, "404", "show", server.URL+"/elsewhere")
	bad(t, dir, exitFailure, "stop the crawler first", "import", server.URL, "moved")
	for _, command := range [][]string{{"show"}, {"check", "--min-finished", "1"}, {"import", "moved"}} {
		bad(t, dir, exitNothing, `shows the crawl "shop\\x1b[2J", and not "typo"`, slices.Insert(command, 1, server.URL, "--id", "typo")...)
	}
	for _, id := range []string{"shop\x1b[2J", `shop\x1b[2J`} {
		has(t, good(t, dir, "show", server.URL, "--id", id), "1 finished")
	}
}

// TestStateOfAPage: the command says of a crawl what its page says, which may show
// a record that nobody saves any more.
func TestStateOfAPage(t *testing.T) {
	t.Parallel()
	dir := home(t)
	for _, c := range []struct {
		state string
		args  []string
	}{
		{"finished", []string{"crawl-state"}},
		{"interrupted", []string{"both#news", "--member", "w1"}},
		{"interrupted", []string{"both#news"}}, // though a worker has finished
	} {
		s := startServing(t, dir, c.args...)
		resp, err := http.Get(s.url + "api/v1/stats.json")
		if err != nil {
			t.Fatal(err)
		}
		var shown, said struct{ State string }
		err = json.NewDecoder(resp.Body).Decode(&shown)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(good(t, dir, "show", s.url, "--format", "json")), &said); err != nil {
			t.Fatal(err)
		}
		if shown.State != c.state || said.State != c.state {
			t.Errorf("%v: the page says %q and the command %q, want %q", c.args, shown.State, said.State, c.state)
		}
		has(t, good(t, dir, "show", s.url), c.state+" after")
		s.end(t)
	}
}

// TestHugePage: a page is read up to the size of an export, and no part of it is
// taken for the whole.
func TestHugePage(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.CopyN(w, zeros{}, 64<<20+1) // the command may hang up
	}))
	defer server.Close()
	bad(t, t.TempDir(), exitFailure, "more than 64 MB", "show", server.URL+"/huge.json", "--timeout", "1m")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
