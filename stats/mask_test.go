package stats

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMaskMessage(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"connection closed": "connection closed",

		// numbers
		"Some error number 123 456":              "Some error number <n> <n>",
		"timeout after 1.5s, 30 of 1,000":        "timeout after <n>s, <n> of <n>,<n>",
		"worker-17 page_3 item42 v1.2.3":         "worker-<n> page_<n> item<n> v<n>",
		"at 2024-01-01T10:20:30.5Z":              "at <n>-<n>-<n>T<n>:<n>:<n>Z",
		"x509: sha256 over http2, uint8(300)":    "x509: sha256 over http2, uint8(<n>)",
		"HTTP/1.1 503":                           "HTTP/<n> <n>",
		"main.go:42:7: 5% of -1":                 "main.go:<n>:<n>: <n>% of -<n>",
		"Navigation timed out after 60 seconds.": "Navigation timed out after <n> seconds.",

		// hexadecimal
		"id 3f2a91bc, 0xDEAD, c0ffee":                 "id <hex>, <hex>, c<n>ffee",
		"req 123e4567-e89b-12d3-a456-426614174000":    "req <hex>",
		"job_3f2a91bc77.tmp":                          "job_<hex>.tmp",
		"blob e3b0c44298fc1c149afbf4c8996fb92427ae41": "blob <hex>",
		"a defaced facade":                            "a defaced facade",

		// addresses
		"dial tcp 10.0.0.1:443: connect: connection refused": "dial tcp <addr>: connect: connection refused",
		"dial tcp [2001:db8::1]:443: connect: refused":       "dial tcp <addr>: connect: refused",
		"read tcp 10.0.0.1:5555->1.2.3.4:443: read: reset":   "read tcp <addr>-><addr>: read: reset",
		"[::1]x509 [::1]:80x 10.0.0.1:80x":                   "[<addr>]x509 <addr>:<n>x <addr>:<n>x",
		"dial tcp fe80::1%eth0: no route":                    "dial tcp <addr>: no route",
		"lookup www.example.com on 127.0.0.53:53: no such":   "lookup <addr> on <addr>: no such",
		"valid for a.example.com, b.example.com.":            "valid for <addr>, <addr>.",
		"host=example.com:8080, http.Client":                 "host=<addr>, http.Client",
		"std::bad_alloc at 12:34:56":                         "std::bad_alloc at <n>:<n>:<n>",

		// URLs and e-mail addresses
		`Get "https://shop.example.com/a?b=1": EOF`:   "Get <url>: EOF",
		"fetching https://a.example/x(y),z: EOF":      "fetching <url>: EOF",
		"(see http://a.example/x).":                   "(see <url>).",
		"url=postgres://user:pw@db/x failed":          "url=<url> failed",
		"GET /cb?code=s3cr3t&page=2: bad":             "GET /cb?<q>: bad",
		"really? yes":                                 "really? yes",
		"ftp://a, b":                                  "<url>, b",
		"no mailbox for john.doe+x@mail.example.com.": "no mailbox for <email>.",
		"go install x@v1.2.3":                         "go install x@v<n>",

		// quoted
		`lookup "foo bar": no such host`:      "lookup <q>: no such host",
		`KeyError: 'price'`:                   "KeyError: <q>",
		"Expected `boolean`, got `number`":    "Expected <q>, got <q>",
		`parsing "a \"quoted\" word": syntax`: "parsing <q>: syntax",
		`can't find the dog's bone`:           `can't find the dog's bone`,
		`can't find 'it', don't`:              `can't find <q>, don't`,
		`an open "quote`:                      `an open "quote`,
		`{"url":"https://a.example","n":1}`:   "{<q>:<url>,<q>:<n>}",
		`body "` + strings.Repeat("x ", 3000): "body <q>…",
		"body \"<html>\n<body>\": not JSON":   "body <q>…",

		// tokens
		"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVP expired": "token <token> expired",
		"sig=Zm9vYmFyMTIz/c2Vj+cmV0NTY3: bad":                                  "sig=<token>: bad",
		"Zm9vYmFyMTIz/c2Vj+cmV0NTY3: bad":                                      "<token>: bad",
		"x509+wwwwwwwwwwwwwwwwwwwB3B3é":                                        "x509+wwwwwwwwwwwwwwwwwwwB<n>B<n>é",
		"net::ERR_CERT_COMMON_NAME_INVALID":                                    "net::ERR_CERT_COMMON_NAME_INVALID",
		"CertificateVerificationError":                                         "CertificateVerificationError",

		// hostile
		"a\x1b[31mb\u202ec\xff":          `a\x1b[<n>mb\u202ec\xff`,
		`<script>alert(1)</script>`:      `<script>alert(<n>)</script>`,
		"<n> <url> <token> …":            "<n> <url> <token> …",
		"価格 12 円":                        "価格 <n> 円",
		strings.Repeat("x", 500):         strings.Repeat("x", 299) + "…",
		strings.Repeat("価", 500):         strings.Repeat("価", 132) + "…",
		"y " + strings.Repeat("1 ", 500): "y " + strings.TrimSuffix(strings.Repeat("<n> ", 74), " ") + " …",
	} {
		got := maskMessage(in)
		if got != want {
			t.Errorf("maskMessage(%.80q)\n got %q\nwant %q", in, got, want)
		}
		if again := maskMessage(got); again != got {
			t.Errorf("maskMessage(%.80q)\n once  %q\n twice %q", in, got, again)
		}
	}
}

