package stats

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"plain, 100 % ~":                   "plain, 100 % ~",
		"Ünïcödé 世界 🎉\u00a0x":              "Ünïcödé 世界 🎉\u00a0x",
		"\x1b[31mred\x1b[0m":               `\x1b[31mred\x1b[0m`,
		"a\x00b\tc\nd\re\x7f":              `a\x00b\x09c\x0ad\x0de\x7f`,
		"\u0085\u009b":                     `\u0085\u009b`,
		"gpj.\u202eexe":                    `gpj.\u202eexe`,
		"\u2066\u2069\u200e\u061c":         `\u2066\u2069\u200e\u061c`,
		"zero\u200bwidth\ufeff":            `zero\u200bwidth\ufeff`,
		"line\u2028par\u2029":              `line\u2028par\u2029`,
		"tag\U000e0041":                    `tag\U000e0041`,
		"bad\xff\xc3(\xed\xa0\x80":         `bad\xff\xc3(\xed\xa0\x80`,
		"\ufffd is a rune":                 "\ufffd is a rune",
		`already \x1b and \u202e`:          `already \x1b and \u202e`,
		strings.Repeat("é", 20):            strings.Repeat("é", 20),
		strings.Repeat("é", 21):            strings.Repeat("é", 19) + "…",
		strings.Repeat("é", 18) + "\u202e": strings.Repeat("é", 18) + "…", // escapes are not cut
	} {
		limit := 100
		if strings.HasPrefix(in, "é") {
			limit = 20
		}
		if got := cleanText(in, limit); got != want {
			t.Errorf("cleanText(%+q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanText_cleanIsFree(t *testing.T) {
	s := "https://example.com/ünï"
	if n := testing.AllocsPerRun(10, func() { cleanText(s, 100) }); n != 0 {
		t.Errorf("clean text costs %v allocations", n)
	}
}

func TestCleanName(t *testing.T) {
	if got := utf8.RuneCountInString(cleanName(strings.Repeat("é", 1<<20))); got != 100 {
		t.Errorf("a long name has %d runes, want 100", got)
	}
}

func TestCleanURL(t *testing.T) {
	long := strings.Repeat("a", 200)
	for in, want := range map[string]string{
		"": "",
		"https://example.com:8080/a/b?page=2&q=shoe#top": "https://example.com:8080/a/b?page=2&q=shoe#top",
		"/relative/@path?x":        "/relative/@path?x",
		"https://medium.com/@user": "https://medium.com/@user",
		"http://[::1]:80/":         "http://[::1]:80/",

		// user info
		"https://user:hunter2@h/x":                     "https://h/x",
		"https://user@h":                               "https://h",
		"user:hunter2@h/x":                             "h/x",
		"//user:hunter2@h/x":                           "//h/x",
		"https:///user:hunter2@h/x":                    "https://h/x",
		"https://user:hun@ter2@h/x":                    "https://h/x",
		"https://user:hun/ter2@h/x":                    "https://h/x", // no parser takes these four
		"https://user:hun//ter2@h/x":                   "https://h/x",
		"https://user:hun?ter2@h/x":                    "https://h/x",
		"https://user:hun#ter2@h/x":                    "https://h/x",
		"https://user:hunter=2&pw=x@h/":                "https://h/",
		"https://us\ner:hunter2@h\x7f/x":               `https://h\x7f/x`,
		"https://h/go?to=http://user:hunter2@x/":       "https://h/go?to=http://x/",
		"https://h/go?to=http%3A%2F%2Fu%3Ahunter2%40x": "https://h/go?to=REDACTED",

		// parameters
		"https://h/?token=s3cr3t&page=2":         "https://h/?token=REDACTED&page=2",
		"https://h/?a=1;API_KEY=s3cr3t;b=2":      "https://h/?a=1;API_KEY=REDACTED;b=2",
		"https://h/?access_token=s3cr3t":         "https://h/?access_token=REDACTED",
		"https://h/?accessToken=s3cr3t":          "https://h/?accessToken=REDACTED",
		"https://h/?X-Amz-Signature=s3cr3t":      "https://h/?X-Amz-Signature=REDACTED",
		"https://h/?user%5Bpass%77ord%5D=s3cr3t": "https://h/?user%5Bpass%77ord%5D=REDACTED",
		"https://h/?token=s3?cr=3t":              "https://h/?token=REDACTED",
		"https://h/?token=":                      "https://h/?token=",
		"https://h/?author=me&codec=x":           "https://h/?author=me&codec=x",
		"https://h/cb#access_token=s3cr3t&x=1":   "https://h/cb#access_token=REDACTED&x=1",
		"https://h/#/route?jwt=s3cr3t":           "https://h/#/route?jwt=REDACTED",
		"https://h/a;jsessionid=s3cr3t?x=1":      "https://h/a;jsessionid=REDACTED",
		"https://h/?u=http://x/?sid=s3cr3t":      "https://h/?u=http://x/?sid=REDACTED",
		"https://h/?u=%2Fcb%3Fcode%3Ds3cr3t":     "https://h/?u=REDACTED",
		"https://h/?u=%252Fcb%253Fcode%253Ds3":   "https://h/?u=REDACTED",
		"https://h/?q=100%2525&x=%2541":          "https://h/?q=100%2525&x=%2541",
		"https://h/%zz?token=s3cr3t":             "https://h/%zz?token=REDACTED",
		"http://h/\x01?password=s3cr3t":          `http://h/\x01?password=REDACTED`,

		// bounds
		"https://h/" + long:                                 "https://h/" + long[:147] + "…",
		"https://h/?token=" + long:                          "https://h/?token=REDACTED",
		"https://h/" + long[:138] + "?token=s3cr3t&x=1":     "https://h/" + long[:138] + "?token=RE…",
		"https://" + strings.Repeat("s3cr3t", 1000) + "@h/": "https://…",
		"https://h/" + strings.Repeat("ü", 100):             "https://h/" + strings.Repeat("ü", 73) + "…",
	} {
		got := cleanURL(in)
		if got != want {
			t.Errorf("cleanURL(%.80q)\n got %q\nwant %q", in, got, want)
		}
		if again := cleanURL(got); again != got {
			t.Errorf("cleanURL(%.80q) again is %q", got, again)
		}
	}
}

// Syntax thrown together finds what random bytes do not.
func TestCleanURL_idempotent(t *testing.T) {
	syntax := []string{"/", "//", "@", ":", "=", "&", ";", "%25", "%40", "%3d", "%2f", "a", "?", "#", "key", "…", "%", "\x00", "[", "]"}
	for range 20_000 {
		s := shuffled(syntax, 30)
		once := cleanURL(s)
		if twice := cleanURL(once); twice != once {
			t.Fatalf("%q became %q, then %q", s, once, twice)
		}
	}
}

// shuffled joins up to n random pieces.
func shuffled(pieces []string, n int) string {
	var b strings.Builder
	for range rand.IntN(n + 1) {
		b.WriteString(pieces[rand.IntN(len(pieces))])
	}
	return b.String()
}

func assertSafe(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) {
			t.Errorf("%q holds %U", s, r)
		}
	}
}

