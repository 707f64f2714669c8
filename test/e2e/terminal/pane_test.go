package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/test/e2e/internal/tool"
)

// pane is a terminal with the crawler in it.
type pane struct {
	t      *testing.T
	socket string
	state  string // its directory
	raw    string // the file of all that the crawler has written
}

// open starts the crawler in a terminal of that many columns and thirty rows.
func open(t *testing.T, columns int, env ...string) *pane {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return openCommand(t, dir, columns, fmt.Sprintf("GORACE=atexit_sleep_ms=0 %s=%s %s %s",
		stateEnv, filepath.Join(dir, "state"), strings.Join(env, " "), exe))
}

// openCommand runs a command of the shell in a terminal.
func openCommand(t *testing.T, dir string, columns int, command string) *pane {
	t.Helper()
	tool.Program(t, "tmux", "tmux")
	p := &pane{t: t, socket: filepath.Join(dir, "tmux"), state: filepath.Join(dir, "state"), raw: filepath.Join(dir, "raw")}
	// The command waits for a key, so that none of its output is missed. It has an
	// environment of its own: that of the tests may say CI.
	script := fmt.Sprintf("cd %s; stty -echo; read key; env -u CI -u NO_COLOR %s; echo exit code $?; sleep 1000", dir, command)
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(columns), "-y", "30", script)
	t.Cleanup(func() { p.tmux("kill-server") })
	p.tmux("set-option", "-g", "history-limit", "10000")
	p.tmux("pipe-pane", "-o", "cat >"+p.raw)
	p.tmux("send-keys", "Enter")
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// rows returns what stands on the terminal and above it, without empty rows at
// the end.
func (p *pane) rows() []string {
	p.t.Helper()
	return strings.Split(strings.TrimRight(p.tmux("capture-pane", "-p", "-S", "-"), "\n"), "\n")
}

func (p *pane) last() string {
	rows := p.rows()
	return rows[len(rows)-1]
}

// await waits until a row has that text.
func (p *pane) await(text string) {
	p.t.Helper()
	p.until("a row with "+text, func() bool { return strings.Contains(strings.Join(p.rows(), "\n"), text) })
}

func (p *pane) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not within a minute: %s; the terminal shows\n%s", what, strings.Join(p.rows(), "\n"))
		}
	}
}

// written returns every byte that the crawler has written.
func (p *pane) written() string {
	p.t.Helper()
	data, err := os.ReadFile(p.raw)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *pane) key(key string) { p.t.Helper(); p.tmux("send-keys", key) }
