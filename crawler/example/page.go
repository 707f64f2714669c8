package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/temoto/robotstxt"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crawlstats/crawlstats/crawler/example/site"
	"github.com/crawlstats/crawlstats/stats"
)

const (
	userAgent   = "crawlstats-example/" + stats.Version + " (+https://github.com/crawlstats/crawlstats)"
	maxPageSize = 4 << 20
	maxURL      = 2048
)

// A page is what one says about others.
type page struct {
	links     []string // as written
	canonical string   // the page it is a copy of, as written; usually none
}

// A statusError is a response with a status that is no success.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("%d %s", int(e), http.StatusText(int(e)))
}
func (e statusError) StatusCode() int { return int(e) }

var errTooLarge = fmt.Errorf("page has more than %d bytes", maxPageSize)

// worthRetry reports whether another attempt may succeed.
func worthRetry(err error) bool {
	if status, ok := errors.AsType[statusError](err); ok {
		return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	}
	return true
}

// get asks for a page. A redirect is a page that links to where it leads.
func get(ctx context.Context, client *http.Client, url string, attempt int, job *stats.Job) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page{}, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set(site.AttemptHeader, strconv.Itoa(attempt))
	resp, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	job.StatusCode(resp.StatusCode)
	switch {
	case resp.StatusCode >= 400:
		return page{}, statusError(resp.StatusCode)
	case resp.StatusCode >= 300 && resp.Header.Get("Location") != "":
		return page{links: []string{resp.Header.Get("Location")}}, nil
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/html" {
		return page{}, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPageSize+1))
	if len(text) > maxPageSize {
		return page{}, errTooLarge
	}
	return parse(string(text)), err
}

// readRobots reads robots.txt. A server that fails to send it forbids everything.
func readRobots(ctx context.Context, client *http.Client, origin *url.URL) (*robotstxt.RobotsData, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin.String()+"/robots.txt", nil)
	if err != nil {
		return nil, fmt.Errorf("example: read robots.txt: %w", err)
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("example: read robots.txt: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPageSize))
	if err != nil {
		return nil, fmt.Errorf("example: read robots.txt: %w", err)
	}
	robots, err := robotstxt.FromStatusAndBytes(resp.StatusCode, text)
	if err != nil {
		return nil, fmt.Errorf("example: read robots.txt: %w", err)
	}
	return robots, nil
}

// resolve returns where a link on the page at path leads. What is too long to be
// a link, or too odd, is cut in the error: it is a stranger's text.
func resolve(origin *url.URL, path, link string) (*url.URL, error) {
	if len(link) > maxURL {
		return nil, fmt.Errorf("link %.100q… has %d bytes, the most is %d", link, len(link), maxURL)
	}
	page, err := url.Parse(origin.String() + path)
	if err != nil {
		return nil, err
	}
	return page.Parse(strings.TrimSpace(link))
}

// parse finds the links of a page.
func parse(text string) (p page) {
	tokens := html.NewTokenizer(strings.NewReader(text))
	for {
		switch tokens.Next() {
		case html.ErrorToken: // the end
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := tokens.Token()
			attr := make(map[string]string, len(tag.Attr))
			for _, a := range tag.Attr {
				attr[a.Key] = a.Val
			}
			switch href := attr["href"]; {
			case href == "":
			case tag.DataAtom == atom.A:
				p.links = append(p.links, href)
			case tag.DataAtom == atom.Link && attr["rel"] == "canonical":
				p.canonical = href
			}
		}
	}
}
