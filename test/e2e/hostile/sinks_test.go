package hostile

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/export/otelbridge"
	"github.com/crawlstats/crawlstats/export/promcollect"
	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/stats"
)

// sink is a way out.
type sink struct {
	name   string
	live   bool // read before Close
	binary bool // of its own making: not looked at for what does not show
	file   bool // made of a file, which does not say what its crawl is called
	data   bool // everything that a record says, as JSON
	most   int  // bytes; 0: what its grammar allows
	read   func(t *testing.T, o *outlet) string
	check  func(t *testing.T, out string)
}

var sinks = []sink{
	{name: "log", read: func(_ *testing.T, o *outlet) string { return o.log.String() }, check: checkLog},
	{name: "record", binary: true, most: 200 << 10, read: readRecord, check: checkRecord},
	{name: "record as JSON", data: true, most: 400 << 10, read: readBody, check: checkJSON},
	{name: "statsd", live: true, read: readStatsd(statsdpush.Config{}), check: checkStatsd},
	{name: "statsd with tags and sets", live: true, read: readStatsd(statsdpush.Config{TagFormat: 1, Sets: true, Timings: statsdpush.TimingEvents}), check: checkStatsd},
	{name: "Prometheus", live: true, read: readProm(""), check: checkProm},
	{name: "OpenMetrics", live: true, read: readProm("application/openmetrics-text; version=1.0.0"), check: checkOpenMetrics},
	{name: "OTLP", live: true, read: readOTLP, check: checkJSON},
	{name: "JSON", data: true, read: func(t *testing.T, o *outlet) string { return toJSON(t, o.final) }, check: checkJSON},
	{name: "summary as JSON", read: func(t *testing.T, o *outlet) string { return toJSON(t, o.final.Summary()) }, check: checkJSON},
	{name: "summary as a table", most: 64 << 10, read: func(_ *testing.T, o *outlet) string { return o.final.Summary().String() }, check: nothing},
	{name: "record of Crawlee", data: true, most: 400 << 10, read: readCrawlee, check: checkJSON},
	{name: "page", live: true, read: readPage("/"), check: checkMarkup},
	{name: "page's figures", live: true, most: 512 << 10, read: readPage("/api/v1/stats.json"), check: checkJSON},
	{name: "page's snapshot", data: true, live: true, read: readPage("/api/v1/snapshot.json"), check: checkJSON},
	{name: "report", live: true, most: 1 << 20, read: readReport(false), check: checkMarkup},
	{name: "report's data", data: true, live: true, most: 1 << 20, read: readReport(true), check: checkJSON},
	{name: "CSV of totals", file: true, read: readCommand("export", "--format", "csv", "--what", "totals"), check: checkCSV},
	{name: "CSV of hosts", file: true, read: readCommand("export", "--format", "csv", "--what", "hosts"), check: checkCSV},
	{name: "CSV of errors", file: true, read: readCommand("export", "--format", "csv", "--what", "errors"), check: checkCSV},
	{name: "command's table", file: true, read: readCommand("show"), check: nothing},
	{name: "terminal", most: 64 << 10, read: readTerminal, check: checkTerminal},
}

func nothing(*testing.T, string) {}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// checkLog: every line is a record of its own, and ours.
func checkLog(t *testing.T, out string) {
	for line := range strings.Lines(out) {
		var record struct{ Level, Message string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Message == hostile.Evil || record.Level == "" {
			t.Errorf("%v: %.300q", err, line)
		}
	}
}

func checkJSON(t *testing.T, out string) {
	dec := json.NewDecoder(strings.NewReader(out))
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, planted := v[hostile.Evil]; planted && strings.Contains(out, `"`+hostile.Evil+`":1,`) {
				t.Errorf("a member is planted")
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case string:
			clean(t, v)
		}
	}
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %.200s", err, out)
	}
	walk(v)
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("something follows: %v", err)
	}
}

func readRecord(t *testing.T, o *outlet) string {
	it, err := o.store.Load(context.Background(), o.key)
	if err != nil {
		t.Error(err)
	}
	return string(it.Value)
}

