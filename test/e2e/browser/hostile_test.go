package browser

import (
	"errors"
	"strings"
	"testing"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

var hostile = []string{
	`<img src=x onerror="document.title='pwned'">`,
	`"><script>document.title='pwned'</script>`,
	`'><svg/onload=document.title='pwned'>`,
	`javascript:document.title='pwned'`,
	`</script></title></textarea></style><script>document.title='pwned'</script>`,
	`{{7*7}}${7*7}`,
	"\u202egnp.exe\u2066",
	"nul\x00byte",
	"not \xff\xfe UTF-8",
	"\x1b[2Jescape\r\nforged: line",
	"__proto__",
	"constructor",
	"<b>" + strings.Repeat("long ", 200_000),
}

// worker is a fleet of workers with hostile names, over a real Statistics.
type worker struct {
	stats.Source
	names []string
}

func (w worker) Members() (all []stats.Member) {
	for _, name := range w.names {
		all = append(all, stats.Member{Name: name, State: stats.MemberSilent, Err: errors.New(name)})
	}
	return all
}

// Whatever a site sends, in whichever field, is text: the title stays, no element
// is made of it, and one can read it.
func TestHostileTexts(t *testing.T) {
	st := stats.New()
	for _, s := range hostile {
		st.Observe(stats.Outcome{
			Request: stats.Request{Host: s, URL: "https://example.org/" + s}, StatusCode: 500,
			Err: stats.WithKind(stats.ErrorKind(s), errors.New(s)),
		})
		j := st.BeginWith(stats.Request{URL: s})
		j.Retry(errors.New("again: " + s))
		j.Discard(stats.DiscardReason(s))
		st.Counter(s).Inc()
		st.Gauge(s).Set(1)
	}
	plain := stats.New()
	for range hostile {
		plain.Observe(stats.Outcome{Request: stats.Request{Host: "a", URL: "b"}, Err: errors.New("c")})
	}
	elements := func(src stats.Source, id string) (*tab, map[string]int) {
		url, _ := serve(t, src, dashboard.Config{ID: id})
		tb := newTab(t, url)
		tb.open(url)
		tb.until(`document.querySelectorAll('#t-errors tr').length > 0`)
		return tb, eval[map[string]int](tb, `[...document.querySelectorAll('*')].reduce((all, e) => (all[e.localName] = (all[e.localName] || 0) + 1, all), {})`)
	}
	_, want := elements(worker{plain, []string{"a"}}, "name")
	for _, id := range []string{hostile[0], hostile[4]} {
		tb, got := elements(worker{st, hostile}, id)
		for name := range got {
			if want[name] == 0 {
				t.Errorf("%d new elements <%s>", got[name], name)
			}
		}
		for _, name := range []string{"script", "img", "style", "iframe", "link", "a", "button"} {
			if got[name] != want[name] {
				t.Errorf("%d × <%s>, want %d", got[name], name, want[name])
			}
		}
		if title := eval[string](tb, `document.title`); title != id || tb.text("#name") != id {
			t.Errorf("the title is %q, the name %q", title, tb.text("#name"))
		}
		page := eval[string](tb, `document.body.textContent`)
		for _, readable := range []string{`<img src=x onerror=`, `\u202egnp.exe\u2066`, `nul\x00byte`, `not \xff\xfe UTF-8`, `\x1b[2Jescape`, `javascript:document.title`, `__proto__`} {
			if !strings.Contains(page, readable) {
				t.Errorf("one cannot read %q in %q", readable, page)
			}
		}
		if strings.ContainsAny(page, "\x00\x1b\u202e\u2066\ufffd") {
			t.Error("a character is not made visible")
		}
		if n := eval[int](tb, `Math.max(...[...document.querySelectorAll('code, td span')].map(e => [...e.textContent].length))`); n > 300 {
			t.Errorf("a text of %d characters", n)
		}
		if over := eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%d px too wide", over)
		}
	}
}
