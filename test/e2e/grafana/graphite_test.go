package grafana

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/export/statsdpush"
	"github.com/crawlstats/crawlstats/test/e2e/internal/port"
	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
	"github.com/crawlstats/crawlstats/test/e2e/internal/wait"
)

// carbon takes what statsd writes to Graphite, and remembers the names.
type carbon struct {
	net.Listener
	mu    sync.Mutex
	names map[string]bool
}

func startCarbon(t *testing.T) *carbon {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &carbon{Listener: l, names: map[string]bool{}}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.read(conn) // statsd connects once for each flush
		}
	})
	t.Cleanup(func() {
		l.Close()
		reading.Wait()
	})
	return c
}

func (c *carbon) read(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), " ")
		c.mu.Lock()
		c.names[name] = true
		c.mu.Unlock()
	}
}

func (c *carbon) known() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.names))
}

// startEtsy runs etsy statsd, which writes to Graphite at c, and returns its
// address.
func startEtsy(t *testing.T, c *carbon) string {
	t.Helper()
	node := tool.Program(t, "node", "nodejs npm")
	version, err := exec.Command(node, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if major, _ := strconv.Atoi(strings.SplitN(strings.TrimPrefix(string(version), "v"), ".", 2)[0]); major >= 23 {
		tool.Missing(t, "a Node below 23, for etsy statsd calls util.log", "apt-get install -y --no-install-recommends nodejs npm")
	}
	script, statsd, management := tool.Installed(t, "node_modules/statsd/stats.js"), port.Free(t), port.Free(t)
	config, err := json.Marshal(map[string]any{
		"mgmt_address": "127.0.0.1", "mgmt_port": management, "flushInterval": 200,
		"servers":  []map[string]any{{"server": "./servers/tcp", "address": "127.0.0.1", "port": statsd}},
		"backends": []string{"./backends/graphite"}, "graphiteHost": "127.0.0.1", "graphitePort": c.Addr().(*net.TCPAddr).Port,
		"graphite": map[string]any{"legacyNamespace": false},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.js")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	tool.Serve(t, node, script, file)
	address := fmt.Sprintf("127.0.0.1:%d", statsd)
	wait.For(t, 20*time.Second, "etsy statsd listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return address
}

var (
	pathIn   = regexp.MustCompile(`stats\.(?:[^,(){}' ]|\{[^}]*\})+`)
	function = regexp.MustCompile(`([A-Za-z]+)\(`)
	grouped  = regexp.MustCompile(`groupByNodes?\((stats\.(?:[^,(){}' ]|\{[^}]*\})+),([^)]*)\)`)
	number   = regexp.MustCompile(`-\d+`)
)

// Functions of Graphite that the targets may call, all of them there since 1.1.
var functions = []string{
	"alias", "asPercent", "groupByNode", "groupByNodes", "highestAverage", "maxSeries", "removeBelowValue", "scale", "sumSeries",
}

func TestEveryTargetFindsWhatIsSent(t *testing.T) {
	c := startCarbon(t)
	address := startEtsy(t, c)
	push(t, run(t), address, statsdpush.Config{})

	var targets []string
	d := readDashboard(t, "crawl-graphite.json")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			targets = append(targets, target.Target)
		}
	}
	for _, a := range d.Annotations.List {
		targets = append(targets, a.Target.Target)
	}
	if len(targets) < 30 {
		t.Fatalf("%d targets", len(targets))
	}
	for _, crawl := range []string{"*", "shop", "{shop,books}"} {
		var globs []string
		for _, target := range targets {
			filled := strings.NewReplacer("$prefix", "crawler", "$crawl", crawl).Replace(target)
			checkTarget(t, filled)
			for _, glob := range pathIn.FindAllString(filled, -1) {
				globs = append(globs, strings.Replace(glob, "{shop,books}", "shop", 1))
			}
		}
		var lost []string
		defer func() {
			if t.Failed() {
				t.Logf("nothing is called %v", lost)
			}
		}()
		wait.For(t, 20*time.Second, "a flush with every name", func() bool {
			lost = lost[:0]
			names := c.known()
			for _, glob := range globs {
				for _, one := range alternatives(glob) {
					if !slices.ContainsFunc(names, func(name string) bool { return found(one, name) }) {
						lost = append(lost, one)
					}
				}
			}
			return len(lost) == 0
		})
	}
}

// checkTarget checks functions, parentheses, and that series are grouped by what
// varies.
func checkTarget(t *testing.T, target string) {
	t.Helper()
	for _, m := range function.FindAllStringSubmatch(target, -1) {
		if !slices.Contains(functions, m[1]) {
			t.Errorf("%s calls %s", target, m[1])
		}
	}
	if strings.Count(target, "(") != strings.Count(target, ")") || !strings.HasSuffix(target, ")") || strings.Contains(target, "$") {
		t.Errorf("%s is not whole", target)
	}
	for _, m := range grouped.FindAllStringSubmatch(target, -1) {
		nodes := strings.Split(m[1], ".")
		for _, n := range number.FindAllString(m[2], -1) {
			i, err := strconv.Atoi(n)
			if err != nil || -i > len(nodes) || !strings.ContainsAny(nodes[len(nodes)+i], "*{") {
				t.Errorf("%s is grouped by node %s, which does not vary", target, n)
			}
		}
	}
}

// alternatives writes {a,b} out.
func alternatives(glob string) []string {
	head, rest, ok := strings.Cut(glob, "{")
	if !ok {
		return []string{glob}
	}
	choices, tail, _ := strings.Cut(rest, "}")
	var all []string
	for choice := range strings.SplitSeq(choices, ",") {
		all = append(all, alternatives(head+choice+tail)...)
	}
	return all
}

// found matches as Graphite does: * is one node.
func found(glob, name string) bool {
	hit, err := path.Match(strings.ReplaceAll(glob, ".", "/"), strings.ReplaceAll(name, ".", "/"))
	return err == nil && hit
}
