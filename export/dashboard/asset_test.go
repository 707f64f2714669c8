package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files of others are those that VERSIONS names, unchanged.
func TestVendoredFiles(t *testing.T) {
	versions, err := web.ReadFile("web/vendor/VERSIONS")
	if err != nil {
		t.Fatal(err)
	}
	sums := regexp.MustCompile(`(?m)^([0-9a-f]{64})  (\S+)$`).FindAllStringSubmatch(string(versions), -1)
	checked := []string{"VERSIONS"}
	for _, s := range sums {
		data, err := web.ReadFile("web/vendor/" + s[2])
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s[1] {
			t.Errorf("%s has changed", s[2])
		}
		checked = append(checked, s[2])
	}
	entries, err := web.ReadDir("web/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(checked, e.Name()) {
			t.Errorf("%s has no checksum", e.Name())
		}
	}
	license, err := web.ReadFile("web/vendor/uPlot.LICENSE")
	if err != nil || !strings.Contains(string(license), "The MIT License") {
		t.Errorf("the licence is %q, %v", license, err)
	}
}

// Every file is served, and the page asks for nothing that is not.
func TestEveryFileIsServed(t *testing.T) {
	err := fs.WalkDir(web, "web", func(path string, e fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, "web/")
		if served := assets(); err == nil && !e.IsDir() && name != "vendor/VERSIONS" && !strings.HasPrefix(name, "report/") && served[name].name != name {
			t.Errorf("%s is not served", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page := string(assets()[""].data)
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(page, -1) {
		if _, found := assets()[m[1]]; !found && !strings.HasPrefix(m[1], "api/v1/") && m[1] != "report.html" {
			t.Errorf("the page links %s", m[1])
		}
	}
	for _, never := range []string{"<style", " style=", "onclick", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "//cdn"} {
		for name, a := range assets() {
			if !strings.HasPrefix(name, "vendor/") && strings.Contains(string(a.data), never) {
				t.Errorf("%s has %s", name, never)
			}
		}
	}
}
