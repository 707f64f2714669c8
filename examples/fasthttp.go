package examples

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crawlstats/crawlstats/stats"
)

// FetchFast gets a page. After ErrTimeout the client still has req and resp: do
// not release them then.
func FetchFast(client *fasthttp.Client, st *stats.Statistics, req *fasthttp.Request, resp *fasthttp.Response, timeout time.Duration) error {
	// quoted: request
	j := st.BeginWith(stats.Request{Host: string(req.URI().Host()), URL: req.URI().String()})
	err := client.DoTimeout(req, resp, timeout)
	if err == nil {
		j.StatusCode(resp.StatusCode())
		if resp.StatusCode() >= 400 {
			err = fmt.Errorf("status %d", resp.StatusCode())
		}
	}
	j.End(&err)
	// end
	return err
}
