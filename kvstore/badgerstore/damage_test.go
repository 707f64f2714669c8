package badgerstore

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

const (
	copiedRev = 30 // what the side copy has
	newestRev = 60 // what the database has
)

// images returns two directories with a database at newestRev and a side copy at
// copiedRev: closed, with everything in a table, and crashed, with everything in
// the write-ahead log.
func images(t *testing.T) (closed, crashed string) {
	t.Helper()
	dir := t.TempDir()
	st, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var rev kvstore.Revision
	save := func(until kvstore.Revision) {
		for rev < until {
			if rev, err = st.Save(t.Context(), testKey, valueOf(rev+1), rev); err != nil {
				t.Fatal(err)
			}
		}
	}
	save(copiedRev)
	if err := st.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	side := copyTree(t, filepath.Join(dir, "last-good"))
	save(newestRev)
	crashed = copyTree(t, dir)
	if err := st.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed = copyTree(t, dir)
	for _, dir := range []string{closed, crashed} {
		last := filepath.Join(dir, "last-good")
		if err := os.RemoveAll(last); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(last, os.DirFS(side)); err != nil {
			t.Fatal(err)
		}
	}
	return closed, crashed
}

// one returns the only file that the pattern matches.
func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s matches %v, want one file (%v)", pattern, found, err)
	}
	return found[0]
}

// edit changes the only file that the pattern matches.
func edit(pattern string, change func(data []byte) []byte) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		path := one(t, dir, pattern)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func keepPercent(n int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:len(b)*n/100] }
}

func dropLast(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)-n] } }

// flip turns one bit at n percent of what is not trailing zeros.
func flip(n int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[(len(bytes.TrimRight(b, "\x00"))-1)*n/100] ^= 0x10
		return b
	}
}

