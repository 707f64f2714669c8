package httpstats

import (
	"fmt"
	"net/http"
)

// Config of a Transport. Its zero value counts attempts on
// http.DefaultTransport.
type Config struct {
	// Base sends the requests; nil: http.DefaultTransport. For exact bytes of
	// compressed responses it is an *http.Transport itself: of what another
	// RoundTripper has decompressed, wire.bytes.wire does not know.
	Base http.RoundTripper
	// Requests also counts requests: each call of the client, with all its
	// redirects, is one that starts, and finishes, fails or, when its context was
	// cancelled, is discarded as aborted. It ends when its body does.
	Requests bool
	// Failed decides whether a request has failed. resp is nil when there was
	// none; after an error in the body both are given. nil: an error, or a status
	// code of 400 and above. Only with Requests.
	Failed func(resp *http.Response, err error) bool
}

func (c Config) withDefaults() Config {
	if c.Base == nil {
		c.Base = http.DefaultTransport
	}
	if c.Failed == nil {
		c.Failed = func(resp *http.Response, err error) bool {
			return err != nil || resp.StatusCode >= http.StatusBadRequest
		}
	}
	return c
}

// statusError is the error of a request that failed for its status code.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("http %d %s", int(e), http.StatusText(int(e)))
}
func (e statusError) StatusCode() int { return int(e) }
