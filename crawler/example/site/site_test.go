package site_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/crawler/example/site"
)

// visitor asks a served site for pages.
type visitor struct {
	t      *testing.T
	origin string
	client *http.Client
}

func visit(t *testing.T, s *site.Site) visitor {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := &http.Client{
		// Go's client tries again by itself on a connection it has used before.
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return visitor{t, server.URL, client}
}

func (v visitor) get(ctx context.Context, path string, attempt int) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.origin+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set(site.AttemptHeader, strconv.Itoa(attempt))
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestPagesAnswerByAttempt(t *testing.T) {
	s := site.New()
	v := visit(t, s)
	want := map[string][]int{
		"/": {200}, "/c/11": {200}, "/p/539": {200}, "/slow/0": {200},
		"/404/0": {404}, "/410/4": {410}, "/500/7": {500, 500, 500, 500},
		"/503/0": {503, 200}, "/503/1": {503, 503, 200}, "/503/2": {503, 503, 503, 200},
		"/go/3": {301}, "/copy/3": {200}, "/no/3": {200}, "/evil": {200},
		"/p/540": {404}, "/p/007": {404}, "/p/-1": {404}, "/p/": {404}, "/x/1": {404}, "/p/1/2": {404},
	}
	for path, statuses := range want {
		for attempt, status := range statuses {
			got, _, err := v.get(t.Context(), path, attempt)
			if err != nil || got != status {
				t.Errorf("attempt %d of %s: %d (%v), want %d", attempt, path, got, err, status)
			}
		}
	}
	if diff := cmp.Diff(want, s.Log().Paths); diff != "" {
		t.Error("access log:", diff)
	}
}

func TestLogCounts(t *testing.T) {
	s := site.New()
	v := visit(t, s)
	for _, path := range []string{"/p/1", "/p/1", "/404/1", "/robots.txt"} {
		v.get(t.Context(), path, 0)
	}
	got := s.Log()
	want := site.Log{
		Paths:    map[string][]int{"/p/1": {200, 200}, "/404/1": {404}},
		Status:   map[int]int64{200: 2, 404: 1},
		Requests: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got.Paths["/p/1"][0] = 500
	if diff := cmp.Diff(want, s.Log()); diff != "" {
		t.Error("the log shares memory with its copy:", diff)
	}
}

func TestHangsUntilTheClientGivesUp(t *testing.T) {
	s := site.New()
	v := visit(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := v.get(ctx, "/hang/1", 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("first attempt: %v, want a timeout", err)
	}
	if status, _, err := v.get(t.Context(), "/hang/1", 1); status != 200 || err != nil {
		t.Errorf("second attempt: %d, %v, want 200", status, err)
	}
	if diff := cmp.Diff([]int{site.NoResponse, 200}, s.Log().Paths["/hang/1"]); diff != "" {
		t.Error(diff)
	}
}

func TestResetsConnections(t *testing.T) {
	s := site.New()
	v := visit(t, s)
	if _, _, err := v.get(t.Context(), "/rst/1", 0); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("first attempt: %v, want a reset connection", err)
	}
	if status, _, err := v.get(t.Context(), "/rst/1", 1); status != 200 || err != nil {
		t.Errorf("second attempt: %d, %v, want 200", status, err)
	}
}

func TestEvilPageIsRaw(t *testing.T) {
	_, body, err := visit(t, site.New()).get(t.Context(), "/evil", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"\x1b[2J", "\u202e", "<script>", "href='/\x1b[31mred'"} {
		if !strings.Contains(body, s) {
			t.Errorf("%q is not in the page", s)
		}
	}
}
