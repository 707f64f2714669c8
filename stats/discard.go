package stats

import "slices"

// DiscardReason says why a request was given up on purpose. The set is closed:
// any other text counts as DiscardOther.
type DiscardReason string

// The reasons.
const (
	DiscardDuplicate  DiscardReason = "duplicate"    // seen before
	DiscardRobots     DiscardReason = "robots"       // forbidden by robots.txt
	DiscardOutOfScope DiscardReason = "out_of_scope" // another host or scheme
	DiscardDepth      DiscardReason = "depth"        // too far from the start
	DiscardLimit      DiscardReason = "limit"        // a limit of the crawl was reached
	DiscardFiltered   DiscardReason = "filtered"     // by a rule of the crawl
	DiscardAborted    DiscardReason = "aborted"      // the crawl was cancelled
	DiscardMalformed  DiscardReason = "malformed"    // not a URL that can be requested
	DiscardQueueFull  DiscardReason = "queue_full"
	DiscardTooLarge   DiscardReason = "too_large"
	DiscardOther      DiscardReason = "other"
)

var discardReasons = [...]DiscardReason{
	DiscardDuplicate, DiscardRobots, DiscardOutOfScope, DiscardDepth, DiscardLimit, DiscardFiltered,
	DiscardAborted, DiscardMalformed, DiscardQueueFull, DiscardTooLarge, DiscardOther,
}

// index returns the place of r in discardReasons.
func (r DiscardReason) index() int {
	if i := slices.Index(discardReasons[:], r); i >= 0 {
		return i
	}
	return len(discardReasons) - 1
}
