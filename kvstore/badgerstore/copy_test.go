package badgerstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/kvstore"
)

// tree returns the contents of a directory, each file by its hash and time.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		info, _ := d.Info()
		files[path] = fmt.Sprintf("%x %v", sha256.Sum256(data), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCopyLeavesNoTrace(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	st, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Save(t.Context(), testKey, valueOf(1), 0); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)

	c, err := OpenCopy(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key, err := range c.List(t.Context(), "") {
		if err != nil {
			t.Error(err)
		}
		keys = append(keys, key)
	}
	it, err := c.Load(t.Context(), testKey)
	if err != nil || !cmp.Equal(it.Value, valueOf(1)) || !cmp.Equal(keys, []string{testKey}) {
		t.Errorf("the copy holds %q, %d bytes, %v", keys, len(it.Value), err)
	}
	if _, err := c.Save(t.Context(), testKey, nil, it.Rev); !errors.Is(err, kvstore.ErrReadOnly) {
		t.Errorf("Save: %v, want ErrReadOnly", err)
	}
	if err := c.Delete(t.Context(), testKey, it.Rev); !errors.Is(err, kvstore.ErrReadOnly) {
		t.Errorf("Delete: %v, want ErrReadOnly", err)
	}
	if !c.Idle() {
		t.Error("somebody has the directory")
	}
	if info := c.Describe(); info.Location != dir || info.Engine != "badger" {
		t.Errorf("described as %+v", info)
	}
	if err := c.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error("looking has changed the directory:", diff)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// What was damaged is recovered in the copy, which tells of it and not the log.
func TestCopyOfADamagedDirectory(t *testing.T) {
	dir := t.TempDir()
	st := openIn(t, dir)
	if _, err := st.Save(t.Context(), testKey, valueOf(1), 0); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func() error {
		var log bytes.Buffer
		c, err := OpenCopy(Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if it, err := c.Load(t.Context(), testKey); err != nil || !cmp.Equal(it.Value, valueOf(1)) {
			t.Errorf("the copy holds %d bytes, %v", len(it.Value), err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if log.Len() > 0 {
			t.Errorf("the log has %s", &log)
		}
		return c.Damage()
	}
	if err := look(); err != nil {
		t.Errorf("a whole directory: %v", err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "badger", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		if err := os.Truncate(table, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := look(); !errors.Is(err, kvstore.ErrCorrupt) || !strings.Contains(err.Error(), dir) {
		t.Errorf("tables are cut off: %v, want ErrCorrupt and the directory", err)
	}
}

func TestCopyOfAHeldDirectory(t *testing.T) {
	dir := t.TempDir()
	pid, release := holder(t, dir)
	defer release()
	_, err := OpenCopy(Config{Dir: dir})
	var locked *kvstore.LockedError
	if !errors.As(err, &locked) || locked.PID != pid {
		t.Errorf("%v, want the pid %d of the owner", err, pid)
	}
}

func TestCopyOfNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenCopy(Config{Dir: dir}); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
	if len(tree(t, dir)) > 0 {
		t.Error("files were made in an empty directory")
	}
	if _, err := OpenCopy(Config{Dir: filepath.Join(dir, "missing")}); !errors.Is(err, kvstore.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}
