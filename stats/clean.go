package stats

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

const (
	ellipsis     = "…"
	maxNameRunes = 100
)

// cleanName makes the name of an instrument, a label key or a label value safe.
func cleanName(s string) string { return cleanText(s, maxNameRunes) }

// cleanText makes text of strangers safe to print on one line: what is not
// graphic (control and bidi characters, zero-width and unassigned ones, bytes
// that are not UTF-8) becomes a visible escape such as \x1b or \u202e. What is
// longer than maxRunes is cut and ends in "…". Text that needs nothing of this
// is returned as it is.
func cleanText(s string, maxRunes int) string {
	if len(s) <= maxRunes && printable(s) {
		return s
	}
	n := 0
	for i := 0; i < len(s); n++ {
		size, ok := graphic(s[i:])
		if !ok || n == maxRunes {
			c := cutter{maxRunes: maxRunes, maxBytes: math.MaxInt}
			c.addText(s)
			return string(c.buf)
		}
		i += size
	}
	return s
}

// printable reports ASCII without control characters, which nearly all text is.
func printable(s string) bool {
	for i := range len(s) {
		if s[i]-' ' > '~'-' ' {
			return false
		}
	}
	return true
}

// graphic reports the size of the first rune of s, and whether it is safe.
func graphic(s string) (size int, ok bool) {
	if b := s[0]; b < utf8.RuneSelf {
		return 1, ' ' <= b && b <= '~'
	}
	r, size := utf8.DecodeRuneInString(s)
	return size, size > 1 && unicode.IsGraphic(r)
}

// escape spells the first rune of s, or its first byte when that is not UTF-8.
func escape(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case size == 1:
		return fmt.Sprintf(`\x%02x`, s[0])
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// A cutter writes pieces of text up to a bound. When a piece does not fit, it
// goes back to a border between pieces, ends the text with "…" and is full.
type cutter struct {
	maxRunes, maxBytes int

	buf   []byte
	runes int
	fit   int // the last border with room for "…" behind it
	full  bool
}

// add writes a piece of n safe runes whole or not at all.
func (c *cutter) add(piece string, n int) {
	if c.full {
		return
	}
	if c.runes+n > c.maxRunes || len(c.buf)+len(piece) > c.maxBytes {
		c.buf = append(c.buf[:c.fit], ellipsis...)
		c.full = true
		return
	}
	c.buf = append(c.buf, piece...)
	c.runes += n
	if c.runes < c.maxRunes && len(c.buf) <= c.maxBytes-len(ellipsis) {
		c.fit = len(c.buf)
	}
}

// addClean writes as much of s as fits. It is safe text.
func (c *cutter) addClean(s string) {
	n := utf8.RuneCountInString(s)
	if !c.full && c.runes+n < c.maxRunes && len(c.buf)+len(s) <= c.maxBytes-len(ellipsis) {
		c.buf = append(c.buf, s...)
		c.runes += n
		c.fit = len(c.buf)
		return
	}
	c.addText(s)
}

// addText writes as much of s as fits, cleaned. Escapes are not cut.
func (c *cutter) addText(s string) {
	for i := 0; i < len(s) && !c.full; {
		size, ok := graphic(s[i:])
		if ok {
			c.add(s[i:i+size], 1)
		} else {
			e := escape(s[i:])
			c.add(e, len(e))
		}
		i += size
	}
}
