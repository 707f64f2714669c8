package stats

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Sorts of bytes, from the inside out: a word is letters and digits, a part
// joins words, a chunk joins parts. All that is not ASCII counts as letters.

const (
	joints    = "._-"
	connector = "/:@%=&?~#$*!+"
)

const (
	sortAlnum = 1 << iota
	sortWord
	sortPart
	sortChunk
)

var sorts = func() (table [256]uint8) {
	for i := range table {
		b := byte(i)
		switch {
		case isDigit(b), isLower(b), isUpper(b):
			table[i] = sortAlnum | sortWord | sortPart | sortChunk
		case b >= utf8.RuneSelf:
			table[i] = sortWord | sortPart | sortChunk
		case strings.IndexByte(joints, b) >= 0:
			table[i] = sortPart | sortChunk
		case strings.IndexByte(connector, b) >= 0:
			table[i] = sortChunk
		}
	}
	return table
}()

func isAlnum(b byte) bool { return sorts[b]&sortAlnum != 0 }
func isWord(b byte) bool  { return sorts[b]&sortWord != 0 }
func isPart(b byte) bool  { return sorts[b]&sortPart != 0 }
func isChunk(b byte) bool { return sorts[b]&sortChunk != 0 }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
func isLower(b byte) bool { return 'a' <= b && b <= 'z' }
func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isHex(b byte) bool   { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'f' }

func isScheme(b byte) bool { return isAlnum(b) || b == '+' || b == '.' || b == '-' }

// holderLen returns the length of the placeholder that s begins with, or 0.
func holderLen(s string) int {
	if s[0] != '<' && s[0] != ellipsis[0] {
		return 0
	}
	for _, h := range holders {
		if strings.HasPrefix(s, h) {
			return len(h)
		}
	}
	return 0
}

// escapeLen returns the length of the escape of cleanText that s begins with,
// or 1, its backslash.
func escapeLen(s string) int {
	n := 1
	if len(s) > 1 {
		switch s[1] {
		case 'x':
			n = len(`\x1b`)
		case 'u':
			n = len(`\u202e`)
		case 'U':
			n = len(`\U000e0041`)
		}
	}
	if n > len(s) {
		return 1
	}
	for i := 2; i < n; i++ {
		if !isHex(s[i]) {
			return 1
		}
	}
	return n
}

// isName reports whether a word is a name in spite of its digits.
func isName(word string) bool {
	switch word {
	case "x509", "HTTP2", "http2", "h2", "h3", "http3", "utf8", "UTF8", "utf16", "UTF16",
		"IPv4", "IPv6", "ipv4", "ipv6", "tcp4", "tcp6", "udp4", "udp6",
		"md5", "sha1", "sha256", "sha512", "base32", "base64", "int8", "int16", "int32", "int64",
		"uint8", "uint16", "uint32", "uint64", "float32", "float64", "s3", "socks5":
		return true
	}
	return false
}

// isHexWord tells hexadecimal words from decimal numbers and words of letters.
func isHexWord(word string) bool {
	if digits, ok := strings.CutPrefix(word, "0x"); ok && digits != "" {
		return allHex(digits)
	}
	return len(word) >= 8 && allHex(word) && strings.Trim(word, "0123456789") != ""
}

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return true
}

// isIP asks netip only about what looks the part, since it allocates for a no.
func isIP(s string) bool {
	addr, _, _ := strings.Cut(s, "%")
	for i := range len(addr) {
		if b := addr[i]; !isHex(b) && b != '.' && b != ':' {
			return false
		}
	}
	if strings.Count(addr, ":") < 2 && strings.Count(addr, ".") != 3 {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isHost reports whether s is a host name with a dot. Capitals speak for the
// identifier of a program, known endings for a file.
func isHost(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 || strings.Contains(s, "..") {
		return false
	}
	for i := range dot {
		if b := s[i]; !isLower(b) && !isDigit(b) && strings.IndexByte(joints, b) < 0 {
			return false
		}
	}
	top := s[dot+1:]
	switch top {
	case "go", "html", "htm", "json", "xml", "txt", "csv", "js", "ts", "css", "php", "log", "yaml", "yml", "toml", "conf",
		"jpg", "jpeg", "png", "gif", "svg", "webp", "pdf", "gz", "tmp", "db", "dll", "exe", "java", "rb":
		return false
	}
	if strings.HasPrefix(top, "xn--") {
		return true
	}
	for i := range len(top) {
		if !isLower(top[i]) {
			return false
		}
	}
	return 2 <= len(top) && len(top) <= 24
}

// isToken reports whether s looks random: long, and with capitals, small letters
// and digits mixed, or with many changes between letters and digits.
func isToken(s string) bool {
	if len(s) < 20 {
		return false
	}
	var lower, upper, digits, runs int
	for i := range len(s) {
		switch b := s[i]; {
		case isDigit(b):
			digits++
			if i == 0 || !isDigit(s[i-1]) {
				runs++
			}
		case isLower(b):
			lower++
		case isUpper(b):
			upper++
		case b != '+' && b != '/' && strings.IndexByte(joints, b) < 0:
			return false
		}
	}
	return lower > 0 && upper > 0 && digits >= 2 || lower+upper >= 4 && runs >= 4
}

// findEmail returns the first e-mail address in s, or -1.
func findEmail(s string) (start, end int) {
	for at := range len(s) {
		if s[at] != '@' {
			continue
		}
		start, end = at, at+1
		for start > 0 && (isAlnum(s[start-1]) || strings.IndexByte("._%+-", s[start-1]) >= 0) {
			start--
		}
		for end < len(s) && (isAlnum(s[end]) || s[end] == '.' || s[end] == '-') {
			end++
		}
		domain := strings.TrimRight(s[at+1:end], ".-")
		dot := strings.LastIndexByte(domain, '.')
		if start < at && dot > 0 && !isDigit(domain[dot+1]) {
			return start, at + 1 + len(domain)
		}
	}
	return -1, -1
}
