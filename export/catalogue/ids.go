package catalogue

// ID names a row of the catalogue.
type ID int

// The rows.
const (
	Started ID = iota
	Finished
	Failed
	Discarded
	Retried
	Attempts
	RetryHistogram
	InFlight
	ResponsesByCode
	ResponsesByClass
	Working
	QueueWait
	Total
	JobsOK
	JobsError
	JobsTotal
	JobsWorking
	Errors
	BytesWire
	BytesContent
	Phases
	Redirects
	WireErrors
	HTTPEvents
	CustomCounter
	CustomGauge
	CustomTimer
	CustomUnique
	CustomUniqueSet
	LifetimeRequests
	Runtime
	Segments
	Resumed
	LastSuccess
	Persists
	PersistDuration
	LastPersist
	Self
	Hosts
	Info
	BuildInfo
	HandlerDuration
	HandlerRequests
	HandlerExceptions
	GoGCObjects
	GoGCCycles
	GoInfo
	GoOther
	ProcessVirtual
	ProcessResident
	ProcessStart
	ProcessCPU
	ProcessOpenFDs
	ProcessMaxFDs
	ProcessOther
	ScrapeOther
)
