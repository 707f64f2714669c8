package redisstore

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/crawlstats/crawlstats/kvstore"
)

// keyspace is what all keys of a store start with: its prefix as the hash tag
// of a cluster.
type keyspace string

func newKeyspace(prefix string) keyspace { return keyspace("{" + prefix + "}") }

func (s keyspace) key(key string) string { return string(s) + ":" + key }

// damaged is where the damaged bytes under key go; no List finds it.
func (s keyspace) damaged(key string, rev kvstore.Revision) string {
	return fmt.Sprintf("%s!damaged:%s:%s", string(s), formatRevision(rev), key)
}

func (s keyspace) pattern(prefix string) string { return escapeGlob(s.key(prefix)) + "*" }

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

// newRevision draws a revision that no value had.
func newRevision() kvstore.Revision {
	for {
		if rev := kvstore.Revision(rand.Uint64()); rev != 0 {
			return rev
		}
	}
}

// formatRevision gives every revision the same length, for the scripts.
func formatRevision(rev kvstore.Revision) string { return fmt.Sprintf("%016x", uint64(rev)) }

func parseRevision(text string) (kvstore.Revision, error) {
	rev, err := strconv.ParseUint(text, 16, 64)
	return kvstore.Revision(rev), err
}