func plant(name string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, "badger", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(pattern string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		if err := os.RemoveAll(one(t, dir, pattern)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamage(t *testing.T) {
	closed, crashed := images(t)
	const (
		sst, wal           = "badger/*.sst", "badger/*.mem"
		manifest, registry = "badger/MANIFEST", "badger/KEYREGISTRY"
	)
	type verdict int
	const (
		harmless verdict = iota
		recovered
	)
	for _, test := range []struct {
		name   string
		image  string
		damage func(t *testing.T, dir string)
		want   verdict
	}{
		{"none", closed, func(*testing.T, string) {}, harmless},
		{"none after a crash", crashed, func(*testing.T, string) {}, harmless},
		{"table empty", closed, edit(sst, keepPercent(0)), recovered},
		{"table cut in half", closed, edit(sst, keepPercent(50)), recovered},
		{"table without its end", closed, edit(sst, dropLast(3)), recovered},
		{"table flipped at 1 %", closed, edit(sst, flip(1)), recovered},
		{"table flipped at 50 %", closed, edit(sst, flip(50)), recovered},
		{"table without its checksum", closed, edit(sst, dropLast(16)), recovered},
		{"table without a byte", closed, edit(sst, dropLast(1)), recovered},
		{"table of three bytes", closed, edit(sst, func(b []byte) []byte { return b[:3] }), recovered},
		{"table of zeros", closed, edit(sst, func(b []byte) []byte { return make([]byte, len(b)) }), recovered},
		{"table flipped at 99 %", closed, edit(sst, flip(99)), recovered},
		{"table flipped in its last block", closed, edit(sst, func(b []byte) []byte { b[len(b)*9/10] ^= 0xff; return b }), recovered},
		{"table removed", closed, remove(sst), recovered},
		{"log flipped at 1 %", crashed, edit(wal, flip(1)), recovered},
		{"log flipped at 25 %", crashed, edit(wal, flip(25)), recovered},
		{"log flipped at 50 %", crashed, edit(wal, flip(50)), recovered},
		{"log flipped at 75 %", crashed, edit(wal, flip(75)), recovered},
		{"log flipped at 98 %", crashed, edit(wal, flip(98)), recovered},
		{"log empty", crashed, edit(wal, keepPercent(0)), recovered},
		{"log removed", crashed, remove(wal), recovered},
		{"manifest removed", closed, remove(manifest), recovered},
		{"manifest empty", closed, edit(manifest, keepPercent(0)), recovered},
		{"manifest cut in half", closed, edit(manifest, keepPercent(50)), recovered},
		{"manifest without its end", closed, edit(manifest, dropLast(3)), recovered},
		{"manifest flipped at 1 %", closed, edit(manifest, flip(1)), recovered},
		{"manifest flipped at 30 %", closed, edit(manifest, flip(30)), recovered},
		{"manifest with another magic number", closed, edit(manifest, func(b []byte) []byte { b[4] ^= 0x20; return b }), recovered},
		{"manifest with another version", closed, edit(manifest, func(b []byte) []byte { b[7] ^= 0x20; return b }), recovered},
		{"manifest flipped at 99 %", closed, edit(manifest, flip(99)), recovered},
		{"registry empty", closed, edit(registry, keepPercent(0)), recovered},
		{"registry cut in half", closed, edit(registry, keepPercent(50)), recovered},
		{"registry flipped", closed, edit(registry, flip(90)), recovered},
		{"registry removed", closed, remove(registry), harmless},
		{"value log removed", closed, remove("badger/*.vlog"), harmless},
		{"value log flipped", closed, edit("badger/*.vlog", flip(1)), recovered},
		{"discard flipped", closed, edit("badger/DISCARD", func(b []byte) []byte { b[3] ^= 1; return b }), harmless},
		{"empty log planted", closed, plant("00009.mem"), harmless},
		{"empty value log planted", closed, plant("000009.vlog"), harmless},
		{"both planted after a crash", crashed, func(t *testing.T, dir string) { plant("00009.mem")(t, dir); plant("000009.vlog")(t, dir) }, harmless},
		{"lock file garbage", closed, plant("LOCK"), harmless},
		{"database removed", closed, remove("badger"), recovered},
		{"side copy removed", closed, remove("last-good"), harmless},
		{"side copy cut", closed, edit("last-good/*.kv", keepPercent(50)), harmless},
		{"marks removed", closed, remove("marks"), harmless},
		{"marks cut", closed, edit("marks", dropLast(3)), harmless},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := copyTree(t, test.image)
			test.damage(t, dir)
			got := readDamaged(t, dir)
			t.Logf("revision %d, then %d: %v", got.Before, got.After, got.Warnings)
			if got.Before < copiedRev || got.Before > newestRev {
				t.Fatalf("loaded revision %d, want one of %d to %d", got.Before, copiedRev, newestRev)
			}
			if got.After <= got.Before || got.Before < newestRev && got.After <= newestRev {
				t.Errorf("saved revision %d after %d: a lost revision comes again", got.After, got.Before)
			}
			if test.want == harmless {
				if got.Before != newestRev || len(got.Warnings) != 0 {
					t.Errorf("loaded revision %d with warnings %v, want %d without", got.Before, got.Warnings, newestRev)
				}
				return
			}
			if len(got.Warnings) != 1 {
				t.Fatalf("%d warnings, want one", len(got.Warnings))
			}
			if missing := got.Warnings[0]["missing_saves_at_most"]; missing != float64(newestRev-got.Before) {
				t.Errorf("reported %v missing saves, want %d", missing, newestRev-got.Before)
			}
			if moved, ok := got.Warnings[0]["damaged_database"].(string); ok {
				if entries, err := os.ReadDir(moved); err != nil || len(entries) == 0 {
					t.Errorf("the damaged database is not in %s (%v)", moved, err)
				}
			}
		})
	}
}

// TestMissingManifest finds the tables where the database was moved, which
// Badger would have deleted.
func TestMissingManifest(t *testing.T) {
	dir, _ := images(t)
	remove("badger/MANIFEST")(t, dir)
	readDamaged(t, dir)
	one(t, dir, "badger.bad-*/*.sst")
}

// readDamaged opens dir in a process of its own, which nothing in dir may kill.
func readDamaged(t *testing.T, dir string) readout {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := child(t, "read", dir)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("child: %v\n%.1500s", err, stderr.Bytes())
	}
	var got readout
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}
