package collystats

import (
	"errors"
	"net/http"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/stats"
)

// verdict is how a request ended: discarded for a reason, failed with an error,
// or, with neither, finished.
type verdict struct {
	reason stats.DiscardReason
	err    error
}

// verdict returns how a request ended that was handed to OnError with err, or to
// OnResponse without.
func (q *request) verdict(err error) verdict {
	switch {
	case errors.Is(err, colly.ErrAbortedBeforeRequest), errors.Is(err, colly.ErrAbortedAfterHeaders), q.cancelled(err):
		return verdict{reason: stats.DiscardAborted}
	case q.cached():
		return verdict{reason: stats.DiscardDuplicate}
	}
	if reason := refusal(err); reason != "" {
		return verdict{reason: reason}
	}
	// Colly makes an error of every status from 203 on.
	if err != nil && (q.code == 0 || err.Error() != http.StatusText(q.code)) {
		return verdict{err: q.kinded(err)}
	}
	if q.code >= http.StatusBadRequest {
		return verdict{err: statusError(q.code)}
	}
	return verdict{}
}

var (
	errCharset = stats.WithKind(stats.KindDecode, errors.New("colly: the charset of the response is not known or not detected"))
	errPanic   = stats.WithKind(stats.KindHandler, errors.New("colly: a callback panicked"))
	errRetried = stats.WithKind(stats.KindHandler, errors.New("colly: the crawler tries an answer again"))
)

// leftOpen returns how a request ended of which Colly told nothing more.
func (q *request) leftOpen() verdict {
	switch {
	case q.closed: // Its retry went astray.
		return verdict{err: q.cause}
	case q.cached(), q.handed.IsZero() && q.code == 0:
		// Aborted by a callback behind ours.
		return verdict{reason: stats.DiscardAborted}
	case q.err != nil:
		return q.verdict(q.err)
	case q.handed.IsZero():
		return verdict{err: errCharset}
	}
	return verdict{err: errPanic}
}

// reasonToRetry returns why a crawler tries a request again.
func (q *request) reasonToRetry() error {
	err := q.err
	if err == nil { // the callback of the user stands before ours
		err = q.broken
	}
	if v := q.verdict(err); v.err != nil {
		return v.err
	}
	return errRetried
}

// cancelled reports an error that is due to the end of the crawl.
func (q *request) cancelled(err error) bool {
	if err == nil || q.hooks.collector.Context.Err() == nil {
		return false
	}
	kind := stats.KindOf(q.kinded(err))
	return kind == stats.KindCanceled || kind == stats.KindTimeout
}

// kinded gives err the kind of what broke on the wire: the transport knows the
// context of the request, and whether it was its deadline.
func (q *request) kinded(err error) error {
	if q.broken == nil {
		return err
	}
	return stats.WithKind(stats.KindOf(q.broken), err)
}

// statusError is a status that is no success. It says so in words, as Colly does:
// numbers are masked in the messages of errors.
type statusError int

func (e statusError) StatusCode() int { return int(e) }

func (e statusError) Error() string {
	if text := http.StatusText(int(e)); text != "" {
		return text
	}
	return "an unknown status"
}
