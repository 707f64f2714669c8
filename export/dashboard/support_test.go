package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/internal/leaktest"
	"github.com/crawlstats/crawlstats/stats"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// looks is a Statistics that counts how often it is read.
type looks struct {
	*stats.Statistics
	n atomic.Int64
}

func (l *looks) Snapshot() stats.Snapshot {
	l.n.Add(1)
	return l.Statistics.Snapshot()
}

// serve serves a Dashboard of src.
func serve(t *testing.T, src stats.Source, cfg Config) (*httptest.Server, *Dashboard) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := New(src, cfg)
	srv := httptest.NewServer(d)
	t.Cleanup(func() {
		d.Close()
		srv.Close()
	})
	return srv, d
}

// ask answers a request as the Dashboard does, without a network.
func ask(d http.Handler, method, url string, header ...string) *http.Response {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	return answer.Result()
}

// event is one of the feed.
type event struct {
	name string
	data string
}

func (e event) view(t *testing.T) (v view.View) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// feed opens a feed. next returns the next event, and false when it has ended.
func feed(t *testing.T, url string) (next func() (event, bool), status int) {
	t.Helper()
	return feedOf(t, http.DefaultClient, url)
}

func feedOf(t *testing.T, client *http.Client, url string) (next func() (event, bool), status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/feed", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		client.CloseIdleConnections()
	})
	in := bufio.NewReader(resp.Body)
	return func() (e event, ok bool) {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return e, false
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				return e, true
			}
		}
	}, resp.StatusCode
}
