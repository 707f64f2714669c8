package logging

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// visible returns s with everything that does not show spelled out.
func visible(s string) string {
	return string(appendVisible(make([]byte, 0, len(s)), s, unicode.IsGraphic))
}

// appendVisible appends s to dst, with the runes that keep rejects in the
// spelling of JSON.
func appendVisible(dst []byte, s string, keep func(rune) bool) []byte {
	for _, r := range s {
		switch {
		case keep(r):
			dst = utf8.AppendRune(dst, r)
		case r > 0xffff:
			r -= 0x10000 // JSON has no spelling for these but as a pair of surrogates
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return dst
}

// visibleWriter spells out what does not show in records that zerolog has
// formatted. zerolog leaves no ASCII control character in JSON; those on a
// console are its own line breaks and colours, so they are kept.
type visibleWriter struct{ out io.Writer }

func (w visibleWriter) Write(record []byte) (int, error) {
	text := record
	if bytes.ContainsFunc(record, func(r rune) bool { return !keepFormatted(r) }) {
		text = appendVisible(make([]byte, 0, 2*len(record)), string(record), keepFormatted)
	}
	if _, err := w.out.Write(text); err != nil {
		return 0, fmt.Errorf("logging: write record: %w", err)
	}
	return len(record), nil
}

func keepFormatted(r rune) bool { return r < 0x7f || unicode.IsGraphic(r) }
