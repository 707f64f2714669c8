package stats

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/logging"
)

// Config says how a Statistics is kept and told. Its zero value counts in
// memory and logs.
type Config struct {
	// ID is the stable name of this crawl, chosen by the caller. It names the
	// record, the log lines and the exported series, so it is required with a
	// Store; default "".
	ID string
	// Member is this worker among several that share the ID; "" for a crawl of
	// one process.
	Member string

	// Store keeps the record. It belongs to the caller, who closes it after the
	// Statistics; nil: nothing is persisted.
	Store kvstore.Store
	// Key of the record; default Key(ID, Member). Not together with Member.
	Key string
	// Persist says who decides when to save; default PersistAuto.
	Persist PersistMode
	// PersistEvery is the time between checkpoints while something changes, at
	// least 100 ms; default what the Store suggests: 1 s embedded, 5 s remote.
	PersistEvery time.Duration

	// Events is the bus to subscribe to; nil: own timers only, and Migrating and
	// Aborting are not heard.
	Events *events.Bus

	// Logger gets every line; default logging.Default(), which is zerolog.
	Logger *slog.Logger
	// PeriodicLogger gets the periodic line alone; default Logger.
	PeriodicLogger *slog.Logger
	// LogMessage starts the periodic and the final line; default "Statistics".
	LogMessage string
	// LogEvery is the time between periodic lines; default 1 minute, negative:
	// never.
	LogEvery time.Duration
	// LogInline writes attributes instead of a table.
	LogInline bool

	// CloseTimeout bounds Close; default 5 s.
	CloseTimeout time.Duration

	// MaxInFlight bounds the requests in flight that were started by id; default
	// 4,194,304.
	MaxInFlight int
	// MaxErrorGroups bounds each list of error groups; default 256.
	MaxErrorGroups int
	// MaxHosts bounds the hosts that are counted one by one; default 256.
	MaxHosts int
}

// PersistMode says who decides when the record is written.
type PersistMode int

const (
	// PersistAuto loads and claims the record in Open and saves by interval, on
	// events and in Close.
	PersistAuto PersistMode = iota
	// PersistManual loads in Open, and claims and saves only in Persist.
	PersistManual
	// PersistOff never calls the store, not even in Reset.
	PersistOff
)

const (
	recordPrefix     = "__CRAWLER_STATISTICS_"
	minPersistEvery  = 100 * time.Millisecond
	persistEmbedded  = time.Second
	persistRemote    = 5 * time.Second
	maxKeyLength     = 900 // with the side keys behind it, below every engine's limit
	defaultInFlight  = 1 << 22
	defaultGroups    = 256
	defaultHosts     = 256
	defaultCloseTime = 5 * time.Second
)

// Key returns the key of the record of a crawl, or of one of its members.
// Letters, digits, _ and - of the names stand as they are, every other byte as
// =XX, so that no two names share a key.
func Key(id, member string) string {
	key := recordPrefix + escapeKey(id)
	if member != "" {
		key += "/m/" + escapeKey(member)
	}
	return key
}

func escapeKey(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b = append(b, c)
		default:
			b = fmt.Appendf(b, "=%02X", c)
		}
	}
	return string(b)
}

// withDefaults returns the config with every field set.
func (c Config) withDefaults() Config {
	if c.Store == nil || c.Persist == PersistOff {
		c.Store, c.Persist = nil, PersistOff
	}
	if c.Key == "" {
		c.Key = Key(c.ID, c.Member)
	}
	if c.PersistEvery == 0 {
		c.PersistEvery = suggestedInterval(c.Store)
	}
	c.PersistEvery = max(c.PersistEvery, minPersistEvery)
	if c.Logger == nil {
		c.Logger = logging.Default()
	}
	if c.PeriodicLogger == nil {
		c.PeriodicLogger = c.Logger
	}
	setDefault(&c.LogMessage, "Statistics")
	setDefault(&c.LogEvery, time.Minute)
	setDefault(&c.CloseTimeout, defaultCloseTime)
	setDefault(&c.MaxInFlight, defaultInFlight)
	setDefault(&c.MaxErrorGroups, defaultGroups)
	setDefault(&c.MaxHosts, defaultHosts)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func suggestedInterval(st kvstore.Store) time.Duration {
	d, ok := st.(kvstore.Describer)
	if !ok {
		return persistEmbedded
	}
	info := d.Describe()
	switch {
	case info.SuggestedInterval > 0:
		return info.SuggestedInterval
	case info.Shared:
		return persistRemote
	}
	return persistEmbedded
}

// validate returns what is wrong with the config as the caller gave it.
func (c Config) validate() error {
	var errs []error
	reject := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stats: open: Config."+format, args...))
	}
	if c.Store != nil && c.Persist != PersistOff && c.ID == "" && c.Key == "" {
		reject("ID is empty: give this crawl a name that stays the same after a restart, for its record is found by it")
	}
	if c.Key != "" && c.Member != "" {
		reject("Key and Member are both set: a member's key is made of ID and Member, leave Key empty")
	}
	if n := len(Key(c.ID, c.Member)); n > maxKeyLength {
		reject("ID and Member make a key of %d bytes: %d are the most", n, maxKeyLength)
	}
	if len(c.Key) > maxKeyLength {
		reject("Key is %d bytes long: %d are the most", len(c.Key), maxKeyLength)
	}
	if c.Persist < PersistAuto || c.Persist > PersistOff {
		reject("Persist is %d: use PersistAuto, PersistManual or PersistOff", c.Persist)
	}
	for _, f := range []struct {
		name     string
		negative bool
	}{
		{"PersistEvery", c.PersistEvery < 0},
		{"CloseTimeout", c.CloseTimeout < 0},
		{"MaxInFlight", c.MaxInFlight < 0},
		{"MaxErrorGroups", c.MaxErrorGroups < 0},
		{"MaxHosts", c.MaxHosts < 0},
	} {
		if f.negative {
			reject("%s is negative: use 0 for the default", f.name)
		}
	}
	return errors.Join(errs...)
}