var hostile = []string{
	"", " ", "\x00", "\x1b]0;pwned\a", "\u202egpj.exe", "\xff\xfe", "\u2028", "‮‭", `<img src=x onerror=alert(1)>`, "{{7*7}}",
	`\x1b\u202e`, "…", "a…", strings.Repeat("é\n", 200), strings.Repeat("\u200b", 70),
}

func FuzzCleanText(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, uint8(20))
	}
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		limit := int(n) + 1
		got := cleanText(s, limit)
		assertSafe(t, got)
		if runes := utf8.RuneCountInString(got); runes > limit {
			t.Errorf("%d runes, limit %d", runes, limit)
		}
		if again := cleanText(got, limit); again != got {
			t.Errorf("%q became %q", got, again)
		}
	})
}

func FuzzCleanURL(f *testing.F) {
	for _, s := range hostile {
		f.Add("https://", "user:"+s, "h", "/"+s+"?x=1&token=", s)
	}
	f.Add("http://", "u:p", "[::1]:80", "/a;sid=", "1#x")
	f.Add("//", "", "h:8", "/r?to=http%3A%2F%2Fa%40b%2F%3Fcode%3D1&jwt=", "@")
	f.Fuzz(func(t *testing.T, scheme, user, host, path, secret string) {
		in := scheme + user + "@" + host + path + secret
		got := cleanURL(in)
		assertSafe(t, got)
		if len(got) > maxURLBytes {
			t.Errorf("%d bytes", len(got))
		}
		if again := cleanURL(got); again != got {
			t.Errorf("%q became %q", got, again)
		}
		// What the standard library finds, nobody else shall.
		u, err := url.Parse(got)
		if err != nil {
			return
		}
		if u.User != nil {
			t.Errorf("%q of %q holds user info", got, in)
		}
		for key, values := range u.Query() {
			for _, v := range values {
				if !strings.ContainsAny(key, "/?#=@") && isSecret(key) && !strings.HasPrefix("REDACTED", strings.TrimSuffix(v, "…")) {
					t.Errorf("%q of %q holds a secret in %q", got, in, key)
				}
			}
		}
	})
}

func BenchmarkCleanURL(b *testing.B) {
	const s = "https://shop.example.com/products/shoes/blue?page=2&sort=price&session_id=abcdefgh"
	b.ReportAllocs()
	for b.Loop() {
		cleanURL(s)
	}
}
