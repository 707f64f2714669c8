package catalogue

import (
	"slices"
	"strconv"
	"strings"
)

// Instrument is an instrument of the crawler's own, or one of the adapters', as
// the maps of a Snapshot name it.
type Instrument struct {
	Name   string
	Labels []Label // in the order of the key: sorted
}

// Label is a label of an Instrument.
type Label struct{ Key, Value string }

// ParseInstrument takes a key of Snapshot.Counters, Gauges, Timers or Uniques
// apart: name or name{k="v",…}. A key of any other form, which only a forged
// record can hold, is a name as a whole.
func ParseInstrument(key string) Instrument {
	whole := Instrument{Name: key}
	name, rest, ok := strings.Cut(key, "{")
	if !ok {
		return whole
	}
	i := Instrument{Name: name}
	for {
		label, _, ok := strings.Cut(rest, `="`)
		if !ok {
			return whole
		}
		value := rest[len(label)+1:]
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			return whole
		}
		i.Labels = append(i.Labels, Label{unescape(label), unescape(quoted[1 : len(quoted)-1])})
		switch rest = value[len(quoted):]; {
		case rest == "}":
			return i
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		default:
			return whole
		}
	}
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

func unescape(s string) string { return unescaper.Replace(s) }

// adapters are the names of the instruments of the adapters; what stands behind
// a name that ends in a dot is the value of the only Part.
var adapters = []struct {
	name string
	id   ID
}{
	{"http.", HTTPEvents},
	{"wire.bytes.content", BytesContent},
	{"wire.bytes.wire", BytesWire},
	{"wire.error.", WireErrors},
	{"wire.phase.", Phases},
	{"wire.redirects", Redirects},
}

// Adapter returns the row of an instrument that belongs to the adapters
// (http.…, wire.…), with the value of its Part. It reports false for
// every other instrument, and for one of the adapters that is not listed.
func Adapter(name string) (id ID, part string, ok bool) {
	for _, a := range adapters {
		rest, found := strings.CutPrefix(name, a.name)
		switch {
		case !found:
		case !strings.HasSuffix(a.name, "."):
			return a.id, "", rest == ""
		default:
			return a.id, rest, slices.Contains(table[a.id].Parts[0].Values, rest)
		}
	}
	return 0, "", false
}
