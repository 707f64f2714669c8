package stats

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Bounds of a masked message, and how much of a message is looked at.
const (
	maxMessageRunes = 300
	maxMessageBytes = 400
	maskWindow      = 2048
)

// What the variable parts of a message are replaced with.
const (
	maskNumber = "<n>"
	maskHex    = "<hex>"   // hexadecimal numbers, hashes, UUIDs
	maskToken  = "<token>" // long random-looking words
	maskQuoted = "<q>"
	maskURL    = "<url>"
	maskEmail  = "<email>"
	maskAddr   = "<addr>" // IP addresses and host names, with their port
)

// holders are copied as they stand. The ellipsis is one of them, for what it
// cuts is not the whole word.
var holders = [...]string{maskNumber, maskHex, maskToken, maskQuoted, maskURL, maskEmail, maskAddr, ellipsis}

// maskMessage reduces an error message to what all errors of its sort share:
// its first line, cleaned, with a placeholder for every variable part. Each
// message is masked by itself, so groups do not depend on the order in which
// errors arrive, and merge. Masking a masked message changes nothing.
func maskMessage(s string) string {
	more := len(s) > maskWindow
	if more {
		end := maskWindow
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s, more = strings.TrimSpace(s[:i]), true
	}
	m := masker{
		s:    cleanText(s, math.MaxInt),
		more: more,
		out:  cutter{maxRunes: maxMessageRunes, maxBytes: maxMessageBytes, buf: make([]byte, 0, min(len(s)+16, maxMessageBytes))},
	}
	for m.i < len(m.s) && !m.out.full {
		m.next()
	}
	return string(m.out.buf)
}

// A masker goes through a clean message once. It sees quoted texts, IPv6
// addresses in brackets, and between them chunks: URLs, e-mail addresses, or
// parts such as 10.0.0.1, example.com or job-17, joined by punctuation.
//
// A placeholder belongs to the chunk and the part it touches, and these are then
// masked by words only: replacing something can never make a new host or URL of
// what stands beside it. Borders of quotes and brackets take a placeholder for a
// letter for the same reason.
type masker struct {
	s        string
	i        int  // s[:i] is done
	more     bool // the message goes on behind s
	unclosed [3]bool
	out      cutter
}

func (m *masker) next() {
	switch b := m.s[m.i]; {
	case strings.IndexByte(quotes, b) >= 0 && m.quoted(b):
	case b == '[' && m.bracketed():
	case b == '\\':
		m.keep(m.i + escapeLen(m.s[m.i:]))
	default:
		if end, holds := m.chunkEnd(); end > m.i {
			m.chunk(end, holds)
		} else {
			m.keep(m.i + 1)
		}
	}
}

// keep copies s[i:end], whole or not at all.
func (m *masker) keep(end int) {
	m.out.add(m.s[m.i:end], utf8.RuneCountInString(m.s[m.i:end]))
	m.i = end
}

// put writes a placeholder for s[i:end].
func (m *masker) put(holder string, end int) {
	m.out.add(holder, len(holder))
	m.i = end
}

const quotes = "\"'`"

// quoted masks a text in quotes, or a double quote that what is looked at does
// not close.
func (m *masker) quoted(quote byte) bool {
	kind := strings.IndexByte(quotes, quote)
	if m.unclosed[kind] || m.afterWord() {
		return false
	}
	for end := m.i + 1; end < len(m.s); end++ {
		if m.s[end] == quote && m.s[end-1] != '\\' && !m.wordAt(end+1) {
			holder := maskQuoted
			if strings.Contains(m.s[m.i:end], "://") {
				holder = maskURL
			}
			m.put(holder, end+1)
			return true
		}
	}
	m.unclosed[kind] = true // nor will a later one be
	if quote != '"' || !m.more {
		return false
	}
	m.put(maskQuoted, len(m.s))
	m.out.add(ellipsis, 1)
	return true
}

// bracketed masks [IPv6], with a port or without.
func (m *masker) bracketed() bool {
	const longest = len("[0000:0000:0000:0000:0000:ffff:255.255.255.255%interface012345]")
	n := strings.IndexByte(m.s[m.i:min(m.i+longest, len(m.s))], ']')
	if n < 0 || m.afterWord() || !isIP(m.s[m.i+1:m.i+n]) {
		return false
	}
	end := m.portEnd(m.i + n + 1)
	if m.wordAt(end) {
		return false
	}
	m.put(maskAddr, end)
	return true
}

// portEnd returns the end of the port at i, or i.
func (m *masker) portEnd(i int) int {
	if i >= len(m.s) || m.s[i] != ':' {
		return i
	}
	end := i + 1
	for end < len(m.s) && isDigit(m.s[end]) {
		end++
	}
	if end == i+1 || m.wordAt(end) {
		return i
	}
	return end
}

// afterWord and wordAt report whether a letter, digit or placeholder stands
// before s[i], and at s[i].
func (m *masker) afterWord() bool {
	if m.i == 0 {
		return false
	}
	if b := m.s[m.i-1]; b != '>' {
		return isWord(b)
	}
	for _, h := range holders {
		if strings.HasSuffix(m.s[:m.i], h) {
			return true
		}
	}
	return false
}

func (m *masker) wordAt(i int) bool {
	return i < len(m.s) && (isWord(m.s[i]) || holderLen(m.s[i:]) > 0)
}

// chunkEnd returns the end of the chunk at i, and whether it holds a
// placeholder.
func (m *masker) chunkEnd() (end int, holds bool) {
	for end = m.i; end < len(m.s); {
		switch n := holderLen(m.s[end:]); {
		case n > 0:
			end += n
			holds = true
		case isChunk(m.s[end]):
			end++
		default:
			return end, holds
		}
	}
	return end, holds
}

func (m *masker) chunk(end int, holds bool) {
	c := m.s[m.i:end]
	if i := strings.Index(c, "://"); i >= 0 {
		m.url(m.i + i)
		return
	}
	if !holds {
		if start, after := findEmail(c); start >= 0 {
			after += m.i
			m.parts(m.i + start)
			m.put(maskEmail, after)
			return
		}
		if body := strings.TrimSuffix(strings.TrimRight(c, ".!?"), ":"); isIP(body) {
			m.put(maskAddr, m.i+len(body))
		}
	}
	m.parts(end)
}

// url masks the URL whose scheme ends at colon, and what is before it in the
// chunk by parts. A URL ends where a chunk does not: it may hold brackets.
func (m *masker) url(colon int) {
	start := colon
	for start > m.i && isScheme(m.s[start-1]) {
		start--
	}
	end := colon + len("://")
	for end < len(m.s) && strings.IndexByte(" <>\\"+quotes, m.s[end]) < 0 {
		end++
	}
	for end > colon+len("://") && strings.IndexByte(".,;:!?)]}", m.s[end-1]) >= 0 {
		end--
	}
	m.parts(start)
	m.put(maskURL, end)
}
