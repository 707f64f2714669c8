package examples

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/stats"
)

type jobKey struct{}

var errTriedAgain = errors.New("tried again")

// Retryable returns a client whose tries are attempts and retries of the request
// that FetchRetryable has begun.
func Retryable(st *stats.Statistics) *retryablehttp.Client {
	// quoted: client
	rc := retryablehttp.NewClient()
	rc.HTTPClient.Transport = httpstats.Transport(st, httpstats.Config{Base: rc.HTTPClient.Transport})
	rc.RequestLogHook = func(_ retryablehttp.Logger, req *http.Request, try int) {
		if j, ok := req.Context().Value(jobKey{}).(*stats.Job); ok && try > 0 {
			j.Retry(errTriedAgain)
		}
	}
	// end
	return rc
}

// FetchRetryable gets a page, with as many tries as rc makes of it.
func FetchRetryable(ctx context.Context, rc *retryablehttp.Client, st *stats.Statistics, url string) (err error) {
	// quoted: request
	j := st.BeginWith(stats.Request{URL: url})
	defer j.End(&err)
	req, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, jobKey{}, &j), http.MethodGet, url, nil)
	// end
	if err != nil {
		return err
	}
	resp, err := rc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
