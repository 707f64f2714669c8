package view

import (
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

// Version of the JSON form of a View.
const Version = 1

// PendingGauge is the gauge in which a crawler tells how many requests it knows
// of and has not begun:
//
//	st.Gauge("queue.pending").Set(float64(queue.Len()))
//
// Progress and the estimate of the time left come from it. It is saved and
// exported like every gauge, adds up over a fleet, and may have labels.
const PendingGauge = "queue.pending"

// Input is what a View is made of. Snapshot and Now are required.
type Input struct {
	Snapshot stats.Snapshot
	ID       string    // of the crawl
	Now      time.Time // of the machine that looks
	// Live says that the snapshot was taken from a running Statistics; without,
	// it was read from a record or a file.
	Live bool
	// Gone says that no process can be running the crawl.
	Gone   bool
	Health *stats.Health // how saving goes; nil: not known
	// Members of a fleet; nil: one crawler. A fleet that is empty is not nil.
	Members []stats.Member
	Track   *Track // what was seen in earlier looks; nil: this is the first one

	// How many rows the tables have at most; default 12, 10 and 12. Hosts are
	// counted once for each of three orders.
	MaxErrors, MaxHosts, MaxMembers int
}

// State says what the crawl is doing.
type State string

// The states.
const (
	NoData      State = "no data"
	Running     State = "running"
	Finished    State = "finished"
	Stopped     State = "stopped"     // ended by a Close, with requests left in the queue
	Interrupted State = "interrupted" // ended without a Close
)

// Level says how a fact should look.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Idle Level = "idle" // there is nothing to judge
	Warn Level = "warn"
	Bad  Level = "bad"
)

// A View is everything there is to show of a crawl, at one moment.
type View struct {
	Version  int         `json:"version"`
	Name     string      `json:"name"` // "crawl" when it has none
	State    State       `json:"state"`
	Now      time.Time   `json:"now"`
	Facts    []Fact      `json:"facts"` // for the head line
	Progress Progress    `json:"progress"`
	Verdict  Verdict     `json:"verdict"`
	Totals   Totals      `json:"totals"`
	Minute   Window      `json:"lastMinute"`
	Before   Window      `json:"before"` // up to 15 minutes before the last one
	Latency  Latencies   `json:"latency"`
	Tiles    []Tile      `json:"tiles"`
	Status   StatusTable `json:"status"`
	Retries  BarTable    `json:"retries"`
	Discards BarTable    `json:"discards"`
	Errors   ErrorTable  `json:"errors"`
	Hosts    HostTable   `json:"hosts"`
	Members  MemberTable `json:"members"`
	Ranges   []Range     `json:"ranges"`
	Marks    []Mark      `json:"marks"` // where the crawl was resumed
	Rings    []Ring      `json:"rings,omitempty"`
}

// A Fact is a short line about the crawl.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
	Level Level  `json:"level"`
	// At is the moment the fact is about, for those who know the reader's time
	// zone; Text has it in UTC.
	At time.Time `json:"at,omitzero"`
}

// Totals are the counts of all runs, as in the Snapshot.
type Totals struct {
	Started     int64 `json:"started"`
	Finished    int64 `json:"finished"`
	Failed      int64 `json:"failed"`
	Discarded   int64 `json:"discarded"`
	Interrupted int64 `json:"interrupted"`
	InFlight    int64 `json:"inFlight"`
	Retries     int64 `json:"retries"` // requests that needed one
	Attempts    int64 `json:"attempts"`
	// Bytes of bodies that were received; -1: nobody counted them.
	Bytes         int64   `json:"bytes"`
	FailedPercent float64 `json:"failedPercent"` // of finished and failed
	PerSecond     float64 `json:"perSecond"`     // finished, over the runtime
	RuntimeMillis int64   `json:"runtimeMillis"`
}

// Latencies are those of finished requests over all runs.
type Latencies struct {
	Known   bool          `json:"known"`
	P50     time.Duration `json:"p50Nanos"`
	P95     time.Duration `json:"p95Nanos"`
	P99     time.Duration `json:"p99Nanos"`
	Max     time.Duration `json:"maxNanos"`
	Average time.Duration `json:"averageNanos"`
	Text    string        `json:"text"` // p50 176 ms, p95 842 ms, p99 1.9 s, max 30.0 s
}