// In Crawlee messages are compared with each other and only then masked.
func TestDifferentWordsStayApart(t *testing.T) {
	if maskMessage("a b") == maskMessage("a c") {
		t.Error("a b and a c are one group")
	}
	if a, b := maskMessage("page 7 of x"), maskMessage("page 12 of x"); a != b {
		t.Errorf("%q and %q are two groups", a, b)
	}
}

func TestFirstLineOnly(t *testing.T) {
	for in, want := range map[string]string{
		"first\nsecond":            "first",
		"first\r\nsecond":          "first",
		"\n \r\n\t\n first \nrest": "first",
		"\n\n":                     "",
	} {
		if got := maskMessage(in); got != want {
			t.Errorf("maskMessage(%q) = %q, want %q", in, got, want)
		}
	}
}

// What follows the window is not looked at.
func TestMaskMessage_window(t *testing.T) {
	for _, piece := range []string{"'", `"`, "[", "a'", "@", "a@", ":", "a:", "://", "1.", "<", "<n>", "é", "\x00", "\n", `\x`, "a.b "} {
		short, long := strings.Repeat(piece, maskWindow), strings.Repeat(piece, 1<<20)
		if a, b := maskMessage(short), maskMessage(long); a != b {
			t.Errorf("%q repeated: %q and %q", piece, a, b)
		}
	}
}

func TestMaskMessage_idempotent(t *testing.T) {
	syntax := []string{
		" ", "?", "'", `"`, "`", "[", "]", "(", "<", ">", "\\", "/", ":", "://", "@", ".", "-", "_", "+", "%", "=", "…", "é", "\x00",
		"<n>", "<q>", "<url>", "a", "Z", "7", "12", "f00", "x509", "deadbeef1", "example.com", "1.2.3.4", "::1", "http",
		"123e4567-e89b-12d3-a456-426614174000", "aB3aB3aB3aB3aB3aB3aB3", strings.Repeat("w", 90),
	}
	for range 20_000 {
		s := shuffled(syntax, 16)
		once := maskMessage(s)
		if twice := maskMessage(once); twice != once {
			t.Fatalf("%q\n once  %q\n twice %q", s, once, twice)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	for _, s := range []string{
		`Get "https://u:p@shop.example.com/a?b=1": dial tcp [2001:db8::1]:443: i/o timeout after 1m30s`,
		"read tcp 10.0.0.1:5555->1.2.3.4:443: x509: 3f2a91bc a@b.c `q` 'r' eyJhbGciOiJIUzI1NiJ9",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := maskMessage(s)
		assertSafe(t, got)
		if runes := utf8.RuneCountInString(got); runes > 300 || len(got) > 400 {
			t.Errorf("%d runes, %d bytes", runes, len(got))
		}
		if again := maskMessage(got); again != got {
			t.Errorf("\n once  %q\n twice %q", got, again)
		}
		if strings.Contains(got, "://") {
			t.Errorf("%q holds a URL", got)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	for _, bench := range []struct{ name, message string }{
		{"80bytes", `Get "https://shop.example.com/p/17": dial tcp 10.1.2.3:443: connection refused`},
		{"words", "the quick brown fox jumps over the lazy dog and then it does so once more again"},
		{"1MB", strings.Repeat("page 17 of example.com; ", 1<<20/24)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				maskMessage(bench.message)
			}
		})
	}
}
