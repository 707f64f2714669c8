package collystats

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/stats"
)

// CountVisit counts the request that Colly refused with err, an error of Visit,
// Post, Request or of a queue's AddURL, as started and discarded. Of such a
// request no callback tells. It returns err, and leaves out errors that were
// counted already because the request was made.
//
//	a.CountVisit(c.Visit(url))
func (a *Adapter) CountVisit(err error) error {
	if reason := a.refused(err); reason != "" {
		a.st.Observe(stats.Outcome{Discard: reason})
	}
	return err
}

// refused returns why Colly refused a request, or "" if it did not.
func (a *Adapter) refused(err error) stats.DiscardReason {
	if err == nil {
		return ""
	}
	if reason := refusedBy(err); reason != "" {
		return reason
	}
	obeysRobots, async := a.manners()
	var failed *url.Error
	switch _, invalid := err.(interface{ Url() string }); { // wrapped, it is of a redirect
	case invalid:
		return stats.DiscardMalformed
	case obeysRobots && errors.As(err, &failed) && strings.HasSuffix(failed.URL, "/robots.txt"):
		return stats.DiscardRobots
	case async:
		return stats.DiscardOther
	}
	return ""
}

// manners reports whether some collector obeys robots.txt, and whether all are
// asynchronous: then Visit returns no error of a request that was made.
func (a *Adapter) manners() (obeysRobots, async bool) {
	async = true
	collectors, _ := a.attached()
	for _, c := range collectors {
		obeysRobots = obeysRobots || !c.IgnoreRobotsTxt
		async = async && c.Async
	}
	return obeysRobots, async
}

// refusal returns why a redirect was not followed, which Colly says with the
// errors it refuses a request with, wrapped.
func refusal(err error) stats.DiscardReason {
	for ; err != nil; err = errors.Unwrap(err) {
		if reason := refusedBy(err); reason != "" {
			return reason
		}
	}
	return ""
}

//nolint:errorlint // Wrapped, they mean another thing.
func refusedBy(err error) stats.DiscardReason {
	switch err {
	case colly.ErrMaxDepth:
		return stats.DiscardDepth
	case colly.ErrMaxRequests:
		return stats.DiscardLimit
	case colly.ErrForbiddenDomain:
		return stats.DiscardOutOfScope
	case colly.ErrForbiddenURL, colly.ErrNoURLFiltersMatch:
		return stats.DiscardFiltered
	case colly.ErrRobotsTxtBlocked:
		return stats.DiscardRobots
	case colly.ErrMissingURL:
		return stats.DiscardMalformed
	case colly.ErrQueueFull:
		return stats.DiscardQueueFull
	}
	if _, ok := err.(*colly.AlreadyVisitedError); ok {
		return stats.DiscardDuplicate
	}
	return ""
}
