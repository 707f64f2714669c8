package httpstats

import (
	"context"
	"errors"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// KindOf is stats.KindOf for an error of an attempt that was made under ctx. The
// context goes first: what net/http reports when a deadline passes, or a crawl
// is cancelled, depends on which of its goroutines noticed. ctx is that of the
// request as a RoundTripper sees it, with the deadline of http.Client.Timeout.
func KindOf(ctx context.Context, err error) stats.ErrorKind {
	switch {
	case err == nil:
	case expired(ctx):
		return stats.KindTimeout
	case ctx.Err() != nil:
		return stats.KindCanceled
	}
	return stats.KindOf(err)
}

// expired reports whether the deadline of ctx has passed. http.Client cancels
// requests by a timer of its own, which may be ahead of the context's.
func expired(ctx context.Context) bool {
	if err := ctx.Err(); err != nil {
		return errors.Is(err, context.DeadlineExceeded)
	}
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Before(deadline)
}

// asPlain returns err as an *http.Transport under an http.Client would. A client
// that does not know its transport cancels the request when Timeout has passed,
// and then reports that instead of the deadline.
func asPlain(ctx context.Context, err error) error {
	if expired(ctx) && stats.KindOf(err) == stats.KindCanceled {
		return context.DeadlineExceeded
	}
	return err
}
