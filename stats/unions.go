package stats

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// mergeExtensions keeps the values of both sides, in one order whoever comes
// first, and shares none of them.
func mergeExtensions(a, b map[string][]json.RawMessage) (m map[string][]json.RawMessage) {
	for _, side := range []map[string][]json.RawMessage{a, b} {
		for name, values := range side {
			all := slices.Clip(m[name])
			for _, raw := range values {
				all = append(all, slices.Clone(raw))
			}
			setKey(&m, name, all)
		}
	}
	for _, values := range m {
		slices.SortFunc(values, func(x, y json.RawMessage) int { return bytes.Compare(x, y) })
	}
	return m
}

func mergeHost(a, b HostStats) HostStats { return foldHost(a, b, add, Durations.merge) }
func subHost(a, b HostStats) HostStats   { return foldHost(a, b, sub, Durations.sub) }

func foldHost(a, b HostStats, fold func(x, y int64) int64, durations func(x, y Durations) Durations) HostStats {
	return HostStats{
		Host:      cmp.Or(a.Host, b.Host),
		Finished:  fold(a.Finished, b.Finished),
		Failed:    fold(a.Failed, b.Failed),
		Discarded: fold(a.Discarded, b.Discarded),
		Retries:   fold(a.Retries, b.Retries),
		Errors:    fold(a.Errors, b.Errors),
		Duration:  durations(a.Duration, b.Duration),
	}
}

func foldHosts(a, b []HostStats, fold func(x, y HostStats) HostStats) []HostStats {
	byName := make(map[string]HostStats, max(len(a), len(b)))
	for _, h := range a {
		byName[h.Host] = mergeHost(byName[h.Host], h)
	}
	for _, h := range b {
		byName[h.Host] = fold(byName[h.Host], h)
	}
	hosts := make([]HostStats, 0, len(byName))
	for name, h := range byName {
		if h.requests() != 0 || h.Errors != 0 {
			h.Host = name
			hosts = append(hosts, h)
		}
	}
	return sortHosts(hosts)
}

// sortHosts puts the busiest host first, equals by name, and makes an empty
// list nil.
func sortHosts(hosts []HostStats) []HostStats {
	if len(hosts) == 0 {
		return nil
	}
	slices.SortFunc(hosts, func(x, y HostStats) int {
		return cmp.Or(cmp.Compare(y.requests(), x.requests()), strings.Compare(x.Host, y.Host))
	})
	return hosts
}

type groupKey struct{ kind, message string }

func mergeGroups(a, b []ErrorGroup) []ErrorGroup {
	byKey := make(map[groupKey]ErrorGroup, max(len(a), len(b)))
	for _, g := range slices.Concat(a, b) {
		k := groupKey{g.Kind, g.Message}
		old := byKey[k]
		g.Count = add(g.Count, old.Count)
		g.FirstSeen = earlier(g.FirstSeen, old.FirstSeen)
		g.LastSeen = later(g.LastSeen, old.LastSeen)
		g.Examples = mergeExamples(g.Examples, old.Examples)
		byKey[k] = g
	}
	return sortGroups(slices.Collect(maps.Values(byKey)))
}

func subGroups(a, b []ErrorGroup) []ErrorGroup {
	before := make(map[groupKey]int64, len(b))
	for _, g := range b {
		before[groupKey{g.Kind, g.Message}] += g.Count
	}
	var groups []ErrorGroup
	for _, g := range a {
		if g.Count = sub(g.Count, before[groupKey{g.Kind, g.Message}]); g.Count != 0 {
			g.Examples = slices.Clone(g.Examples)
			groups = append(groups, g)
		}
	}
	return sortGroups(groups)
}

// sortGroups puts the most frequent group first, equals by kind and message,
// and makes an empty list nil.
func sortGroups(groups []ErrorGroup) []ErrorGroup {
	if len(groups) == 0 {
		return nil
	}
	slices.SortFunc(groups, func(x, y ErrorGroup) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Message, y.Message))
	})
	return groups
}

// mergeExamples keeps the first three in order: the choice does not depend on
// which side came first.
func mergeExamples(a, b []string) []string {
	all := slices.Concat(a, b)
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.Clip(all[:min(len(all), maxExamples)])
}

func mergeSegments(a, b []Segment) []Segment {
	all := slices.Concat(a, b)
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(x, y Segment) int {
		return cmp.Or(x.Start.Compare(y.Start), strings.Compare(x.Owner, y.Owner), x.End.Compare(y.End))
	})
	return slices.Clip(all[max(0, len(all)-maxSegments):])
}
