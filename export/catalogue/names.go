package catalogue

import (
	"fmt"
	"hash/fnv"
	"strings"
	"unicode/utf8"
)

const (
	maxSegment = 80
	maxName    = 200
	maxLabel   = 64
	maxValue   = 200
)

// Segment makes s one segment of a statsd name: letters, digits, _ and - stay,
// every other rune becomes _, and "" becomes _. What is longer than 80 bytes is
// cut and ends in a hash of the whole.
func Segment(s string) string {
	return cut(clean(s, isSegment), s, maxSegment)
}

// Path makes s a dotted statsd name: dots at its ends are dropped and each
// segment is made safe by [Segment]. A name that is safe already stays as it is.
// "" stays empty. What is longer than 200 bytes is cut and ends in a hash of the
// whole.
func Path(s string) string {
	trimmed := strings.Trim(s, ".")
	if trimmed == "" {
		return ""
	}
	segments := strings.Split(trimmed, ".")
	for i := range segments {
		segments[i] = Segment(segments[i])
	}
	return fitLast(cut(strings.Join(segments, "."), s, maxName))
}

// fitLast shortens the last segment before the hash that has made it too long.
func fitLast(path string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if over := len(last) - maxSegment; over > 0 {
		end := len(path) - len("_00000000")
		path = path[:end-over] + path[end:]
	}
	return path
}

// PromName makes s a name of Prometheus, [a-z_][a-z0-9_]*: upper case is
// lowered, every other rune becomes _, and _ is put before a digit. Two names
// can become the same.
func PromName(s string) string {
	name := clean(strings.ToLower(s), isProm)
	if '0' <= name[0] && name[0] <= '9' {
		name = "_" + name
	}
	return cut(name, s, maxName)
}

// PromLabel makes s the name of a label, as [PromName] does. The names that
// Prometheus keeps for itself (le, quantile, those that begin with __) get
// "label_" before them.
func PromLabel(s string) string {
	name := PromName(s)
	if ReservedLabel(name) {
		name = "label_" + strings.TrimLeft(name, "_")
	}
	return cut(name, s, maxLabel)
}

// ReservedLabel reports the names of labels that Prometheus keeps for itself. As
// tags they stop statsd_exporter.
func ReservedLabel(name string) bool {
	return name == "le" || name == "quantile" || strings.HasPrefix(name, "__")
}

// LabelValue makes s the value of a label: valid UTF-8 of at most 200 bytes.
// What is longer is cut and ends in a hash of the whole.
func LabelValue(s string) string {
	return cut(strings.ToValidUTF8(s, "\uFFFD"), s, maxValue)
}

func isSegment(r rune) bool {
	return isProm(r) || 'A' <= r && r <= 'Z' || r == '-'
}

func isProm(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_'
}

// clean replaces the runes that are not allowed.
func clean(s string, allowed func(rune) bool) string {
	if s == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if allowed(r) {
			return r
		}
		return '_'
	}, s)
}

// cut shortens name to limit bytes. The hash of what it was made of keeps names
// apart that begin alike.
func cut(name, original string, limit int) string {
	if len(name) <= limit {
		return name
	}
	n := limit - len("_00000000")
	for !utf8.RuneStart(name[n]) {
		n--
	}
	return strings.TrimRight(name[:n], ".") + "_" + Hash(original)
}

// Hash returns eight hexadecimal digits that keep apart what became the same
// name.
func Hash(s string) string {
	h := fnv.New32a()
	h.Write([]byte(s)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}
