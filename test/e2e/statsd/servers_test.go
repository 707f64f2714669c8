package statsd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

// await tries until it works.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-tick.C
	}
}

// server is a running statsd.
type server interface {
	// address returns where it listens; "" when it does not speak the network.
	address(network string) string
	// counters returns its counters by name, as it writes names.
	counters() (map[string]float64, error)
	gauges() (map[string]float64, error)
	// name returns the name that it gives to a line's.
	name(line string) string
	// complaints returns what it has found wrong with lines.
	complaints() (string, error)
	alive() bool
}

// socketDir is short: the path of a socket has at most 107 bytes.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "statsd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// etsy is etsy statsd.
type etsy struct {
	statsd, management, socket string
	record                     string // file of testdata/record.js
	living                     func() bool
}

// startEtsy starts etsy statsd with a flush interval that no test reaches, for
// each flush puts counters back to zero, or with the one given.
func startEtsy(t *testing.T, flush time.Duration) *etsy {
	t.Helper()
	node := tool.Program(t, "node", "nodejs npm")
	version, err := exec.Command(node, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if major, _ := strconv.Atoi(strings.SplitN(strings.TrimPrefix(string(version), "v"), ".", 2)[0]); major >= 23 {
		tool.Missing(t, "a Node below 23, for etsy statsd calls util.log", "apt-get install -y --no-install-recommends nodejs npm")
	}
	script := tool.Installed(t, "node_modules/statsd/stats.js")
	backend, err := filepath.Abs("testdata/record.js")
	if err != nil {
		t.Fatal(err)
	}
	dir, main, management := socketDir(t), port.Free(t), port.Free(t)
	e := &etsy{
		statsd:     fmt.Sprintf("127.0.0.1:%d", main),
		management: fmt.Sprintf("127.0.0.1:%d", management),
		socket:     filepath.Join(dir, "s"),
		record:     filepath.Join(dir, "record"),
	}
	config, err := json.Marshal(map[string]any{
		"mgmt_address": "127.0.0.1", "mgmt_port": management,
		"flushInterval": flush.Milliseconds(), "backends": []string{backend}, "record": e.record,
		"servers": []map[string]any{
			{"server": "./servers/udp", "address": "127.0.0.1", "port": main},
			{"server": "./servers/tcp", "address": "127.0.0.1", "port": main},
			{"server": "./servers/tcp", "socket": e.socket},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.js")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	e.living = tool.Serve(t, node, script, file)
	await(t, "etsy statsd starts", func() error { _, err := e.counters(); return err })
	await(t, "etsy statsd listens", func() error { _, err := os.Stat(e.socket); return err })
	return e
}

func (e *etsy) address(network string) string {
	return map[string]string{"udp": e.statsd, "tcp": e.statsd, "unix": e.socket}[network]
}

func (e *etsy) name(line string) string { return line }
func (e *etsy) alive() bool             { return e.living() }

// Management answers are what util.inspect prints.
var inspected = regexp.MustCompile(`(?m)^\s*(?:\{ )?'?([^':\s]+)'?: (-?[0-9.e+]+)`)

func (e *etsy) ask(command string) (map[string]float64, error) {
	conn, err := net.DialTimeout("tcp", e.management, time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return nil, err
	}
	var answer strings.Builder
	for r := bufio.NewScanner(conn); r.Scan() && r.Text() != "END"; {
		answer.WriteString(r.Text() + "\n")
	}
	values := map[string]float64{}
	for _, m := range inspected.FindAllStringSubmatch(answer.String(), -1) {
		if values[m[1]], err = strconv.ParseFloat(m[2], 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (e *etsy) counters() (map[string]float64, error) { return e.ask("counters") }
func (e *etsy) gauges() (map[string]float64, error)   { return e.ask("gauges") }

func (e *etsy) complaints() (string, error) {
	counters, err := e.counters()
	if n := counters["statsd.bad_lines_seen"]; n != 0 {
		return fmt.Sprintf("%v bad lines", n), err
	}
	return "", err
}

// flushed is what a flush of etsy statsd holds.
type flushed struct {
	Counters map[string]float64
	Timers   map[string][]float64
	Sets     map[string][]string
}

// recorded returns all flushes as one.
func (e *etsy) recorded() (flushed, error) {
	all := flushed{map[string]float64{}, map[string][]float64{}, map[string][]string{}}
	text, err := os.ReadFile(e.record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return all, err
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		var f flushed
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			return all, err
		}
		for name, n := range f.Counters {
			all.Counters[name] += n
		}
		for name, values := range f.Timers {
			all.Timers[name] = append(all.Timers[name], values...)
		}
		for name, values := range f.Sets {
			all.Sets[name] = append(all.Sets[name], values...)
		}
	}
	return all, nil
}

// exporter is statsd_exporter.
type exporter struct {
	statsd, socket, page string
	living               func() bool
}

func startExporter(t *testing.T) *exporter {
	t.Helper()
	binary := tool.Installed(t, "bin/statsd_exporter")
	main, web := port.Free(t), fmt.Sprintf("127.0.0.1:%d", port.Free(t))
	e := &exporter{
		statsd: fmt.Sprintf("127.0.0.1:%d", main),
		socket: filepath.Join(socketDir(t), "s"),
		page:   "http://" + web + "/metrics",
	}
	e.living = tool.Serve(t, binary, "--web.listen-address="+web, "--log.level=warn",
		"--statsd.listen-udp="+e.statsd, "--statsd.listen-tcp="+e.statsd, "--statsd.listen-unixgram="+e.socket)
	await(t, "statsd_exporter starts", func() error { _, err := e.samples(); return err })
	return e
}

func (e *exporter) address(network string) string {
	return map[string]string{"udp": e.statsd, "tcp": e.statsd, "unixgram": e.socket}[network]
}

var folded = regexp.MustCompile(`[^A-Za-z0-9_]`)

func (e *exporter) name(line string) string { return folded.ReplaceAllString(line, "_") }
func (e *exporter) alive() bool             { return e.living() }

// samples returns the page: values by name and labels.
func (e *exporter) samples() (map[string]float64, error) {
	resp, err := http.Get(e.page)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %.500s", resp.Status, body)
	}
	values := map[string]float64{}
	for line := range strings.SplitSeq(string(body), "\n") {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			if values[line[:i]], err = strconv.ParseFloat(line[i+1:], 64); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
		}
	}
	return values, nil
}

func (e *exporter) counters() (map[string]float64, error) { return e.samples() }
func (e *exporter) gauges() (map[string]float64, error)   { return e.samples() }

func (e *exporter) complaints() (string, error) {
	samples, err := e.samples()
	var found []string
	for name, n := range samples {
		for _, kind := range []string{"sample_errors_total", "tag_errors_total", "events_error_total", "events_conflict_total", "tcp_too_long_lines_total"} {
			if strings.HasPrefix(name, "statsd_exporter_"+kind) && n != 0 {
				found = append(found, fmt.Sprintf("%s %v", name, n))
			}
		}
	}
	return strings.Join(found, ", "), err
}
