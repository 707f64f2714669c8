package kvstore

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/kvstore/internal/filelock"
)

func TestOpenDirWithoutAName(t *testing.T) {
	if _, err := OpenDir(""); err == nil {
		t.Error("the working directory is taken")
	}
}

func mustOpenDir(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustSave(t *testing.T, st Store, key, value string, prev Revision) Revision {
	t.Helper()
	rev, err := st.Save(t.Context(), key, []byte(value), prev)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// TestDirTwoOwners races two stores on one directory, as two processes would.
func TestDirTwoOwners(t *testing.T) {
	path := t.TempDir()
	const rounds = 100
	var wg sync.WaitGroup
	for range 2 {
		d := mustOpenDir(t, path)
		wg.Go(func() {
			for added := 0; added < rounds; {
				it, err := d.Load(t.Context(), "n")
				if err != nil && !errors.Is(err, ErrNotFound) {
					t.Error(err)
					return
				}
				_, err = d.Save(t.Context(), "n", append(it.Value, '.'), it.Rev)
				switch {
				case err == nil:
					added++
				case !errors.Is(err, ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	it, err := mustOpenDir(t, path).Load(t.Context(), "n")
	if err != nil || len(it.Value) != 2*rounds {
		t.Errorf("%d additions arrived, want %d (%v)", len(it.Value), 2*rounds, err)
	}
}

func TestDirLocked(t *testing.T) {
	path := t.TempDir()
	d := mustOpenDir(t, path)
	lock, err := filelock.Try(filepath.Join(path, dirLock))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Save(ctx, "k", nil, 0); !errors.Is(err, ErrLocked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save while another process writes: %v, want ErrLocked", err)
	}
	if _, err := d.Load(t.Context(), "k"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Load while another process writes: %v, want ErrNotFound", err)
	}
	saved := make(chan error)
	go func() {
		_, err := d.Save(t.Context(), "k", nil, 0)
		saved <- err
	}()
	lock.Unlock()
	if err := <-saved; err != nil {
		t.Errorf("Save after the other process is done: %v", err)
	}
}

// TestDirDamage flips, cuts and swaps files: all of it is found.
func TestDirDamage(t *testing.T) {
	path := t.TempDir()
	d := mustOpenDir(t, path)
	mustSave(t, d, "k", "the value", 0)
	mustSave(t, d, "other", "another", 0)
	name := filepath.Join(path, fileName("k"))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(damage string, data []byte) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if it, err := d.Load(t.Context(), "k"); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: Load = %q, %v, want ErrCorrupt", damage, it.Value, err)
		}
	}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		try("flip", flipped)
		try("cut", whole[:i])
	}
	try("longer", append(bytes.Clone(whole), 0))
	other, err := os.ReadFile(filepath.Join(path, fileName("other")))
	if err != nil {
		t.Fatal(err)
	}
	try("another file", other)

	damaged := []byte("no header")
	try("no header", damaged)
	var keys []string
	var listed error
	for key, err := range d.List(t.Context(), "") {
		if err != nil {
			listed = err
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) != 1 || keys[0] != "other" || !errors.Is(listed, ErrCorrupt) {
		t.Errorf("List = %q, %v, want the intact key and ErrCorrupt", keys, listed)
	}
	if _, err := d.Save(t.Context(), "k", nil, 7); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Save over a damaged value with a revision: %v, want ErrCorrupt", err)
	}
	mustSave(t, d, "k", "new", 0)
	aside, err := filepath.Glob(name + ".bad-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("damaged bytes are in %v (%v), want one file", aside, err)
	}
	if data, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(data, damaged) {
		t.Errorf("kept aside: %q, %v", data, err)
	}
}

// TestDirHalfWrite leaves the temporary file of a writer that died.
func TestDirHalfWrite(t *testing.T) {
	path := t.TempDir()
	d := mustOpenDir(t, path)
	rev := mustSave(t, d, "k", "one", 0)
	if err := os.WriteFile(filepath.Join(path, dirTemp), bytes.Repeat([]byte("x"), 9999), 0o600); err != nil {
		t.Fatal(err)
	}
	mustSave(t, d, "k", "two", rev)
	it, err := d.Load(t.Context(), "k")
	if err != nil || string(it.Value) != "two" {
		t.Errorf("Load = %q, %v", it.Value, err)
	}
}

func TestDirReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "with", "parents")
	first := mustOpenDir(t, path)
	rev := mustSave(t, first, "k", "kept", 0)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	it, err := mustOpenDir(t, path).Load(t.Context(), "k")
	if err != nil || string(it.Value) != "kept" || it.Rev != rev {
		t.Errorf("Load = %q, %d, %v, want %q, %d", it.Value, it.Rev, err, "kept", rev)
	}
}

func TestDirErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(file); !errors.Is(err, ErrUnavailable) {
		t.Errorf("OpenDir of a file: %v, want ErrUnavailable", err)
	}
	d := mustOpenDir(t, t.TempDir())
	rev := mustSave(t, d, "k", "v", 0)
	if err := os.RemoveAll(d.path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Save(t.Context(), "k", nil, rev); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Save into a removed directory: %v, want ErrUnavailable", err)
	}
}

func TestDiskError(t *testing.T) {
	for errno, want := range map[syscall.Errno]error{
		syscall.ENOSPC: ErrNoSpace, syscall.EDQUOT: ErrNoSpace, syscall.EROFS: ErrReadOnly,
		syscall.EACCES: ErrPermission, syscall.EPERM: ErrPermission, syscall.EIO: ErrUnavailable,
	} {
		err := diskError(&os.PathError{Op: "write", Path: "p", Err: errno})
		if !errors.Is(err, want) || !errors.Is(err, errno) {
			t.Errorf("%v is %v, want %v", errno, err, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	seen := make(map[string]string)
	for _, key := range []string{"", "a", "A", "..", "/", "a/b", "a-b", "\xff", strings.Repeat("k", MaxKey), strings.Repeat("K", MaxKey), "con", "ü", strings.Repeat("ü", 500)} {
		name := fileName(key)
		if len(name) > 150 || filepath.Base(name) != name || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
			t.Errorf("fileName(%.20q) = %q is no safe name", key, name)
		}
		folded := strings.ToLower(name)
		if other, ok := seen[folded]; ok {
			t.Errorf("%q and %q share a file where case folds", key, other)
		}
		seen[folded] = key
	}
}

// TestBubble saves and waits in a synctest bubble, where a call that hangs on
// something outside would deadlock.
func TestBubble(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		for _, st := range []Store{NewMemory(), mustOpenDir(t, path), Named(mustOpenDir(t, path), "x")} {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 10 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						it, _ := st.Load(ctx, "k")
						if _, err := st.Save(ctx, "k", []byte("v"), it.Rev); err != nil && !errors.Is(err, ErrConflict) {
							t.Error(err)
						}
						cancel()
						time.Sleep(time.Second)
					}
				})
			}
			wg.Wait()
			if err := st.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestNothingLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	d := mustOpenDir(t, t.TempDir())
	rev := mustSave(t, d, "k", "v", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Save(ctx, "k", []byte("w"), rev)
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}
