package stats

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// share divides room between two lists: half for each, and what one leaves for
// the other.
func share(room, a, b int) (forA, forB int) {
	return max(room/2, room-b), max(room/2, room-a)
}

// fitting returns how many of the first items fit into room bytes.
func fitting[T any](items []T, room int, size func(T) int) int {
	for i, item := range items {
		if room -= size(item); room < 0 {
			return i
		}
	}
	return len(items)
}

// cutMap keeps the entries of the greatest weight that fit into room bytes,
// equals by key, and adds up all others under the key other.
func cutMap[K cmp.Ordered, V any](m map[K]V, other K, room int, weight func(V) int64, merge func(x, y V) V) map[K]V {
	if jsonSize(m) <= room {
		return m
	}
	keys := slices.SortedFunc(maps.Keys(m), func(x, y K) int {
		return cmp.Or(cmp.Compare(weight(m[y]), weight(m[x])), cmp.Compare(x, y))
	})
	keys = slices.DeleteFunc(keys, func(k K) bool { return k == other })
	entrySize := func(k K, v V) int { return jsonSize(map[K]V{k: v}) }

	everything := m[other]
	for _, k := range keys {
		everything = merge(everything, m[k])
	}
	n := fitting(keys, room-entrySize(other, everything), func(k K) int { return entrySize(k, m[k]) })
	rest := m[other]
	for _, k := range keys[n:] {
		rest = merge(rest, m[k])
	}
	cut := map[K]V{other: rest}
	for _, k := range keys[:n] {
		cut[k] = m[k]
	}
	return cut
}

func itself(n int64) int64 { return n }

func jsonSize(v any) int {
	raw, _ := json.Marshal(v) // it was written before
	return len(raw)
}

// cutTexts shortens what is long. Groups that are equal then become one.
func cutTexts(groups []ErrorGroup) []ErrorGroup {
	short := make([]ErrorGroup, len(groups))
	for i, g := range groups {
		g.Kind = cutBytes(g.Kind, maxNameRunes)
		g.Message = cutBytes(g.Message, maxMessageBytes)
		g.Examples = slices.Clone(g.Examples)
		for i, url := range g.Examples {
			g.Examples[i] = cutBytes(url, maxURLBytes)
		}
		short[i] = g
	}
	return mergeGroups(short, nil)
}

func cutBytes(s string, n int) string {
	if len(s) <= n && printable(s) {
		return s
	}
	c := cutter{maxRunes: n, maxBytes: n}
	c.addText(s)
	return string(c.buf)
}

// groupSizes returns what each group takes in a list.
func groupSizes(groups []ErrorGroup) []int {
	sizes := make([]int, len(groups))
	for i, g := range groups {
		sizes[i] = jsonSize(g) + 1
	}
	return sizes
}

func total(sizes []int) (n int) {
	for _, size := range sizes {
		n += size
	}
	return n
}

func cutGroups(groups []ErrorGroup, sizes []int, other int64, room int) ([]ErrorGroup, int64) {
	n := fitting(sizes, room, func(size int) int { return size })
	for _, g := range groups[n:] {
		other = add(other, g.Count)
	}
	return sortGroups(groups[:n]), other
}
