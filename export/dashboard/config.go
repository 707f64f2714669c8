package dashboard

import (
	"context"
	"log/slog"
	"time"

	"github.com/crawlstats/crawlstats/logging"
)

// Config says how a Source is shown. Its zero value is ready.
type Config struct {
	// ID is the name to show; default that of the Source, if it has one.
	ID string
	// Every is the time between two looks at the Source, at least 100 ms; default
	// 1 s.
	Every time.Duration
	// MaxFeeds bounds the pages that are fed at a time; default 64. Further ones
	// get 503, and ask for api/v1/stats.json every now and then instead.
	MaxFeeds int
	// AllowedHosts are the names, without port, under which the page may be asked
	// for besides localhost and loopback addresses: that of the proxy before it.
	AllowedHosts []string
	// MetricsURL is linked at the foot of the page, as it stands; default none.
	MetricsURL string
	// Reset is called by the button that puts the crawl back to zero, usually
	// st.Reset. nil, the default: there is no button.
	Reset func(context.Context) error
	// Logger is told of resets; default logging.Default().
	Logger *slog.Logger
}

const (
	defaultEvery    = time.Second
	minEvery        = 100 * time.Millisecond
	defaultMaxFeeds = 64
)

func (c Config) withDefaults() Config {
	if c.Every <= 0 {
		c.Every = defaultEvery
	}
	c.Every = max(c.Every, minEvery)
	if c.MaxFeeds <= 0 {
		c.MaxFeeds = defaultMaxFeeds
	}
	if c.Logger == nil {
		c.Logger = logging.Default()
	}
	return c
}
