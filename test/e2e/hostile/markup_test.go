package hostile

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/crawlstats/crawlstats/internal/hostile"
)

// checkMarkup: no element and no attribute is there that does anything, but those
// of our own page.
func checkMarkup(t *testing.T, out string) {
	title := ""
	for z := html.NewTokenizer(strings.NewReader(out)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Error(z.Err())
			}
			if strings.TrimSpace(title) == hostile.Evil {
				t.Errorf("the title is %q", title)
			}
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			for _, a := range token.Attr {
				value := strings.ToLower(strings.TrimSpace(a.Val))
				if strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc" || strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:text") {
					t.Errorf("<%s %s=%.100q>", token.Data, a.Key, a.Val)
				}
				if (a.Key == "src" || a.Key == "href") && strings.Contains(value, "//") {
					t.Errorf("<%s %s=%.100q> leads away", token.Data, a.Key, a.Val)
				}
			}
			switch token.Data {
			case "script":
				z.Next()
				if text := strings.TrimSpace(string(z.Text())); text != "" {
					t.Errorf("a script in the page: %.200q", text)
				}
			case "title":
				z.Next()
				if title == "" {
					title = string(z.Text())
				}
			case "img", "iframe", "object", "embed", "form", "base":
				t.Errorf("an element <%s>", token.Data)
			}
		}
	}
}
