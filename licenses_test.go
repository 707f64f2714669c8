package crawlstats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// linked is a module that a room links.
type linked struct {
	version string
	license string
	rooms   map[string]bool
}

// docs/LICENSES.md lists every module that a program can link through a room of
// this module, on any of three systems. CRAWLSTATS_UPDATE=1 writes it anew.
func TestLicenses(t *testing.T) {
	modules := map[string]*linked{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		addLinked(t, system, modules)
	}
	var doc strings.Builder
	doc.WriteString("# Licences\n\ncrawlstats is under the [MIT licence](../LICENSE). A program links of the modules below only those of the rooms it imports,\n" +
		"on Linux, macOS and Windows; `go version -m PROGRAM` says which. Versions are pinned in `go.mod` and `go.sum`.\n\n" +
		"What is vendored, the plots of `export/dashboard`, has its licence beside it. Where a module has several, files of it differ.\n\n" +
		"Generated: `CRAWLSTATS_UPDATE=1 go test -run TestLicenses .`\n\n| module | version | licence | rooms |\n|---|---|---|---|\n")
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		m := modules[path]
		if m.license == "" {
			t.Errorf("%s: its licence is not known to this test: look at it", path)
		}
		fmt.Fprintf(&doc, "| %s | %s | %s | %s |\n", path, m.version, m.license, strings.Join(slices.Sorted(maps.Keys(m.rooms)), ", "))
	}
	if os.Getenv("CRAWLSTATS_UPDATE") != "" {
		if err := os.WriteFile("docs/LICENSES.md", []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("docs/LICENSES.md")
	if err != nil || string(have) != doc.String() {
		t.Errorf("docs/LICENSES.md is not up to date (%v): CRAWLSTATS_UPDATE=1 go test -run TestLicenses .", err)
	}
}

// addLinked adds what the rooms link on a system. Programs of this module are
// left out: they link everything.
func addLinked(t *testing.T, system string, modules map[string]*linked) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Deps,Module", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+system)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type pkg struct {
		ImportPath, Name string
		Deps             []string
		Module           *struct {
			Path, Version, Dir string
			Main               bool
		}
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	for path, p := range all {
		if p.Module == nil || !p.Module.Main || p.Name == "main" || strings.Contains(path, "/internal") {
			continue
		}
		for _, dep := range p.Deps {
			m := all[dep].Module
			if m == nil || m.Main {
				continue
			}
			if modules[m.Path] == nil {
				modules[m.Path] = &linked{version: m.Version, license: licenseIn(m.Dir), rooms: map[string]bool{}}
			}
			modules[m.Path].rooms[room(path)] = true
		}
	}
}

// licenseIn names the licences in the folder of a module, each by what only its
// text says.
func licenseIn(dir string) string {
	var found []string
	files, _ := filepath.Glob(filepath.Join(dir, "[LC][IO][CP]*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, known := range []struct{ name, says string }{
			{"Apache-2.0", "Apache License Version 2.0"},
			{"BSD-3-Clause", "may be used to endorse or promote products"},
			{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
			{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
			{"MIT", "Permission is hereby granted, free of charge"},
			{"MPL-2.0", "Mozilla Public License Version 2.0"},
		} {
			more := known.name != "BSD-2-Clause" || !slices.Contains(found, "BSD-3-Clause") // whose text has that of the other
			if strings.Contains(words, known.says) && more && !slices.Contains(found, known.name) {
				found = append(found, known.name)
			}
		}
	}
	return strings.Join(found, " and ")
}
