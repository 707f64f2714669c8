package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/crawlstats/crawlstats/stats"
)

// TestDirectoryCalledLikeAScheme: without a colon it is a directory.
func TestDirectoryCalledLikeAScheme(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	export(t, filepath.Join(dir, "a.json"), shop(1))
	for _, name := range []string{"badger", "dir", "redis", "rediss", "nats", "tls", "http", "https"} {
		good(t, dir, "import", "a.json", name, "--id", "shop")
		has(t, good(t, dir, "list", name), "shop")
		has(t, good(t, dir, "show", name+"#shop"), "920 finished")
	}
}

// TestDirectoryCalledLikeAPattern: its name is a name.
func TestDirectoryCalledLikeAPattern(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, filepath.Join(dir, "[ab]*"), map[string]stats.Snapshot{"shop": shop(1)})
	has(t, good(t, dir, "show", "[ab]*"), "920 finished")
}

// TestSpelledOut: what does not show reaches neither the terminal, which cli
// checks, nor gets lost.
func TestSpelledOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const id = "a\u009b2J\u202eb\U000e0001"
	a := shop(1)
	a.Extensions = map[string][]json.RawMessage{"frontier": {json.RawMessage(`["` + id + `"]`)}}
	files(t, filepath.Join(dir, "hostile"), map[string]stats.Snapshot{id: a})

	var listed struct{ Crawls []struct{ ID string } }
	out := good(t, dir, "list", "hostile", "--format", "json")
	has(t, out, `a\u009b2J\u202eb\udb40\udc01`)
	if err := json.Unmarshal([]byte(out), &listed); err != nil || len(listed.Crawls) != 1 || listed.Crawls[0].ID != id {
		t.Errorf("%+q, %v", listed, err)
	}
	var figures struct{ ID string }
	if err := json.Unmarshal([]byte(good(t, dir, "show", "hostile", "--format", "json")), &figures); err != nil || figures.ID != id {
		t.Errorf("%+q, %v", figures, err)
	}
	exported, err := stats.Decode([]byte(good(t, dir, "export", "hostile")))
	if err != nil {
		t.Fatal(err)
	}
	frontier, err := stats.ExtensionOf[[]string](exported, "frontier", nil)
	if err != nil || len(frontier) != 1 || frontier[0] != id {
		t.Errorf("%+q, %v", frontier, err)
	}
	bad(t, dir, exitNothing, `there is no a\u009b2J\u202eb\U000e0001`, "show", id)
}
