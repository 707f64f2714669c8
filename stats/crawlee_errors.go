package stats

import (
	"encoding/json"
	"slices"
	"strings"
)

// Crawlee keeps errors in trees: place, code, name and message, as far as the
// crawler wanted them told, lead to a count.

// Names of levels that an error does not have.
const (
	noStack = "missing stack trace"
	noCode  = "missing error code"
)

// crawleeTree returns groups as a tree in which the kind stands for the name.
func crawleeTree(groups []ErrorGroup) any {
	type leaf struct {
		Count int64 `json:"count"`
	}
	kinds := make(map[string]map[string]leaf)
	for _, g := range groups {
		if kinds[g.Kind] == nil {
			kinds[g.Kind] = make(map[string]leaf)
		}
		kinds[g.Kind][g.Message] = leaf{g.Count}
	}
	if len(kinds) == 0 {
		return struct{}{}
	}
	return map[string]any{noStack: map[string]any{noCode: kinds}}
}

// groups returns the leaves of an error tree, most frequent first.
func (r *crawleeReader) groups(key string) []ErrorGroup {
	var tree crawleeErrors
	r.take(key, &tree)
	return mergeGroups(tree.groups, nil)
}

// crawleeErrors are the groups of a tree.
type crawleeErrors struct{ groups []ErrorGroup }

const maxTreeDepth = 8

func (t *crawleeErrors) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return t.walk(data, nil)
}

func (t *crawleeErrors) walk(data []byte, path []string) error {
	var node map[string]json.RawMessage
	if err := json.Unmarshal(data, &node); err != nil {
		return err
	}
	for name, raw := range node {
		switch {
		case raw[0] == '{' && len(path) < maxTreeDepth:
			if err := t.walk(raw, append(path, name)); err != nil {
				return err
			}
		case raw[0] != '{' && name == "count" && len(path) > 0:
			var n crawleeCount
			if err := n.UnmarshalJSON(raw); err != nil {
				return err
			}
			t.groups = append(t.groups, groupOf(path, int64(n)))
		}
	}
	return nil
}

// groupOf makes a group of a path: all levels that were told in one message, but
// for a tree that EncodeCrawlee wrote.
func groupOf(path []string, count int64) ErrorGroup {
	told := slices.DeleteFunc(slices.Clone(path), func(level string) bool { return level == noStack || level == noCode })
	kind := KindOther
	if len(told) == 2 && slices.Contains(errorKinds[:], ErrorKind(told[0])) {
		kind, told = ErrorKind(told[0]), told[1:]
	}
	return ErrorGroup{Kind: string(kind), Message: cleanText(strings.Join(told, ": "), maxMessageRunes), Count: count}
}
