//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOutputFile: -o replaces a file and keeps its mode, and writes to what is not
// one.
func TestOutputFile(t *testing.T) {
	t.Parallel()
	dir := home(t)
	want := good(t, dir, "export", "crawl-state")
	path := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) string {
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	mode := func(name string) os.FileMode {
		info, err := os.Lstat(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}

	sh := play(t, "command", dir, "sh", "-c", `umask 077 && "$0" export crawl-state -o private.json`, self(t))
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if m := mode("private.json"); m != 0o600 {
		t.Errorf("under a umask of 077 the mode is %v", m)
	}
	if err := os.WriteFile(path("old.json"), []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	good(t, dir, "export", "crawl-state", "-o", "old.json")
	if m := mode("old.json"); m != 0o640 || read("old.json") != want {
		t.Errorf("a file of mode 0640 has become one of %v, or holds something else", m)
	}

	if err := os.Symlink("old.json", path("link")); err != nil {
		t.Fatal(err)
	}
	want = good(t, dir, "export", "today.json")
	good(t, dir, "export", "today.json", "-o", "link")
	if m := mode("link"); m.Type() != os.ModeSymlink || read("old.json") != want {
		t.Errorf("the link is %v, or leads to something else", m)
	}

	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path("pipe"), os.O_RDWR, 0) // holds what is written
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	good(t, dir, "export", "today.json", "-o", "pipe")
	if m := mode("pipe"); m.Type() != os.ModeNamedPipe {
		t.Fatalf("the pipe is %v", m)
	}
	got := make([]byte, len(want))
	if n, _ := pipe.Read(got); string(got[:n]) != want {
		t.Errorf("%d bytes came through the pipe, want %d", n, len(want))
	}
}

// TestUnreadableDirectory: what cannot be looked at is a failure, and not a
// directory with nothing in it. A link to itself fails for every user.
func TestUnreadableDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("badger", filepath.Join(dir, "badger")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", ".", "--finished"}, {"list", "."}, {"show", "dir:badger"}, {"import", ".", "to"}} {
		bad(t, dir, exitFailure, "too many levels of symbolic links", args...)
	}
}
