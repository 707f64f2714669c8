package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/crawlstats/crawlstats/export/terminal"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// Record is one record in a store.
type Record struct {
	Key, ID, Member string
}

// Pick says which crawl of a source is meant.
type Pick struct {
	ID     string // names a crawl that has no name: that of an export
	Member string
	Key    string // a Config.Key of the crawler's own
}

// Crawl is what a source holds of one crawl, the members of a fleet as one.
type Crawl struct {
	ID       string
	Snapshot stats.Snapshot
	Members  []stats.Member // nil: one crawler
	Live     bool           // it ran when its page was asked
	Gone     bool           // as Source.Gone
	Err      error          // what may be missing in Snapshot: members, and Source.Damage
}

// Records returns all records in the store, by key.
func (s *Source) Records(ctx context.Context) ([]Record, error) {
	lister, ok := s.Store.(kvstore.Lister)
	if !ok {
		return nil, fmt.Errorf("%w: %s holds one crawl", ErrUsage, s.Arg)
	}
	found := map[string]Record{}
	for _, prefix := range prefixes {
		for key, err := range lister.List(ctx, prefix) {
			if errors.Is(err, kvstore.ErrCorrupt) {
				s.Hidden = s.advise(err) // the same for each prefix
				continue
			}
			if err != nil {
				return nil, err
			}
			if r, ok := parseKey(key, prefix); ok {
				found[key] = r
			}
		}
	}
	keys := slices.Sorted(maps.Keys(found))
	records := make([]Record, len(keys))
	for i, key := range keys {
		records[i] = found[key]
	}
	return records, nil
}

// prefixes are ours, which is also Crawlee's, and the older ones of Crawlee.
var prefixes = []string{stats.Key("", ""), "SDK_CRAWLER_STATISTICS_", "CRAWLEE_CRAWLER_STATISTICS_"}

// parseKey undoes stats.Key.
func parseKey(key, prefix string) (Record, bool) {
	name, ok := strings.CutPrefix(key, prefix)
	id, member, _ := strings.Cut(name, "/m/")
	if !ok || strings.Contains(id, "/") || strings.Contains(member, "/") {
		return Record{}, false // what is kept beside a record
	}
	return Record{Key: key, ID: unescape(id), Member: unescape(member)}, true
}

func unescape(s string) string {
	text, err := url.PathUnescape(strings.ReplaceAll(s, "=", "%"))
	if err != nil {
		return s
	}
	return text
}

// Read reads the crawl that is meant, or the only one there is.
func (s *Source) Read(ctx context.Context, p Pick) (Crawl, error) {
	c, err := s.readPicked(ctx, p)
	c.Err, c.Gone = errors.Join(c.Err, s.Damage), s.Gone
	return c, err
}

func (s *Source) readPicked(ctx context.Context, p Pick) (Crawl, error) {
	if p.ID == "" {
		p.ID = s.id
	}
	if s.Store == nil {
		if p.Member != "" || p.Key != "" {
			return Crawl{}, fmt.Errorf("%w: %s holds one crawl: --member and --key are for stores", ErrUsage, s.Arg)
		}
		c, err := s.read(ctx)
		switch {
		case err != nil || p.ID == "":
			return c, err
		case c.ID != "" && c.ID != p.ID && c.ID != terminal.Clean(p.ID): // as a page spells it
			return Crawl{}, fmt.Errorf("%w: %s shows the crawl %.80q, and not %q", ErrNothing, s.Arg, c.ID, p.ID)
		}
		c.ID = p.ID // an export has no name
		return c, nil
	}
	if p.Key != "" {
		return s.readKey(ctx, p, p.Key)
	}
	records, err := s.pick(ctx, &p)
	if err != nil {
		return Crawl{}, err
	}
	if len(records) == 1 && (p.Member != "" || records[0].Member == "") {
		return s.readKey(ctx, p, records[0].Key)
	}
	fleet, err := stats.LoadFleet(ctx, s.Store, p.ID)
	if err != nil {
		return Crawl{}, s.advise(err)
	}
	c := Crawl{ID: p.ID, Snapshot: fleet.Snapshot(), Members: fleet.Members()}
	for _, m := range c.Members {
		if m.Err != nil {
			c.Err = errors.Join(c.Err, fmt.Errorf("member %q is left out: %w", m.Name, s.advise(m.Err)))
		}
	}
	return c, nil
}

func (s *Source) readKey(ctx context.Context, p Pick, key string) (Crawl, error) {
	a, err := s.Load(ctx, key)
	return Crawl{ID: p.ID, Snapshot: a}, err
}

// Pick returns the records that are meant: those of one crawl, whose ID it sets.
func (s *Source) Pick(ctx context.Context, p *Pick) ([]Record, error) {
	if p.ID == "" {
		p.ID = s.id
	}
	return s.pick(ctx, p)
}

func (s *Source) pick(ctx context.Context, p *Pick) ([]Record, error) {
	all, err := s.Records(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	var meant []Record
	for _, r := range all {
		ids[r.ID] = true
	}
	if p.ID == "" && len(ids) == 1 {
		for id := range ids {
			p.ID = id
		}
	}
	for _, r := range all {
		if r.ID == p.ID && (p.Member == "" || r.Member == p.Member) {
			meant = append(meant, r)
		}
	}
	switch {
	case len(all) == 0:
		return nil, s.Empty()
	case len(meant) > 0:
		return meant, nil
	case p.ID == "":
		return nil, fmt.Errorf("%w: %s holds %d crawls: say which one with --id: %s", ErrUsage, s.Arg, len(ids), names(ids))
	case !ids[p.ID]:
		err = fmt.Errorf("%w: %s holds no crawl %q; there is %s", ErrNothing, s.Arg, p.ID, names(ids))
	default:
		err = fmt.Errorf("%w: the crawl %q in %s has no member %q", ErrNothing, p.ID, s.Arg, p.Member)
	}
	return nil, errors.Join(err, s.Damage, s.Hidden)
}

// Empty is the error about a store without a crawl, which damage may explain.
func (s *Source) Empty() error {
	return errors.Join(fmt.Errorf("%w: %s holds no crawl", ErrNothing, s.Arg), s.Damage, s.Hidden)
}

const fewNames = 20

func names(ids map[string]bool) string {
	all := slices.Sorted(maps.Keys(ids))
	more := ""
	if len(all) > fewNames {
		more = fmt.Sprintf(" and %d more", len(all)-fewNames)
		all = all[:fewNames]
	}
	for i := range all {
		all[i] = fmt.Sprintf("%.80q", all[i])
	}
	return strings.Join(all, ", ") + more
}
