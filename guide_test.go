package crawlstats_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The guides quote code that is compiled and tested: every Go block of these
// pages names the lines that it is made of.

var (
	quotedBlock = regexp.MustCompile("(?ms)^(?:<!-- quoted: ([^\n]*) -->\n)?```go\n(.*?)^```")
	guides      = []string{"docs/HTTP.md", "docs/COLLY.md", "docs/TERMINAL.md"}
)

func TestGuidesQuoteCode(t *testing.T) {
	for _, page := range guides {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := quotedBlock.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s quotes nothing", page)
		}
		for _, block := range blocks {
			if block[1] == "" {
				t.Errorf("%s has code that is quoted from nowhere:\n%s", page, block[2])
				continue
			}
			var want string
			for _, source := range strings.Fields(block[1]) {
				want += quoted(t, page, source)
			}
			if block[2] != want {
				t.Errorf("%s: the block of %s is\n%s\nthe code is\n%s", page, block[1], block[2], want)
			}
		}
	}
}

// quoted returns the lines of a file between the marks "// quoted: name" and
// "// end", as far to the left as they go.
func quoted(t *testing.T, page, source string) string {
	t.Helper()
	path, name, _ := strings.Cut(source, "#")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	lines := regexp.MustCompile(`(?ms)^(\t*)// quoted: ` + regexp.QuoteMeta(name) + "\n(.*?)^\t*// end\n").FindStringSubmatch(string(text))
	if lines == nil {
		t.Fatalf("%s: %s has nothing to quote under %q", page, path, name)
	}
	return regexp.MustCompile("(?m)^"+lines[1]).ReplaceAllString(lines[2], "")
}
