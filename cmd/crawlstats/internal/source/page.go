package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	apiPath      = "/api/v1/"
	snapshotName = "snapshot.json"
	pageName     = "stats.json"
)

// openPage reads from a dashboard, where it is mounted: each read is a request.
// A name and password in the URL are sent as basic authentication.
func openPage(arg string) (*Source, error) {
	u, _, err := parse(arg)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(u.Path, ".json") {
		u.Path = strings.TrimSuffix(u.Path, "/") + apiPath + snapshotName
	}
	read := func(ctx context.Context) (stats.Snapshot, error) {
		body, err := fetch(ctx, u.String())
		var a stats.Snapshot
		if err == nil {
			a, err = stats.Decode(body)
		}
		if err != nil {
			return a, fmt.Errorf("get %s: %w", u.Redacted(), err)
		}
		return a, nil
	}
	name := func(ctx context.Context) string {
		return nameOn(ctx, strings.TrimSuffix(u.String(), snapshotName)+pageName)
	}
	return &Source{Arg: u.Redacted(), live: true, read: read, name: name}, nil
}

// nameOn returns what the page calls the crawl; a page that does not tell is no
// less worth reading.
func nameOn(ctx context.Context, url string) string {
	body, err := fetch(ctx, url)
	if err != nil {
		return ""
	}
	var page struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(body, &page)
	return page.Name
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if cause := errors.Unwrap(err); cause != nil {
			err = cause // without the URL, and its password
		}
		return nil, fmt.Errorf("%w: %w", kvstore.ErrUnavailable, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%w: %s: is a dashboard mounted there?", ErrNothing, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server says %s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxFile))
}
