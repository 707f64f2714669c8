// Package tool finds the programs that tests talk to.
//
// # Concurrency
//
// For the goroutine of a test; an Output is safe for any number.
package tool

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Installed returns a file that install.sh has put into its directory, or ends
// the test without it.
func Installed(t testing.TB, file string) string {
	t.Helper()
	dir := os.Getenv("CRAWLSTATS_E2E")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(home, ".cache", "crawlstats-e2e")
	}
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err != nil {
		Missing(t, path, "test/e2e/install.sh")
	}
	return path
}

// Program returns the path of a program of Debian's packages, or ends the test
// without it.
func Program(t testing.TB, name, packages string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name, "apt-get install -y --no-install-recommends "+packages)
	}
	return path
}

// Missing ends the test: in CI it has failed.
func Missing(t testing.TB, what, install string) {
	t.Helper()
	const format = "NOT TESTED: %s is missing; run %s"
	if os.Getenv("CI") != "" {
		t.Fatalf(format, what, install)
	}
	t.Skipf(format, what, install)
}
