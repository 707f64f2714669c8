package redisstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

// greet asks for the eviction policy, once. Its error is that of a server that
// does not serve; nothing was written.
func (s *Store) greet(ctx context.Context) error {
	if s.greeted.Load() {
		return nil
	}
	reply, err := memoryScript.run(ctx, s.client, []string{s.space.key("")})
	if err != nil {
		return fault.Read(err)
	}
	if s.greeted.Swap(true) {
		return nil
	}
	policy, limited := eviction(fmt.Sprint(reply))
	switch {
	case policy == "":
		s.log.Info("the server does not tell its maxmemory-policy; with an allkeys one it may evict the statistics", "server", s.location)
	case limited && strings.HasPrefix(policy, "allkeys-"):
		s.log.Warn("the server may evict the statistics: set its maxmemory-policy to noeviction or a volatile one",
			"server", s.location, "maxmemory-policy", policy)
	}
	return nil
}

// eviction reads the answer to INFO memory: the policy, "" where there is none,
// and whether there is a limit that calls for it.
func eviction(info string) (policy string, limited bool) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "maxmemory":
			limited = value != "0"
		case "maxmemory_policy":
			policy = value
		}
	}
	return policy, limited
}
