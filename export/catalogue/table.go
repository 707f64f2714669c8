package catalogue

var table = [...]Metric{
	Started: {
		Help: "Requests started", Field: "Started", Scope: Process,
		Statsd:  Statsd{"requests.started", Counter},
		Prom:    Prom{Name: "crawler_requests_started_total", Type: Counter},
		Answers: "record_request_processing_start",
	},
	Finished: {
		Help: "Requests finished", Field: "Finished", Scope: Process,
		Statsd:  Statsd{"requests.finished", Counter},
		Prom:    Prom{Name: "crawler_requests_finished_total", Type: Counter},
		Answers: "record_request_processing_finish",
	},
	Failed: {
		Help: "Requests given up because of an error, by kind of error", Field: "Failed, FailedKinds", Scope: Process,
		Parts:   []Part{{"kind", errorKinds}},
		Statsd:  Statsd{"requests.failed", Counter},
		Prom:    Prom{Name: "crawler_requests_failed_total", Type: Counter, Labels: []string{"kind"}},
		Answers: "record_request_processing_failure",
	},
	Discarded: {
		Help: "Requests given up on purpose, by reason", Field: "Discards", Scope: Process,
		Parts:  []Part{{"reason", discardReasons}},
		Statsd: Statsd{"requests.discarded.<reason>", Counter},
		Prom:   Prom{Name: "crawler_requests_discarded_total", Type: Counter, Labels: []string{"reason"}},
	},
	Retried: {
		Help: "Finished or failed requests that needed a retry", Field: "Retries", Scope: Process,
		Statsd: Statsd{"requests.retries", Counter},
		Prom:   Prom{Name: "crawler_requests_retried_total", Type: Counter},
	},
	Attempts: {
		Help: "Tries: a request that is tried three times counts three", Field: "Attempts", Scope: Process,
		Statsd: Statsd{"attempts", Counter},
		Prom:   Prom{Name: "crawler_attempts_total", Type: Counter},
	},
	RetryHistogram: {
		Help: "Retries that finished or failed requests needed", Field: "RetryHistogram", Scope: Process,
		Prom: Prom{Name: "crawler_request_retries", Type: Histogram, Buckets: retryBuckets},
	},
	InFlight: {
		Help: "Requests that have started and not ended", Field: "InFlight", Scope: Now,
		Statsd: Statsd{"requests.in_flight", Gauge},
		Prom:   Prom{Name: "crawler_requests_in_flight", Type: Gauge},
	},
	ResponsesByCode: {
		Help: "Responses by status code; 0 is every code outside of 1 to 999", Field: "StatusCodes", Scope: Process,
		Parts:   []Part{{Name: "code"}},
		Statsd:  Statsd{"responses.status.<code>", Counter},
		Prom:    Prom{Name: "crawler_responses_total", Type: Counter, Labels: []string{"code"}},
		Answers: "register_status_code",
	},
	ResponsesByClass: {
		Help: "Responses by class of status code", Field: "StatusCodes", Scope: Process,
		Parts:  []Part{{"class", statusClasses}},
		Statsd: Statsd{"responses.class.<class>", Counter},
	},
	Working: {
		Help: "Working time of the last attempt, by outcome", Field: "FinishedDuration, FailedDuration", Scope: Process,
		Parts:  []Part{{"outcome", outcomes}},
		Statsd: Statsd{"requests.working.<outcome>", Timing},
		Prom:   Prom{Name: "crawler_request_duration_seconds", Type: Histogram, Unit: "seconds", Labels: []string{"outcome"}, Buckets: durationBuckets},
	},
	QueueWait: {
		Help: "Time in the queue, of requests whose QueuedAt is known", Field: "QueueWait", Scope: Process,
		Statsd: Statsd{"requests.queue", Timing},
		Prom:   Prom{Name: "crawler_request_queue_seconds", Type: Histogram, Unit: "seconds", Buckets: durationBuckets},
	},
	Total: {
		Help: "Time in the queue and working time, of requests whose QueuedAt is known", Field: "TotalDuration", Scope: Process,
		Statsd: Statsd{"requests.total", Timing},
		Prom:   Prom{Name: "crawler_request_total_seconds", Type: Histogram, Unit: "seconds", Buckets: durationBuckets},
	},
	JobsOK: {
		Help: "The same as requests.finished", Field: "Finished", Scope: Process,
		Statsd: Statsd{"jobs.ok", Counter}, Answers: "<prefix>.ok",
	},
	JobsError: {
		Help: "The same as requests.failed", Field: "Failed", Scope: Process,
		Statsd: Statsd{"jobs.error", Counter}, Answers: "<prefix>.error",
	},
	JobsTotal: {
		Help: "The same as requests.total", Field: "TotalDuration", Scope: Process,
		Statsd: Statsd{"jobs.total", Timing}, Answers: "<prefix>.total",
	},
	JobsWorking: {
		Help: "Working time of finished and failed requests together", Field: "FinishedDuration, FailedDuration", Scope: Process,
		Statsd: Statsd{"jobs.working", Timing}, Answers: "<prefix>.working",
	},
	Errors: {
		Help: "Errors of attempts and requests, by kind", Field: "ErrorKinds", Scope: Process,
		Parts:  []Part{{"kind", errorKinds}},
		Statsd: Statsd{"errors.<kind>", Counter},
		Prom:   Prom{Name: "crawler_errors_total", Type: Counter, Labels: []string{"kind"}},
	},
	BytesWire: {
		Help: "Bytes of response bodies as they came over the wire", Field: `Counters["wire.bytes.wire"]`, Scope: Process,
		Statsd: Statsd{"bytes.wire", Counter},
		Prom:   Prom{Name: "crawler_response_wire_bytes_total", Type: Counter, Unit: "bytes"},
	},
	BytesContent: {
		Help: "Bytes of response bodies as the crawler read them", Field: `Counters["wire.bytes.content"]`, Scope: Process,
		Statsd: Statsd{"bytes.content", Counter},
		Prom:   Prom{Name: "crawler_response_content_bytes_total", Type: Counter, Unit: "bytes"},
	},
	Phases: {
		Help: "Time that attempts spent in each phase", Field: `Timers["wire.phase.<phase>"]`, Scope: Process,
		Parts:  []Part{{"phase", phases}},
		Statsd: Statsd{"phase.<phase>", Timing},
		Prom:   Prom{Name: "crawler_request_phase_seconds", Type: Histogram, Unit: "seconds", Labels: []string{"phase"}, Buckets: durationBuckets},
	},
	Redirects: {
		Help: "Redirects that a client has followed", Field: `Counters["wire.redirects"]`, Scope: Process,
		Statsd: Statsd{"redirects", Counter},
		Prom:   Prom{Name: "crawler_redirects_total", Type: Counter},
	},
	WireErrors: {
		Help: "Attempts that failed, as the transport saw them, by kind of error", Field: `Counters["wire.error.<kind>"]`, Scope: Process,
		Parts:  []Part{{"kind", errorKinds}},
		Statsd: Statsd{"wire.errors.<kind>", Counter},
		Prom:   Prom{Name: "crawler_wire_errors_total", Type: Counter, Labels: []string{"kind"}},
	},
	HTTPEvents: {
		Help: "Events of connections, requests and responses", Field: `Counters["http.<event>"]`, Scope: Process,
		Parts:   []Part{{"event", httpEvents}},
		Statsd:  Statsd{"<event>", Counter},
		Prom:    Prom{Name: "crawler_http_events_total", Type: Counter, Labels: []string{"event"}},
		Answers: "conn.accept.error and its 14 companions",
	},
	CustomCounter: {
		Help: "A counter of the crawler's own", Field: "Counters", Scope: Process,
		Parts:   []Part{{Name: "name"}},
		Statsd:  Statsd{"custom.<name>", Counter},
		Prom:    Prom{Name: "<name>_total", Type: Counter},
		Answers: "mutate_requests_total",
	},
	CustomGauge: {
		Help: "A gauge of the crawler's own", Field: "Gauges", Scope: Now,
		Parts:  []Part{{Name: "name"}},
		Statsd: Statsd{"custom.<name>", Gauge},
		Prom:   Prom{Name: "<name>", Type: Gauge},
	},
	CustomTimer: {
		Help: "A timer of the crawler's own", Field: "Timers", Scope: Process,
		Parts:  []Part{{Name: "name"}},
		Statsd: Statsd{"custom.<name>", Timing},
		Prom:   Prom{Name: "<name>_seconds", Type: Histogram, Unit: "seconds", Buckets: durationBuckets},
	},
	CustomUnique: {
		Help: "Estimated number of distinct values, to 1.6 %", Field: "Uniques", Scope: Process,
		Parts:  []Part{{Name: "name"}},
		Statsd: Statsd{"custom.<name>.unique", Gauge},
		Prom:   Prom{Name: "<name>_unique", Type: Gauge},
	},
	CustomUniqueSet: {
		Help: "Hashes of values that are new since the last flush, on request", Field: "events of Unique", Scope: Process,
		Parts:  []Part{{Name: "name"}},
		Statsd: Statsd{"custom.<name>", Set},
	},
	LifetimeRequests: {
		Help: "Requests of all runs, by state", Field: "Started, Finished, Failed, Discarded, Interrupted", Scope: Lifetime,
		Parts:  []Part{{"state", states}},
		Statsd: Statsd{"lifetime.<state>", Gauge},
		Prom:   Prom{Name: "crawler_job_requests", Type: Gauge, Labels: []string{"state"}},
	},
	Runtime: {
		Help: "Time that the crawl has run, all runs together", Field: "Runtime", Scope: Lifetime,
		Statsd:  Statsd{"runtime_ms", Gauge},
		Prom:    Prom{Name: "crawler_job_runtime_seconds", Type: Gauge, Unit: "seconds"},
		Answers: "crawler_runtime",
	},
	Segments: {
		Help: "Runs of the crawl that are on record, this one included; at most 32", Field: "Segments", Scope: Lifetime,
		Prom: Prom{Name: "crawler_job_segments", Type: Gauge},
	},
	Resumed: {
		Help: "1 when this process went on with the record of an earlier one", Field: "Segments", Scope: Process,
		Statsd: Statsd{"resumed", Counter},
	},
	LastSuccess: {
		Help: "When a request last finished, in seconds since 1970", Field: "History", Scope: Lifetime,
		Statsd: Statsd{"last_success", Gauge},
		Prom:   Prom{Name: "crawler_last_success_timestamp_seconds", Type: Gauge, Unit: "seconds"},
	},
	Persists: {
		Help: "Saves of the record, by result", Field: "Health: Saves, Failures", Scope: Process,
		Parts:  []Part{{"result", results}},
		Statsd: Statsd{"persist.<result>", Counter},
		Prom:   Prom{Name: "crawler_state_persists_total", Type: Counter, Labels: []string{"result"}},
	},
	PersistDuration: {
		Help: "Time that the newest save took", Field: "Health: Duration", Scope: Now,
		Prom: Prom{Name: "crawler_state_persist_duration_seconds", Type: Gauge, Unit: "seconds"},
	},
	LastPersist: {
		Help: "When the record was last saved, in seconds since 1970", Field: "PersistedAt", Scope: Lifetime,
		Prom: Prom{Name: "crawler_state_last_persist_timestamp_seconds", Type: Gauge, Unit: "seconds"},
	},
	Self: {
		Help: "What the statistics themselves lost, refused or sent", Field: "Unmatched, Late, Overflow, Dropped; health of the exporter", Scope: Process,
		Parts:  []Part{{"what", selfCounts}},
		Statsd: Statsd{"self.<what>", Counter},
		Prom:   Prom{Name: "crawler_self_total", Type: Counter, Labels: []string{"what"}},
	},
	Hosts: {
		Help: "Requests of the busiest hosts, by outcome; the rest as host other", Field: "Hosts, HostsOther", Scope: Process,
		Parts: []Part{{Name: "host"}, {"outcome", outcomes}},
		Prom:  Prom{Name: "crawler_host_requests_total", Type: Counter, Labels: []string{"host", "outcome"}},
	},
	Info: {
		Help: "1, with the version of this library", Field: "Version", Scope: Now,
		Parts:   []Part{{Name: "version"}},
		Prom:    Prom{Name: "crawler_info", Type: Gauge, Labels: []string{"version"}},
		Answers: "exporter_info",
	},
	BuildInfo: {
		Help: "1, with the version and revision of the program and the Go that built it", Field: "the build", Scope: Now,
		Parts:   []Part{{Name: "goarch"}, {Name: "goos"}, {Name: "goversion"}, {Name: "revision"}, {Name: "version"}},
		Prom:    Prom{Name: "crawler_build_info", Type: Gauge, Labels: []string{"goarch", "goos", "goversion", "revision", "version"}},
		Answers: "exporter_info",
	},
	HandlerDuration: {
		Help: "Time that an instrumented handler took", Field: "promcollect.Instrument", Scope: Process,
		Parts:   []Part{{Name: "method"}, {Name: "path"}, {Name: "status"}},
		Prom:    Prom{Name: "http_request_duration_seconds", Type: Histogram, Unit: "seconds", Labels: []string{"method", "path", "status"}, Buckets: handlerBuckets},
		Answers: "http_request_duration_seconds",
	},
	HandlerRequests: {
		Help: "Requests to an instrumented handler", Field: "promcollect.Instrument", Scope: Process,
		Parts:   []Part{{Name: "method"}, {Name: "status"}},
		Prom:    Prom{Name: "http_request_total", Type: Counter, Labels: []string{"method", "status"}},
		Answers: "http_request_total",
	},
	HandlerExceptions: {
		Help: "Panics of an instrumented handler", Field: "promcollect.Instrument", Scope: Process,
		Prom:    Prom{Name: "http_request_exceptions_total", Type: Counter},
		Answers: "http_request_exceptions_total",
	},
	GoGCObjects: {
		Help: "Objects freed by the garbage collector", Field: "the Go runtime", Scope: Process,
		Prom:    Prom{Name: "go_gc_heap_frees_objects_total", Type: Counter},
		Answers: "python_gc_objects_collected_total",
	},
	GoGCCycles: {
		Help: "Completed cycles of the garbage collector, automatic, forced and all", Field: "the Go runtime", Scope: Process,
		Parts:   []Part{{"cause", []string{"automatic", "forced", "total"}}},
		Prom:    Prom{Name: "go_gc_cycles_<cause>_gc_cycles_total", Type: Counter},
		Answers: "python_gc_collections_total",
	},
	GoInfo: {
		Help: "1, with the version of Go", Field: "the Go runtime", Scope: Now,
		Parts:   []Part{{Name: "version"}},
		Prom:    Prom{Name: "go_info", Type: Gauge, Labels: []string{"version"}},
		Answers: "python_info",
	},
	GoOther: {
		Help: "Further metrics of the Go runtime, as the collector of client_golang names them", Field: "the Go runtime", Scope: Process,
		Parts: []Part{{Name: "what"}}, Prom: Prom{Name: "go_<what>"},
	},
	ProcessVirtual: {
		Help: "Virtual memory", Field: "the process", Scope: Now,
		Prom:    Prom{Name: "process_virtual_memory_bytes", Type: Gauge, Unit: "bytes"},
		Answers: "process_virtual_memory_bytes",
	},
	ProcessResident: {
		Help: "Resident memory", Field: "the process", Scope: Now,
		Prom:    Prom{Name: "process_resident_memory_bytes", Type: Gauge, Unit: "bytes"},
		Answers: "process_resident_memory_bytes",
	},
	ProcessStart: {
		Help: "When the process started, in seconds since 1970", Field: "the process", Scope: Process,
		Prom:    Prom{Name: "process_start_time_seconds", Type: Gauge, Unit: "seconds"},
		Answers: "process_start_time_seconds",
	},
	ProcessCPU: {
		Help: "CPU time of user and system", Field: "the process", Scope: Process,
		Prom:    Prom{Name: "process_cpu_seconds_total", Type: Counter, Unit: "seconds"},
		Answers: "process_cpu_seconds_total",
	},
	ProcessOpenFDs: {
		Help: "Open file descriptors", Field: "the process", Scope: Now,
		Prom:    Prom{Name: "process_open_fds", Type: Gauge},
		Answers: "process_open_fds",
	},
	ProcessMaxFDs: {
		Help: "File descriptors that may be open at once", Field: "the process", Scope: Now,
		Prom:    Prom{Name: "process_max_fds", Type: Gauge},
		Answers: "process_max_fds",
	},
	ProcessOther: {
		Help: "Further metrics of the process, as the collector of client_golang names them", Field: "the process", Scope: Process,
		Parts: []Part{{Name: "what"}}, Prom: Prom{Name: "process_<what>"},
	},
	ScrapeOther: {
		Help: "The scrapes themselves, as the handler of client_golang counts them", Field: "the /metrics handler", Scope: Process,
		Parts: []Part{{Name: "what"}}, Prom: Prom{Name: "promhttp_<what>"},
	},
}
