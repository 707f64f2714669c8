package events

import "time"

// PersistState asks everyone who keeps state to save it before returning.
type PersistState struct {
	Migrating bool // the process is about to be moved to another machine
}

// Migrating tells that the process will soon be stopped and started again,
// perhaps on another machine.
type Migrating struct {
	TimeRemaining time.Duration // until it is stopped; 0 is unknown
}

// Aborting tells that the user has asked the crawl to stop.
type Aborting struct{}

// Exit tells that the program is about to end.
type Exit struct{}

// SystemInfo is the load of the machine at one moment.
type SystemInfo struct {
	CPU         float64   // use of all processors since the last SystemInfo, 0 to 100 percent
	MemoryUsed  uint64    // resident memory of this process, bytes
	MemoryTotal uint64    // memory this process may use, bytes: of the machine, or its container if that is less
	At          time.Time // when it was measured
}

// CrawlerStatus is a message of the crawler to whoever watches it.
type CrawlerStatus struct {
	Message string
}

// Superseded tells that another process has taken over the record stored under
// Key. The statistics that were its owner go on counting, but save no more.
type Superseded struct {
	Key string
}

// ErrorGroupOpened tells that an error occurred that resembles no error before
// it: the moment to take a snapshot of the page. Further errors of the group are
// counted without an event.
type ErrorGroupOpened struct {
	Crawler string // ID of the statistics that counted it
	Kind    string // "timeout", "http", …
	Message string // masked: numbers, addresses and the like are replaced
	URL     string // of the request, without user info and known secrets; may be empty
}

// The events of requests. A crawler that publishes them needs no other call to
// be counted. Crawler is the ID of the statistics they are for; "" is every one
// on the bus. ID names the request within the crawler.

// RequestStarted tells that work on a request begins. A known ID started again
// is its next attempt.
type RequestStarted struct {
	Crawler, ID string
	Host, URL   string    // optional
	Retries     int       // attempts before this one, when the crawler's queue knows them
	QueuedAt    time.Time // optional: when the request was put in the queue
}

// RequestFinished tells that a request succeeded.
type RequestFinished struct {
	Crawler, ID string
}

// RequestFailed tells that a request was given up after an error.
type RequestFailed struct {
	Crawler, ID string
	Err         error
}

// RequestRetried tells that an attempt failed and the request will be tried
// again.
type RequestRetried struct {
	Crawler, ID string
	Err         error
}

// RequestDiscarded tells that a request was dropped on purpose.
type RequestDiscarded struct {
	Crawler, ID string
	Reason      string // "robots", "duplicate", …; unknown ones count as "other"
}

// StatusReceived tells that a response with an HTTP status arrived.
type StatusReceived struct {
	Crawler, ID string
	Code        int
}
