package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the commands of docs/COMMAND.md say into it")

const page = "../../docs/COMMAND.md"

// TestPageOfTheCommand runs every command that stands behind a $ in a console
// block of the page, in their order and in one directory, and compares what they
// say with what the page says.
func TestPageOfTheCommand(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := home(t)
	bin := t.TempDir()
	if err := os.Symlink(self(t), filepath.Join(bin, "crawlstats")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	block, ran := false, 0
	for l := range strings.Lines(string(data)) {
		command, isCommand := strings.CutPrefix(l, "$ ")
		switch {
		case !block:
			out.WriteString(l)
			block = l == "```console\n"
		case l == "```\n":
			out.WriteString(l)
			block = false
		case isCommand:
			ran++
			out.WriteString(l + said(t, bin, dir, strings.TrimSpace(command)))
		}
	}
	if ran < 20 {
		t.Errorf("%d commands on the page, that is too few", ran)
	}
	if *update {
		if err := os.WriteFile(page, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(data), out.String()); diff != "" && !*update {
		t.Errorf("docs/COMMAND.md is stale (go test ./cmd/crawlstats -run Page -update):\n%s", diff)
	}
	for _, c := range commands() {
		if !strings.Contains(string(data), "$ crawlstats "+c.name+" --help") {
			t.Errorf("the help of %s is not on the page", c.name)
		}
	}
}

// said runs a line of the shell and returns all it says, and its exit code where
// that is not 0.
func said(t *testing.T, bin, dir, line string) string {
	t.Helper()
	cmd := play(t, "command", dir, "sh", "-c", line)
	cmd.Env = append(cmd.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		text = append(text, "exit code "+count(int64(code))+"\n"...)
	}
	return string(text)
}
