package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

// python returns the interpreter that Debian's packages belong to.
func python(t *testing.T) string {
	t.Helper()
	const system = "/usr/bin/python3"
	if err := exec.Command(system, "-c", "import prometheus_client.openmetrics.parser").Run(); err != nil {
		tool.Missing(t, "prometheus_client of Python", "apt-get install -y --no-install-recommends python3 python3-prometheus-client")
	}
	return system
}

// run feeds input to a program and returns what it printed.
func run(t *testing.T, input []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(name), err, &out)
	}
	return out.String()
}

// fetch gets a page in the format that accept names.
func fetch(t *testing.T, url, accept string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", url, resp.Status, err, body)
	}
	return body
}

// open opens the crawl called shop.
func open(t *testing.T, store kvstore.Store) *stats.Statistics {
	t.Helper()
	st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Member: "a", Store: store, LogEvery: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// crawl counts a seeded run of n requests.
func crawl(st *stats.Statistics, n int) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for range n {
		o := stats.Outcome{
			Request:    stats.Request{Host: fmt.Sprintf("h%d.example", rng.IntN(9)), Retries: rng.IntN(5)},
			Duration:   time.Duration(rng.ExpFloat64() * float64(400*time.Millisecond)),
			QueueWait:  time.Duration(rng.ExpFloat64() * float64(10*time.Millisecond)),
			StatusCode: []int{200, 204, 301, 404, 503}[rng.IntN(5)],
		}
		switch rng.IntN(10) {
		case 0:
			o.Err = stats.WithKind(stats.KindTimeout, errors.New("too slow"))
		case 1:
			o.Discard = "robots"
		}
		st.Observe(o)
	}
	st.Start("on its way")
	st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "False"}, stats.Label{Key: "status_code", Value: "403"}).Add(4)
	st.Counter("mutate_requests", stats.Label{Key: "allowed", Value: "True"}, stats.Label{Key: "status_code", Value: "202"}).Add(5)
	st.Counter("hostile\nname", stats.Label{Key: "le", Value: "\"\\\n\x00\xff{}#"}).Inc()
	st.Gauge("queue.length").Set(-17.5)
	st.Timer("parse").Observe(30 * time.Millisecond)
	st.Unique("urls").Add("a")
}

// server is a running Prometheus.
type server struct{ url string }

// start runs Prometheus over the targets, paths by job, of the server at addr.
func start(t *testing.T, addr string, paths map[string]string) server {
	t.Helper()
	binary, dir := tool.Program(t, "prometheus", "prometheus"), t.TempDir()
	var config strings.Builder
	config.WriteString("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
	for job, path := range paths {
		fmt.Fprintf(&config, "- {job_name: %q, metrics_path: %q, static_configs: [{targets: [%q]}]}\n", job, path, addr)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprint("127.0.0.1:", port.Free(t))
	var log bytes.Buffer
	cmd := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+listen, "--enable-feature=native-histograms")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("prometheus:\n%s", &log)
		}
	})
	return server{"http://" + listen}
}

// sample is one result of an instant query.
type sample struct {
	Metric map[string]string
	Value  float64
}

func (s server) query(ctx context.Context, query string) ([]sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/query?query="+url.QueryEscape(query), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", query, answer.Error)
	}
	var samples []sample
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{r.Metric, v})
	}
	return samples, nil
}

// await asks until the answer is right. Prometheus scrapes a target for the
// first time some seconds after its start.
func (s server) await(t *testing.T, query string, right func([]sample) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		samples, err := s.query(ctx, query)
		if err == nil && right(samples) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v, %v", query, samples, err)
		case <-tick.C:
		}
	}
}

// one returns the value of a query that has one result.
func (s server) one(t *testing.T, query string) float64 {
	t.Helper()
	samples, err := s.query(t.Context(), query)
	if err != nil || len(samples) != 1 {
		t.Errorf("%s: %d results, %v", query, len(samples), err)
		return 0
	}
	return samples[0].Value
}