func checkRecord(t *testing.T, out string) {
	a, err := stats.Decode([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Balanced(); err != nil {
		t.Error(err)
	}
}

func readBody(t *testing.T, o *outlet) string {
	a, err := stats.Decode([]byte(readRecord(t, o)))
	if err != nil {
		t.Error(err)
	}
	return toJSON(t, a)
}

func readCrawlee(t *testing.T, o *outlet) string {
	b, err := o.final.EncodeCrawlee()
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// readStatsd returns what a Pusher sends.
func readStatsd(cfg statsdpush.Config) func(*testing.T, *outlet) string {
	return func(t *testing.T, o *outlet) string {
		sock, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sock.Close()
		got := make(chan string, 1)
		go func() {
			conn, err := sock.Accept()
			if err != nil {
				got <- ""
				return
			}
			defer conn.Close()
			all, _ := io.ReadAll(conn)
			got <- string(all)
		}()
		cfg.Network, cfg.Address, cfg.Interval = "tcp", sock.Addr().String(), time.Hour
		push, err := statsdpush.Start(o.st, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := push.Close(); err != nil {
			t.Error(err)
		}
		return <-got
	}
}

var statsdLine = regexp.MustCompile(`^crawler\.[A-Za-z0-9_\-.]+:[-+]?[0-9][0-9.eE+-]*\|(c|g|ms|s)(\|#[^|\n]*)?\n$`)

func checkStatsd(t *testing.T, out string) {
	for line := range strings.Lines(out) {
		if !statsdLine.MatchString(line) {
			t.Errorf("not a line of ours: %.300q", line)
		}
	}
}

func readProm(accept string) func(*testing.T, *outlet) string {
	return func(t *testing.T, o *outlet) string {
		return get(t, promcollect.Handler(o.st, promcollect.Config{Hosts: 50}), "/metrics", "Accept", accept)
	}
}

func checkProm(t *testing.T, out string) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for name := range families { // of an instrument, what the program called it is part of the name
		if name == hostile.Evil || name == hostile.Evil+"_total" {
			t.Errorf("a family is planted: %s", name)
		}
	}
}

var (
	sample  = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})? [-+0-9.eNaInf]+( # [^\n]*)?\n$`)
	planted = regexp.MustCompile(`^` + hostile.Evil + `(_total)?[{ ]`)
)

func checkOpenMetrics(t *testing.T, out string) {
	if !strings.HasSuffix(out, "\n# EOF\n") || strings.Count(out, "\n# EOF\n") != 1 {
		t.Error("it does not end once")
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "# ") && !sample.MatchString(line) || planted.MatchString(line) {
			t.Errorf("a line is planted: %.200q", line)
		}
	}
}

// readOTLP returns what arrives at a collector, as JSON.
func readOTLP(t *testing.T, o *outlet) string {
	var got bytes.Buffer
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		request := new(collector.ExportMetricsServiceRequest)
		if err == nil {
			err = proto.Unmarshal(data, request)
		}
		if err == nil {
			data, err = protojson.Marshal(request)
			got.Write(data)
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer srv.Close()
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(srv.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(
		sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour), sdkmetric.WithProducer(otelbridge.New(o.st, otelbridge.Config{Hosts: 50})))))
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
	srv.Close()
	sent := got.String()
	_ = provider.Shutdown(context.Background()) // its last export finds no collector
	return sent
}

func readPage(path string) func(*testing.T, *outlet) string {
	return func(t *testing.T, o *outlet) string {
		d := dashboard.New(o.st, dashboard.Config{})
		defer d.Close()
		return get(t, d, path)
	}
}

var dataBlock = regexp.MustCompile(`(?s)(<script type="?application/json"?[^>]*>)(.*?)(</script>)`)

// readReport returns the report without the snapshot that is embedded as data, or
// that.
func readReport(data bool) func(*testing.T, *outlet) string {
	return func(t *testing.T, o *outlet) string {
		page := readPage("/report.html")(t, o)
		block := dataBlock.FindStringSubmatch(page)
		switch {
		case block == nil:
			t.Error("no data in the report")
			return page
		case data:
			return block[2]
		}
		return dataBlock.ReplaceAllString(page, "$1$3")
	}
}

func readTerminal(t *testing.T, o *outlet) string {
	var b strings.Builder
	a := o.final
	for _, err := range []error{
		terminal.WriteSummary(&b, a, terminal.SummaryConfig{ID: o.st.ID()}),
		terminal.WriteErrors(&b, a, 1000),
		terminal.WriteHosts(&b, a, 1000, terminal.BusiestHosts),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	b.WriteString(terminal.Line(o.st)(100))
	return b.String()
}

func checkTerminal(t *testing.T, out string) {
	for line := range strings.Lines(out) {
		if len(line) > 4000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

// readCommand returns what the command says of the record, exported to a file.
func readCommand(args ...string) func(*testing.T, *outlet) string {
	return func(t *testing.T, o *outlet) string {
		exe, err := command()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "crawl.json")
		if err := os.WriteFile(file, []byte(readBody(t, o)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(exe, append(args, file)...).CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v: %.500s", args, err, out)
		}
		return string(out)
	}
}

// checkCSV: a table, in no cell of which a spreadsheet finds a formula.
func checkCSV(t *testing.T, out string) {
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); err == nil && !strings.HasPrefix(cell, "+") {
				continue
			}
			if strings.IndexAny(strings.TrimSpace(cell), "=+-@") == 0 {
				t.Errorf("a formula: %.100q", cell)
			}
		}
		if row[0] == hostile.Evil {
			t.Errorf("a row is planted: %q", row)
		}
	}
}
