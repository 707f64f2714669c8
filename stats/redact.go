package stats

import (
	"math"
	"slices"
	"strings"
)

const (
	maxURLBytes  = 160
	urlWindow    = 4096 // what stands behind is not looked at
	maxEncodings = 4    // URLs in URLs in URLs
	redacted     = "REDACTED"
)

// cleanURL makes a URL safe to show: without user info, without the values of
// parameters that are known to be secret, in the path, the query or the
// fragment, cleaned like all text and cut to 160 bytes. It works on the text
// alone, since what no parser accepts may hold secrets too, and rather takes
// away too much.
func cleanURL(s string) string {
	if len(s) > urlWindow {
		// The @ ends an authority that is longer than the window: it may be all
		// user info.
		s = s[:urlWindow] + "@" + ellipsis
	}
	s = cleanText(s, math.MaxInt)
	for before := ""; s != before; { // one may uncover the other; each round takes an @ away
		before, s = s, redactParams(dropUserInfo(s))
	}
	c := cutter{maxRunes: maxURLBytes, maxBytes: maxURLBytes}
	c.addText(s)
	return string(c.buf)
}

// cleanHost makes the name of a host safe to show. Who gives a URL instead, or a
// name with user info, does not tell its secrets either: no host has an @ in it.
func cleanHost(s string) string {
	s = s[strings.LastIndexByte(s, '@')+1:]
	if strings.ContainsAny(s, "/@=%") {
		s = cleanURL(s)
	}
	return cleanText(s, maxHostRunes)
}

// dropUserInfo removes all before the @ of every authority in s, which is what
// stands between // and the next of /?#, or at the very beginning.
func dropUserInfo(s string) string {
	if strings.IndexByte(s, '@') < 0 {
		return s
	}
	var b strings.Builder
	for body := s; ; body = strings.TrimLeft(s, "/") {
		for {
			authority := body
			if i := strings.IndexAny(body, "/?#"); i >= 0 {
				authority = body[:i]
			}
			at := strings.LastIndexByte(authority, '@')
			if at < 0 && b.Len() > 0 && !validPort(authority) {
				at = strings.LastIndexByte(body, '@') // a password with a bare / in it
			}
			if at < 0 {
				break
			}
			s = body[at+1:]
			body = strings.TrimLeft(s, "/")
		}
		i := strings.Index(s, "//")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i+2])
		s = s[i+2:]
	}
}

// validPort reports whether the authority, without user info, ends in a port or
// has none.
func validPort(authority string) bool {
	port := authority[strings.LastIndexByte(authority, ']')+1:]
	_, port, _ = strings.Cut(port, ":")
	return strings.Trim(port, "0123456789") == ""
}

// redactParams replaces the secrets in parameters, which stand between any of
// &; wherever that is in a URL.
func redactParams(s string) string {
	if strings.IndexByte(s, '=') < 0 && strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for s != "" {
		end := strings.IndexAny(s, "&;")
		if end < 0 {
			end = len(s)
		}
		param := s[:end]
		if at := secretIn(param); at >= 0 {
			b.WriteString(param[:at])
			b.WriteString(redacted)
		} else {
			b.WriteString(param)
		}
		if s = s[end:]; s != "" {
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}

// secretIn returns where the secret in a parameter begins, or -1. A value that
// is itself an encoded URL with a secret, or encoded beyond reason, is secret as
// a whole.
func secretIn(param string) int {
	at := secretValue(param)
	if percent := strings.IndexByte(param, '%'); at < 0 && percent >= 0 && hidesSecret(param) {
		at = strings.LastIndexAny(param[:percent], "/?#=@") + 1
	}
	if at >= 0 && strings.HasPrefix(redacted, strings.TrimSuffix(param[at:], ellipsis)) {
		return -1 // redacted before, and maybe cut
	}
	return at
}

func hidesSecret(param string) bool {
	for range maxEncodings {
		decoded := unescape(param)
		if len(decoded) == len(param) {
			return false
		}
		if secretValue(decoded) >= 0 || dropUserInfo(decoded) != decoded {
			return true
		}
		param = decoded
	}
	return true
}

// secretValue returns where the value of the first secret key=value begins, or
// -1.
func secretValue(s string) int {
	key := 0
	for i := range len(s) {
		switch s[i] {
		case '/', '?', '#', '&', ';', '@':
			key = i + 1
		case '=':
			if isSecret(s[key:i]) {
				return i + 1
			}
			key = i + 1
		}
	}
	return -1
}

// Keys of secrets, in lower case and without anything but letters and digits.
var (
	secretKeys = []string{
		"assertion", "auth", "code", "hmac", "otp", "pass", "pin", "pw", "samlresponse", "sig", "sid", "ticket",
	}
	secretParts = []string{
		"authoriz", "credential", "jwt", "passphrase", "passw", "pwd", "secret", "sessid", "session", "signature", "token",
	}
	secretEnds = []string{"auth", "key"}
)

func isSecret(key string) bool {
	key = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, unescape(key))
	return slices.Contains(secretKeys, key) ||
		slices.ContainsFunc(secretParts, func(p string) bool { return strings.Contains(key, p) }) ||
		slices.ContainsFunc(secretEnds, func(p string) bool { return strings.HasSuffix(key, p) })
}

// unescape decodes every valid %XX and leaves the rest, unlike package url,
// which gives up.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}

func unhex(b byte) byte {
	if isDigit(b) {
		return b - '0'
	}
	return b | 0x20 - 'a' + 10
}
