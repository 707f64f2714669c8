package statsdpush

// Profile names the server that lines are written for.
type Profile int

// The servers.
const (
	// Portable lines are understood alike by every server: one value a line.
	Portable Profile = iota
	Etsy             // statsd of Etsy, and what speaks like it
	Exporter         // statsd_exporter of Prometheus
	Statsite
	Datadog  // the agent
	Telegraf // the statsd input
)

// rules are the ways in which servers differ.
type rules struct {
	packing  string // between the values of timing events in one line; "": one value a line
	absolute bool   // a negative gauge is a value and not a change
	noTags   bool
	noSets   bool
}

var profiles = [...]rules{
	Portable: {},
	Etsy:     {packing: "|ms:"},
	Exporter: {packing: ":", noSets: true},
	Statsite: {noTags: true},
	Datadog:  {packing: ":", absolute: true},
	Telegraf: {packing: "|ms:"},
}

func (p Profile) rules() (r rules, known bool) {
	if p < 0 || int(p) >= len(profiles) {
		return rules{}, false
	}
	return profiles[p], true
}
