package httpstats

import (
	"errors"
	"net/http"

	"github.com/crawlstats/crawlstats/stats"
)

// Client returns a copy of c that counts in s: with a [Transport] around
// cfg.Base, or, when that is nil, around the Transport of c. With Config.Requests
// it also knows at once which redirects c follows: one that CheckRedirect, or the
// limit of ten, refuses has failed with that error, and one that it hands to the
// caller is the response.
func Client(s *stats.Statistics, c *http.Client, cfg Config) *http.Client {
	counting := *c
	if cfg.Base == nil {
		cfg.Base = c.Transport
	}
	counting.Transport = Transport(s, cfg)
	if !cfg.Requests {
		return &counting
	}
	policy := c.CheckRedirect
	if policy == nil {
		policy = tenRedirects
	}
	counting.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		err := policy(req, via)
		if q := redirected(req, s); q != nil {
			q.decide(req.Response, err)
		}
		return err
	}
	return &counting
}

// tenRedirects is what http.Client does by default.
func tenRedirects(_ *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}
