package stats

import (
	"strings"
	"unicode/utf8"
)

// parts masks s[i:end], all or the rest of a chunk.
func (m *masker) parts(end int) {
	for m.i < end {
		stop, holds := m.i, false
		for stop < end {
			if n := holderLen(m.s[stop:]); n > 0 {
				stop += n
				holds = true
			} else if isPart(m.s[stop]) {
				stop++
			} else {
				break
			}
		}
		switch {
		case stop == m.i && m.s[m.i] == '?' && m.query(end):
		case stop == m.i:
			m.keep(m.i + 1)
		case holds:
			m.words(stop)
		case stop < end && (m.s[stop] == '/' || m.s[stop] == '+') && m.base64(stop, end):
		default:
			m.part(stop)
		}
	}
}

// query masks a query, such as that of a URL without a host: it is variable, and
// may hold secrets.
func (m *masker) query(end int) bool {
	query := strings.TrimRight(m.s[m.i+1:end], ".:!?")
	key, _, ok := strings.Cut(query, "=")
	if !ok || strings.ContainsAny(key, "<"+ellipsis) { // a placeholder: masked before
		return false
	}
	m.keep(m.i + 1)
	m.put(maskQuoted, m.i+len(query))
	return true
}

// base64 masks a token that goes on behind its first part, which ends at stop.
func (m *masker) base64(stop, end int) bool {
	for ; stop < end; stop++ {
		if holderLen(m.s[stop:]) > 0 {
			return false
		}
		if b := m.s[stop]; !isPart(b) && b != '/' && b != '+' {
			break
		}
	}
	body := strings.TrimRight(m.s[m.i:stop], joints)
	if !isToken(body) {
		return false
	}
	m.put(maskToken, m.i+len(body))
	return true
}

// part masks s[i:end], which holds no placeholder.
func (m *masker) part(end int) {
	p := strings.TrimRight(m.s[m.i:end], joints)
	body := strings.TrimLeft(p, joints)
	start, stop := m.i+len(p)-len(body), m.i+len(p)
	holder := ""
	switch {
	case isUUID(body), isHexWord(body):
		holder = maskHex
	case isIP(body), isHost(body):
		holder = maskAddr
		if stop == end {
			stop = m.portEnd(stop)
		}
	case isToken(body):
		holder = maskToken
	}
	if holder != "" {
		m.words(start)
		m.put(holder, stop)
	}
	m.words(end)
}

// words masks the numbers in s[i:end] and keeps the rest.
func (m *masker) words(end int) {
	for m.i < end {
		if n := holderLen(m.s[m.i:]); n > 0 {
			m.keep(m.i + n)
			continue
		}
		stop, digits := m.i, false
		for stop < end && isAlnum(m.s[stop]) {
			digits = digits || isDigit(m.s[stop])
			stop++
		}
		switch {
		case stop == m.i:
			_, n := utf8.DecodeRuneInString(m.s[m.i:])
			m.keep(m.i + n)
		case !digits:
			m.out.addClean(m.s[m.i:stop])
			m.i = stop
		case isName(m.s[m.i:stop]):
			m.keep(stop)
		case isHexWord(m.s[m.i:stop]):
			m.put(maskHex, stop)
		default:
			m.numbers(stop, end)
		}
	}
}

// numbers masks every number in the word s[i:stop], the last one with its
// fraction, which may reach up to end.
func (m *masker) numbers(stop, end int) {
	for m.i < stop {
		i := m.i
		if !isDigit(m.s[i]) {
			for i < stop && !isDigit(m.s[i]) {
				i++
			}
			m.out.addClean(m.s[m.i:i])
			m.i = i
			continue
		}
		for i < end && (isDigit(m.s[i]) || m.s[i] == '.' && i+1 < end && isDigit(m.s[i+1])) {
			i++
		}
		m.put(maskNumber, i)
	}
}
