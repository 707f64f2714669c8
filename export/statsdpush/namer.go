package statsdpush

import (
	"strings"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// namer makes the names of lines. Servers fold names (a dot and _ are the same
// to statsd_exporter) and take one type for each, so instruments of the
// crawler's own that would share a name are kept apart by a hash.
type namer struct {
	prefix string
	jobs   string
	owners map[string]string // folded name -> the instrument that has it
	given  map[string]string // instrument -> its name
}

func newNamer(cfg Config) namer {
	return namer{prefix: cfg.Prefix + ".", jobs: cfg.Jobs, owners: map[string]string{}, given: map[string]string{}}
}

// listed returns the name of a metric of the catalogue.
func (n *namer) listed(id catalogue.ID, values ...string) string {
	return n.prefix + id.StatsdName(values...)
}

// job returns the name of a metric that counts requests as jobs.
func (n *namer) job(id catalogue.ID) string {
	_, last, _ := strings.Cut(id.StatsdName(), ".")
	return n.prefix + n.jobs + "." + last
}

// custom returns the name of an instrument. owner tells instruments apart, and
// suffixes are what will stand behind the name.
func (n *namer) custom(owner, name string, suffixes ...string) string {
	if given, ok := n.given[owner]; ok {
		return given
	}
	full := catalogue.CustomCounter.StatsdName(strings.TrimPrefix(name, "custom."))
	full = catalogue.Path(full)
	if n.taken(full, suffixes) {
		full = catalogue.Path(full + "_" + catalogue.Hash(owner))
	}
	for _, s := range suffixes {
		n.owners[fold(full+s)] = owner
	}
	full = n.prefix + full
	n.given[owner] = full
	return full
}

func (n *namer) taken(name string, suffixes []string) bool {
	for _, s := range suffixes {
		if n.owners[fold(name+s)] != "" {
			return true
		}
	}
	return false
}

var folder = strings.NewReplacer(".", "_", "-", "_")

func fold(name string) string { return folder.Replace(name) }
