package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	snapshotName = "snapshot.json"
	shownName    = "stats.json"
)

// openPage reads from a dashboard, where it is mounted: each read is two
// requests. A name and password in the URL are sent as basic authentication.
func openPage(arg string) (*Source, error) {
	u, _, err := parse(arg)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(u.Path, ".json") {
		u = u.JoinPath("api/v1", snapshotName)
	}
	read := func(ctx context.Context) (Crawl, error) {
		var s shown
		if strings.HasSuffix(u.Path, "/"+snapshotName) {
			s = shownAt(ctx, u.JoinPath("..", shownName).String())
		}
		c := Crawl{ID: s.Name, Live: s.State == "running"}
		body, err := fetch(ctx, u.String())
		if err == nil {
			c.Snapshot, err = stats.Decode(body)
		}
		if err != nil {
			return c, fmt.Errorf("get %s: %w", u.Redacted(), err)
		}
		if s.Members.Fleet && (c.Live || s.State == "interrupted") {
			c.Snapshot.FinishedAt = time.Time{} // it is that of the workers that have finished
		}
		return c, nil
	}
	return &Source{Arg: u.Redacted(), read: read}, nil
}

// shown is what a page says of the crawl beside its snapshot.
type shown struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Members struct {
		Fleet bool `json:"fleet"`
	} `json:"members"`
}

// shownAt asks a page; one that does not tell is no less worth reading.
func shownAt(ctx context.Context, url string) (s shown) {
	if body, err := fetch(ctx, url); err == nil {
		_ = json.Unmarshal(body, &s)
	}
	return s
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
		return nil, fmt.Errorf("%w: %w: is the crawler running, with its page there?", kvstore.ErrUnavailable, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%w: %s: is a dashboard mounted there?", ErrNothing, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server says %s", resp.Status)
	}
	return readAll(resp.Body)
}
