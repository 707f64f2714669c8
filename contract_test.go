package crawlstats_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"time"

	"github.com/rs/zerolog"

	"github.com/crawlstats/crawlstats/events"
	"github.com/crawlstats/crawlstats/events/local"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/badgerstore"
	"github.com/crawlstats/crawlstats/logging"
	"github.com/crawlstats/crawlstats/stats"
)

// The names that programs outside of this module compile against. A change here
// breaks them.
var (
	_ func() *stats.Statistics                                                             = stats.New
	_ func(context.Context, stats.Config) (*stats.Statistics, error)                       = stats.Open
	_ func(context.Context, kvstore.Store, string) (stats.Snapshot, error)                 = stats.Load
	_ func([]byte) (stats.Snapshot, error)                                                 = stats.Decode
	_ func(*stats.Statistics, string, int, func(*int, int)) (*stats.Extension[int], error) = stats.Extend[int]
	_ func(stats.Snapshot, string, func(*int, int)) (int, error)                           = stats.ExtensionOf[int]

	_ interface {
		Close() error
		Shutdown(context.Context) error
		Persist(context.Context) error
		Reset(context.Context) error
		Health() stats.Health
		Begin() stats.Job
		BeginWith(stats.Request) stats.Job
		Observe(stats.Outcome)
		Start(string)
		StartWith(string, stats.Request)
		Retry(string, error)
		Finish(string)
		Fail(string, error)
		Discard(string, stats.DiscardReason)
		StatusCode(int)
		Counter(string, ...stats.Label) *stats.Counter
		Gauge(string, ...stats.Label) *stats.Gauge
		Timer(string, ...stats.Label) *stats.Timer
		Unique(string, ...stats.Label) *stats.Unique
		Calculate() stats.Summary
		stats.Source
	} = (*stats.Statistics)(nil)

	_ func(context.Context, kvstore.Store, string) (*stats.Fleet, error) = stats.LoadFleet
	_ interface {
		Refresh(context.Context) error
		Run(context.Context, time.Duration) error
		Members() []stats.Member
		stats.Source
	} = (*stats.Fleet)(nil)
	_ = stats.Member{Name: "", Age: 0, State: stats.MemberRunning, Err: nil}

	_ interface {
		StatusCode(int)
		Retry(error)
		Finish()
		Fail(error)
		Discard(stats.DiscardReason)
		End(*error)
	} = (*stats.Job)(nil)

	_ interface {
		Inc()
		Add(int64)
	} = (*stats.Counter)(nil)
	_ interface {
		Set(float64)
		Add(float64)
	} = (*stats.Gauge)(nil)
	_ interface {
		Observe(time.Duration)
		Time() func()
	} = (*stats.Timer)(nil)
	_ interface{ Add(string) } = (*stats.Unique)(nil)
	_ interface {
		Update(func(*int))
		Value() int
	} = (*stats.Extension[int])(nil)
	_ interface {
		Encode() ([]byte, error)
		EncodeCrawlee() ([]byte, error)
		Merge(stats.Snapshot) stats.Snapshot
		Sub(stats.Snapshot) stats.Snapshot
		Summary() stats.Summary
		Total() int64
		FinishedPerMinute() float64
		FailedPerMinute() float64
		Balanced() error
		json.Marshaler
	} = stats.Snapshot{}
	_ json.Unmarshaler = (*stats.Snapshot)(nil)
	_ interface {
		String() string
		slog.LogValuer
		json.Marshaler
	} = stats.Summary{}

	_ = stats.Config{
		ID: "", Member: "", Store: kvstore.Store(nil), Key: "", Persist: stats.PersistAuto, PersistEvery: time.Second,
		Events: (*events.Bus)(nil), Logger: (*slog.Logger)(nil), PeriodicLogger: (*slog.Logger)(nil),
		LogMessage: "", LogEvery: time.Minute, LogInline: false, CloseTimeout: time.Second,
		MaxInFlight: 1, MaxErrorGroups: 1, MaxHosts: 1,
	}
	_ = []stats.PersistMode{stats.PersistAuto, stats.PersistManual, stats.PersistOff}
	_ = stats.Request{Host: "", URL: "", Retries: 0, QueuedAt: time.Time{}}
	_ = stats.Outcome{Request: stats.Request{}, Duration: 0, QueueWait: 0, StatusCode: 0, Err: nil, Discard: ""}
	_ = stats.Label{Key: "", Value: ""}
	_ = []error{stats.ErrSuperseded, stats.ErrNewerSchema, stats.ErrNoStore, stats.ErrClosed, stats.ErrTooLarge}
	_ = stats.Snapshot{
		Started: 0, Finished: 0, Failed: 0, Discarded: 0, Interrupted: 0, InFlight: 0, Retries: 0, Attempts: 0,
		Unmatched: 0, Late: 0, Overflow: 0, RetryHistogram: []int64{}, StatusCodes: map[int]int64{},
		Discards:         map[stats.DiscardReason]int64{},
		FinishedDuration: stats.Durations{Count: 0, Sum: 0, Min: 0, Max: 0, Unbucketed: 0}, FailedDuration: stats.Durations{},
		TotalDuration: stats.Durations{}, QueueWait: stats.Durations{},
		Errors:      []stats.ErrorGroup{{Kind: "", Message: "", Count: 0, FirstSeen: time.Time{}, LastSeen: time.Time{}, Examples: []string{}}},
		RetryErrors: []stats.ErrorGroup{}, ErrorKinds: map[string]int64{},
		Hosts:    []stats.HostStats{{Host: "", Finished: 0, Failed: 0, Discarded: 0, Errors: 0, Duration: stats.Durations{}}},
		Counters: map[string]int64{}, Gauges: map[string]float64{}, Timers: map[string]stats.Durations{}, Uniques: map[string]int64{},
		Extensions: map[string][]json.RawMessage{},
		StartedAt:  time.Time{}, LastStartedAt: time.Time{}, FinishedAt: time.Time{}, PersistedAt: time.Time{}, Since: time.Time{},
		Generation: uint64(0), Runtime: time.Duration(0), OldestInFlight: time.Duration(0),
		Segments: []stats.Segment{{Owner: "", Host: "", Version: "", Start: time.Time{}, End: time.Time{}, Clean: false, Finished: 0, Failed: 0}},
		History:  stats.History{},
	}
	_ = stats.Summary{
		RequestsFinished: 0, RequestsFailed: 0, RequestsTotal: 0, RetryHistogram: []int64{},
		RequestAvgFinishedDuration: (*time.Duration)(nil), RequestAvgFailedDuration: (*time.Duration)(nil),
		RequestTotalDuration: 0, CrawlerRuntime: 0, RequestsFinishedPerMinute: 0.5, RequestsFailedPerMinute: 0.5,
	}

	_ kvstore.Store                             = (*kvstore.Memory)(nil)
	_ kvstore.Store                             = (*kvstore.Dir)(nil)
	_ kvstore.Store                             = (*badgerstore.Store)(nil)
	_ kvstore.Lister                            = (*kvstore.Memory)(nil)
	_ func() *kvstore.Memory                    = kvstore.NewMemory
	_ func(string) (*kvstore.Dir, error)        = kvstore.OpenDir
	_ func(kvstore.Store, string) kvstore.Store = kvstore.Named
	_ interface {
		List(context.Context, string) iter.Seq2[string, error]
	} = kvstore.Lister(nil)
	_ func(badgerstore.Config) (*badgerstore.Store, error) = badgerstore.Open
	_                                                      = badgerstore.Config{Dir: "", Durable: false, Logger: (*slog.Logger)(nil)}
	_                                                      = []error{
		kvstore.ErrNotFound, kvstore.ErrConflict, kvstore.ErrLocked, kvstore.ErrNoSpace, kvstore.ErrTooLarge, kvstore.ErrCorrupt,
		kvstore.ErrReadOnly, kvstore.ErrPermission, kvstore.ErrUnavailable, kvstore.ErrUnknown, kvstore.ErrClosed,
	}

	_ func(*events.Bus, func(context.Context, events.Exit) error) func() = events.Subscribe[events.Exit]
	_ func(context.Context, *events.Bus, events.Exit) error              = events.Publish[events.Exit]
	_                                                                    = []any{
		events.PersistState{Migrating: true},
		events.Migrating{TimeRemaining: time.Second},
		events.Aborting{},
		events.Exit{},
		events.SystemInfo{CPU: 0.5, MemoryUsed: uint64(1), MemoryTotal: uint64(1), At: time.Time{}},
		events.CrawlerStatus{Message: ""},
		events.Superseded{Key: ""},
		events.RequestStarted{Crawler: "", ID: "", Host: "", URL: "", Retries: 0, QueuedAt: time.Time{}},
		events.RequestFinished{Crawler: "", ID: ""},
		events.RequestFailed{Crawler: "", ID: "", Err: nil},
		events.RequestRetried{Crawler: "", ID: "", Err: nil},
		events.RequestDiscarded{Crawler: "", ID: "", Reason: ""},
		events.StatusReceived{Crawler: "", ID: "", Code: 200},
	}
	_ func(*events.Bus, local.Config) *local.Local = local.Start
	_ interface{ Close() error }                   = (*local.Local)(nil)

	_ func(zerolog.Logger) *slog.Logger = logging.Zerolog
	_ func() *slog.Logger               = logging.Default
)
