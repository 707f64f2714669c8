package stats

import (
	"strings"
	"testing"
	"unicode/utf8"

	corpus "github.com/crawlstats/crawlstats/internal/hostile"
)

// FuzzHost: the name of a host shows, is short, cleans to itself, and tells no
// secret whatever a crawler takes for a host.
func FuzzHost(f *testing.F) {
	for _, x := range corpus.Texts() {
		f.Add(x.Value[:min(len(x.Value), 300)])
	}
	for _, x := range corpus.Secrets() {
		f.Add(x.Value)
	}
	f.Add("shop.example:8443")
	f.Add("http://Z/er:" + corpus.Secret + "@") // a user with a bare / looks like a host and a path
	f.Fuzz(func(t *testing.T, s string) {
		host := cleanHost(s)
		if again := cleanHost(host); again != host {
			t.Errorf("%q cleans to %q, and that to %q", s, host, again)
		}
		if utf8.RuneCountInString(host) > maxHostRunes {
			t.Errorf("%d runes", utf8.RuneCountInString(host))
		}
		for i := 0; i < len(host); {
			size, ok := graphic(host[i:])
			if !ok {
				t.Fatalf("%q does not show in %q", host[i:i+size], host)
			}
			i += size
		}
		if strings.Contains(host, "@") && strings.Contains(host, "//") {
			t.Errorf("user info in %q", host)
		}
	})
}

func TestHostTellsNoSecret(t *testing.T) {
	for _, x := range corpus.Secrets() {
		if strings.Contains(x.Value, " ") {
			continue // an error, not a host
		}
		if host := cleanHost(x.Value); strings.Contains(host, corpus.Secret) {
			t.Errorf("%s: %q", x.Name, host)
		}
	}
	for _, host := range []string{"shop.example", "shop.example:80", "[::1]:80", "127.0.0.1", "sh🛒p.example", "a_b-c"} {
		if got := cleanHost(host); got != host {
			t.Errorf("%q becomes %q", host, got)
		}
	}
}
