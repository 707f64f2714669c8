package crawlstats_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/crawlstats/crawlstats"

// listed is what `go list` says of a package.
type listed struct {
	ImportPath  string
	Dir         string
	Standard    bool
	Deps        []string
	Imports     []string
	GoFiles     []string
	TestGoFiles []string

	XTestGoFiles []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Standard,Deps,Imports,GoFiles,TestGoFiles,XTestGoFiles"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// room returns the folder of a package of this module, "" for the root.
func room(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// The arrows of docs/ARCHITECTURE.md. Each room may import the rooms and the
// modules named here, and nothing else from outside the standard library.
var arrows = map[string][]string{
	"":                     {},
	"internal/adapter":     {},
	"internal/hostile":     {},
	"internal/leaktest":    {"go.uber.org/goleak"},
	"internal/syncbuf":     {},
	"events":               {},
	"events/local":         {"events", "github.com/shirou/gopsutil/v4"},
	"logging":              {"github.com/rs/zerolog", "github.com/mattn/go-isatty", "golang.org/x/term", "golang.org/x/text/width"},
	"kvstore":              {"kvstore/internal"},
	"kvstore/kvstoretest":  {"kvstore"},
	"kvstore/badgerstore":  {"kvstore", "kvstore/internal", "github.com/dgraph-io/badger/v4", "golang.org/x/sys"},
	"kvstore/redisstore":   {"kvstore", "kvstore/internal", "github.com/redis/go-redis/v9"},
	"kvstore/natsstore":    {"kvstore", "kvstore/internal", "github.com/nats-io/nats.go"},
	"stats":                {"events", "kvstore", "logging", "internal/adapter", "github.com/klauspost/compress/s2"},
	"stats/statstest":      {"stats", "kvstore"},
	"export/catalogue":     {},
	"export/statsdpush":    {"stats", "export/catalogue", "logging", "github.com/cactus/go-statsd-client/v5"},
	"export/promcollect":   {"stats", "export/catalogue", "export/internal", "logging", "github.com/prometheus"},
	"export/otelbridge":    {"stats", "export/catalogue", "export/internal", "go.opentelemetry.io/otel"},
	"export/internal":      {"stats", "kvstore", "export/catalogue", "internal/adapter"},
	"export/dashboard":     {"stats", "export/internal", "logging"},
	"export/terminal":      {"stats", "export/internal", "logging"},
	"crawler/httpstats":    {"stats", "internal/adapter"},
	"crawler/collystats":   {"stats", "internal/adapter", "crawler/httpstats", "github.com/gocolly/colly/v2"},
	"cmd/crawlstats":       {"*"},
	"crawler/example":      {"*"},
	"crawler/example/site": {},
}

func TestArrows(t *testing.T) {
	for _, p := range list(t, "./...") {
		r := room(p.ImportPath)
		allowed, known := arrows[r]
		if !known {
			allowed, known = arrows[parent(r)]
			allowed = append(slices.Clone(allowed), parent(r))
		}
		if !known {
			t.Errorf("%s is no room of the house: give it its arrows here and in docs/ARCHITECTURE.md", r)
			continue
		}
		for _, imported := range p.Imports {
			if !permitted(r, imported, allowed) {
				t.Errorf("%s imports %s", r, imported)
			}
		}
	}
}

// parent returns the room that an internal package or a command belongs to.
func parent(r string) string {
	if strings.HasPrefix(r, "export/internal") {
		return "export/internal"
	}
	if i := strings.Index(r, "/internal"); i >= 0 {
		return r[:i]
	}
	return filepath.Dir(r)
}

func permitted(room_, imported string, allowed []string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true // standard library
	}
	if slices.Contains(allowed, "*") || strings.HasPrefix(room(imported), room_+"/internal") {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		return imported == a || strings.HasPrefix(imported, a+"/") ||
			room(imported) == a || strings.HasSuffix(a, "internal") && strings.HasPrefix(room(imported), a+"/")
	})
}

// Who imports the heart alone links no engine, no exporter and no crawler.
func TestStatsAloneIsLight(t *testing.T) {
	for _, p := range list(t, "./stats") {
		for _, dep := range p.Deps {
			for _, heavy := range []string{"dgraph-io", "prometheus", "cactus", "opentelemetry", "gopsutil", "redis", "nats", "net/http"} {
				if strings.Contains(dep, heavy) {
					t.Errorf("stats links %s", dep)
				}
			}
		}
	}
}

// Every package says what it is and what it promises to goroutines; every
// exported type of a room has an example that runs.
func TestEveryPackageIsDocumented(t *testing.T) {
	for _, p := range list(t, "./...") {
		pkg := parse(t, p)
		if pkg == nil {
			continue
		}
		if !strings.Contains(pkg.Doc, "# Concurrency") {
			t.Errorf("%s: its documentation has no section on concurrency", p.ImportPath)
		}
		for _, typ := range pkg.Types {
			if strings.TrimSpace(typ.Doc) == "" {
				t.Errorf("%s.%s is not documented", p.ImportPath, typ.Name)
			}
			if !documented(typ) && !mentioned(pkg, typ.Name) {
				t.Errorf("%s.%s has no example", p.ImportPath, typ.Name)
			}
		}
	}
}

func parse(t *testing.T, p listed) *doc.Package {
	t.Helper()
	if strings.Contains(p.ImportPath, "/internal") || len(p.GoFiles) == 0 {
		return nil
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name == "main" {
			return nil
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, p.ImportPath)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// documented reports an example of the type or of a function that makes it.
func documented(typ *doc.Type) bool {
	if len(typ.Examples) > 0 {
		return true
	}
	for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
		if len(f.Examples) > 0 {
			return true
		}
	}
	return false
}

// mentioned reports an example, of whatever, whose code names the type: events,
// labels and the like mean nothing on their own.
func mentioned(pkg *doc.Package, name string) bool {
	examples := slices.Clone(pkg.Examples)
	for _, f := range pkg.Funcs {
		examples = append(examples, f.Examples...)
	}
	for _, typ := range pkg.Types {
		examples = append(examples, typ.Examples...)
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			examples = append(examples, f.Examples...)
		}
	}
	for _, e := range examples {
		found := false
		ast.Inspect(e.Code, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == name {
				found = true
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// A file fits in one reading, and no file is a drawer for odds and ends.
func TestFilesAreShortAndNamed(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, drawer := range []string{"util", "common", "types", "helpers", "misc"} {
			if strings.TrimSuffix(d.Name(), ".go") == drawer || filepath.Base(filepath.Dir(path)) == drawer {
				t.Errorf("%s: a file is a noun", path)
			}
		}
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte("\n")); n > 300 {
			t.Errorf("%s has %d lines", path, n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
