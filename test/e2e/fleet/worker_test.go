package fleet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/crawlstats/crawlstats/stats"
)

const workerInterval = time.Second // between saves

// entry is a request as a worker writes it into its ledger, before it tells the
// Statistics: whatever is counted stands there, also after a kill -9.
type entry struct {
	at       time.Time
	outcome  byte // 'f'inished, failed 'x', 'd'iscarded
	duration time.Duration
	host     int
}

const entryForm = "%d %c %d %d\n"

func (e entry) hostName() string { return fmt.Sprintf("host-%d.example", e.host) }

// work counts until its input ends, one request after the other. It always has
// one request in flight, by id, that is discarded in the end.
func work() error {
	o, err := openChild(workerInterval)
	if err != nil {
		return err
	}
	ledger, err := os.OpenFile(os.Getenv(ledgerEnv), os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	told := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(told)
	}()
	fmt.Println("counting")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var own int64
	for {
		o.st.Start("by id")
		for range 5 {
			e := entry{time.Now(), 'f', time.Duration(float64(100*time.Millisecond) * math.Exp(rand.NormFloat64())), rand.IntN(7)}
			outcome := stats.Outcome{Duration: e.duration, StatusCode: 200, Request: stats.Request{Host: e.hostName()}}
			if rand.IntN(10) == 0 {
				e.outcome, outcome.StatusCode, outcome.Err = 'x', 503, errors.New("status 503")
			}
			if err := e.write(ledger); err != nil {
				return err
			}
			o.st.Observe(outcome)
			own++
		}
		select {
		case <-told:
			if err := (entry{at: time.Now(), outcome: 'd'}).write(ledger); err != nil {
				return err
			}
			o.st.Discard("by id", stats.DiscardDuplicate)
			if err := errors.Join(o.st.Close(), o.end(), ledger.Close()); err != nil {
				return err
			}
			fmt.Println("closed", own)
			return nil
		case <-tick.C:
		}
		if err := (entry{at: time.Now(), outcome: 'd'}).write(ledger); err != nil {
			return err
		}
		o.st.Discard("by id", stats.DiscardDuplicate)
	}
}

// write appends the entry with one system call.
func (e entry) write(ledger *os.File) error {
	_, err := fmt.Fprintf(ledger, entryForm, e.at.UnixNano(), e.outcome, e.duration, e.host)
	return err
}

// readLedger returns the entries of one life of a worker; none of one that was
// killed before it began.
func readLedger(t *testing.T, path string) (entries []entry) {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var at int64
		var e entry
		if _, err := fmt.Sscanf(lines.Text(), entryForm[:len(entryForm)-1], &at, &e.outcome, &e.duration, &e.host); err != nil {
			t.Fatalf("%s: %q: %v", path, lines.Text(), err)
		}
		e.at = time.Unix(0, at)
		entries = append(entries, e)
	}
	return entries
}