// Of makes the View of an Input.
func Of(in Input) View {
	in = in.withDefaults()
	v := View{
		Version: Version,
		Name:    name(in.ID),
		State:   StateOf(in),
		Now:     in.Now.UTC(),
		Totals:  totals(in.Snapshot),
		Latency: latencies(in.Snapshot.FinishedDuration),
		Minute:  lastMinute(in.Snapshot.History),
		Before:  before(in.Snapshot.History),
		Status:  statusTable(in.Snapshot),
		Retries: retryTable(in.Snapshot),
		Members: memberTable(in),
		Errors:  errorTable(in),
		Hosts:   hostTable(in),
		Rings:   rings(in.Snapshot.History),
	}
	v.Discards = discardTable(in.Snapshot)
	v.Ranges = ranges(in.Snapshot, v.Rings)
	v.Marks = marks(in)
	v.Progress = progress(in, v.State)
	v.Tiles = tiles(in, v)
	v.Facts = facts(in, v)
	v.Verdict = verdict(in, v)
	return v
}

// Tick returns the view without its charts, and with the points that are newer
// than those that were sent before.
func (v View) Tick(sent []Ring) View {
	v.Rings = newer(v.Rings, sent)
	return v
}

func (in Input) withDefaults() Input {
	for value, def := range map[*int]int{&in.MaxErrors: 12, &in.MaxHosts: 10, &in.MaxMembers: 12} {
		if *value <= 0 {
			*value = def
		}
	}
	return in
}

func name(id string) string {
	if id == "" {
		return "crawl"
	}
	return Clean(id)
}

// silentAfter is how old the record of a crawl may be that still runs: three
// times the longest interval that a Store suggests.
const silentAfter = 30 * time.Second

// StateOf returns the State of the View of an Input.
func StateOf(in Input) State {
	s := ending(in)
	if pending, _ := pendingOf(in.Snapshot); s == Finished && pending > 0 {
		return Stopped
	}
	return s
}

func ending(in Input) State {
	a := in.Snapshot
	switch {
	case in.Members != nil:
		return fleetState(in.Members)
	case a.StartedAt.IsZero() && a.Started == 0:
		return NoData
	case !a.FinishedAt.IsZero():
		return Finished
	case in.Live || !in.Gone && in.Now.Sub(lastSign(a)) <= silentAfter:
		return Running
	}
	return Interrupted
}

func fleetState(members []stats.Member) State {
	all := NoData
	for _, m := range members {
		switch m.State {
		case stats.MemberRunning:
			return Running
		case stats.MemberSilent:
			all = Interrupted
		case stats.MemberFinished:
			if all == NoData {
				all = Finished
			}
		}
	}
	return all
}

// lastSign is the newest moment at which the crawl was known to run.
func lastSign(a stats.Snapshot) time.Time {
	last := a.PersistedAt
	if n := len(a.Segments); n > 0 && a.Segments[n-1].End.After(last) {
		last = a.Segments[n-1].End
	}
	return last
}

func totals(a stats.Snapshot) Totals {
	return Totals{
		Started: a.Started, Finished: a.Finished, Failed: a.Failed, Discarded: a.Discarded,
		Interrupted: a.Interrupted, InFlight: a.InFlight, Retries: a.Retries, Attempts: a.Attempts,
		Bytes:         received(a),
		FailedPercent: Ratio(a.Failed, a.Total()),
		PerSecond:     finite(a.FinishedPerMinute() / 60),
		RuntimeMillis: a.Runtime.Milliseconds(),
	}
}

// received returns the bytes that package httpstats has counted, or -1.
func received(a stats.Snapshot) int64 {
	for _, counter := range []string{"wire.bytes.wire", "wire.bytes.content"} {
		if n := a.Counters[counter]; n > 0 {
			return n
		}
	}
	if _, counted := a.Counters["wire.bytes.content"]; counted {
		return 0
	}
	return -1
}

func latencies(d stats.Durations) Latencies {
	l := Latencies{
		Known: d.Count > d.Unbucketed, P50: d.Quantile(.5), P95: d.Quantile(.95), P99: d.Quantile(.99),
		Max: d.Max, Average: d.Average(), Text: "no request has finished",
	}
	switch {
	case l.Known:
		l.Text = "p50 " + Latency(l.P50) + ", p95 " + Latency(l.P95) + ", p99 " + Latency(l.P99) + ", max " + Latency(l.Max)
	case d.Count > 0: // a record of another library has no distribution
		l.Text = "average " + Latency(l.Average) + ", max " + Latency(l.Max)
	}
	return l
}
