package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/temoto/robotstxt"

	"github.com/crawlstats/crawlstats/stats"
)

const (
	maxRetries   = 3
	backoff      = 100 * time.Millisecond // before the first retry, then twice as long each time
	drainTimeout = 5 * time.Second        // for requests in flight when the crawl is stopped
)

// A crawler visits the pages of one host.
type crawler struct {
	origin   *url.URL
	client   *http.Client
	robots   *robotstxt.RobotsData
	frontier *frontier
	turns    *turns
	st       *stats.Statistics
	links    *stats.Counter // on all pages
	offsite  *stats.Counter // those that lead to other hosts
	log      *slog.Logger
}

// newCrawler returns a crawler that obeys robots.txt and lets delay pass between
// two requests, or more where robots.txt asks for it.
func newCrawler(ctx context.Context, origin *url.URL, timeout, delay time.Duration, f *frontier, st *stats.Statistics, log *slog.Logger) (*crawler, error) {
	client := &http.Client{
		Timeout: timeout,
		// On a connection that was used before, Go's client repeats a request that
		// fails, and nobody sees the first one. Here every attempt counts.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	robots, err := readRobots(ctx, client, origin)
	if err != nil {
		return nil, err
	}
	return &crawler{
		origin:   origin,
		client:   client,
		robots:   robots,
		frontier: f,
		turns:    &turns{every: max(delay, robots.FindGroup(userAgent).CrawlDelay)},
		st:       st,
		links:    st.Counter("links.found"),
		offsite:  st.Counter("links.offsite"),
		log:      log,
	}, nil
}

// run crawls until the frontier has no more tasks. When ctx ends it finishes the
// requests in flight, for a while, and begins no others.
func (c *crawler) run(ctx context.Context, workers int) {
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	stop := context.AfterFunc(ctx, func() {
		c.frontier.stop()
		time.AfterFunc(drainTimeout, abort)
	})
	defer stop()

	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for t, ok := c.frontier.next(); ok; t, ok = c.frontier.next() {
				c.visit(ctx, requests, t)
			}
		})
	}
	wg.Wait()
}

// visit takes a task to its end: one request, with as many attempts as it needs.
// Every way out settles the job first and the task then, or gives the task back.
func (c *crawler) visit(ctx, requests context.Context, t task) {
	if !c.robots.TestAgent(t.path, userAgent) {
		c.st.Observe(stats.Outcome{Request: stats.Request{Host: c.origin.Hostname()}, Discard: stats.DiscardRobots})
		c.frontier.settle(t)
		return
	}
	if !c.turns.wait(ctx) {
		c.frontier.release(t)
		return
	}
	u := c.origin.String() + t.path
	job := c.st.BeginWith(stats.Request{Host: c.origin.Hostname(), URL: u, Retries: t.tries, QueuedAt: t.queued})
	for {
		p, err := get(requests, c.client, u, t.tries, &job)
		switch {
		case err == nil:
			c.finish(t, p, &job)
			return
		case errors.Is(err, errTooLarge):
			job.Discard(stats.DiscardTooLarge)
			c.frontier.settle(t)
			return
		case requests.Err() != nil:
			job.Discard(stats.DiscardAborted)
			c.frontier.release(t)
			return
		case !worthRetry(err) || t.tries >= maxRetries:
			job.Fail(err)
			c.frontier.settle(t)
			c.log.Warn("failed", "url", u, "attempts", t.tries+1, "error", err)
			return
		}
		c.frontier.retry(&t)
		if !sleep(ctx, backoff<<(t.tries-1)) || !c.turns.wait(ctx) {
			job.Discard(stats.DiscardAborted)
			c.frontier.release(t)
			return
		}
		job.Retry(err)
	}
}

// finish ends a request that got its page.
func (c *crawler) finish(t task, p page, job *stats.Job) {
	if p.canonical != "" {
		if original := c.paths(t, p.canonical); len(original) == 1 && original[0] != t.path {
			job.Discard(stats.DiscardDuplicate)
			c.frontier.settle(t, original...)
			return
		}
	}
	c.links.Add(int64(len(p.links)))
	found := c.paths(t, p.links...)
	job.Finish()
	c.frontier.settle(t, found...)
}

// paths returns where links on the page t lead, on this host.
func (c *crawler) paths(t task, links ...string) (paths []string) {
	for _, link := range links {
		target, err := resolve(c.origin, t.path, link)
		switch {
		case err != nil:
			c.st.Observe(stats.Outcome{Discard: stats.DiscardMalformed})
			c.log.Warn("link leads nowhere", "page", t.path, "error", err)
		case target.Scheme != c.origin.Scheme || target.Host != c.origin.Host:
			c.offsite.Inc()
		default:
			paths = append(paths, target.RequestURI())
		}
	}
	return paths
}

// turns keeps requests apart.
type turns struct {
	every time.Duration
	mu    sync.Mutex
	next  time.Time
}

// wait waits for the next turn. It returns false when ctx ends before.
func (t *turns) wait(ctx context.Context) bool {
	t.mu.Lock()
	now := time.Now()
	turn := t.next
	if turn.Before(now) {
		turn = now
	}
	t.next = turn.Add(t.every)
	t.mu.Unlock()
	return sleep(ctx, turn.Sub(now))
}

// sleep returns false when ctx ends before d has passed.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
