package badgerstore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/crawlstats/crawlstats/kvstore"
)

// TestCheckTable flips and cuts a table everywhere: nothing passes.
func TestCheckTable(t *testing.T) {
	closed, _ := images(t)
	whole, err := os.ReadFile(one(t, closed, "badger/*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "table")
	check := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return checkTable(path)
	}
	if err := check(whole); err != nil {
		t.Fatalf("a healthy table: %v", err)
	}
	step := max(len(whole)/1500, 1)
	for i := range len(whole) {
		if i%step != 0 && i < len(whole)-300 {
			continue
		}
		whole[i] ^= 1
		if err := check(whole); !errors.Is(err, kvstore.ErrCorrupt) {
			t.Errorf("flipped at %d of %d: %v", i, len(whole), err)
		}
		whole[i] ^= 1
		if err := check(whole[:i]); i > 0 && !errors.Is(err, kvstore.ErrCorrupt) {
			t.Errorf("cut at %d of %d: %v", i, len(whole), err)
		}
	}
}
