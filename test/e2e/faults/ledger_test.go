package faults

import (
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// ledger is what a crawler writes down beside its statistics: in memory that is
// mapped from a file on a healthy disk, so that it survives the crawler to the
// last event. It knows nothing of package stats.
type ledger struct {
	words *[ledgerWords]atomic.Int64
	raw   []byte
}

const (
	ledgerWords = 16 << 10
	ringStart   = 64
	ringPairs   = (ledgerWords - ringStart) / 2
)

// The words of a ledger.
const (
	begun             = iota
	finished          // calls of Finish that returned
	failed            // calls of Fail that returned
	restoredDone      // finished, as Open restored them
	restoredFail      // failed, as Open restored them
	opened            // Open has returned
	ackedFinished     // finished that the newest acknowledged save has at least
	persistedFinished // likewise, of the newest Persist that returned nil
	saves             // acknowledged
	failures          // saves that failed
	noSpace           // of those, for want of disk space
	superseded        // another owner was met
	warnings          // lines of level Warn and above
	goroutines
	stepsDone // all steps are counted and saved
	samples   // entries of the ring that were ever written
)

// createLedger makes the file of a new ledger and maps it.
func createLedger(t *testing.T, path string) *ledger {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, 8*ledgerWords), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func openLedger(path string) (*ledger, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := syscall.Mmap(int(f.Fd()), 0, 8*ledgerWords, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &ledger{words: (*[ledgerWords]atomic.Int64)(unsafe.Pointer(&raw[0])), raw: raw}, nil
}

func (l *ledger) close() { _ = syscall.Munmap(l.raw) }

func (l *ledger) get(word int) int64        { return l.words[word].Load() }
func (l *ledger) set(word int, n int64)     { l.words[word].Store(n) }
func (l *ledger) add(word int, n int64)     { l.words[word].Add(n) }
func (l *ledger) isOpen() bool              { return l.get(opened) != 0 }
func (l *ledger) restored() (done, f int64) { return l.get(restoredDone), l.get(restoredFail) }

// sample notes how much was finished by now.
func (l *ledger) sample(now time.Time) {
	n := l.get(samples)
	at := ringStart + 2*int(n%ringPairs)
	l.set(at, now.UnixNano())
	l.set(at+1, l.get(finished))
	l.set(samples, n+1)
}

// finishedAt returns how much was finished at a moment, by the newest sample
// before it.
func (l *ledger) finishedAt(at time.Time) int64 {
	n := l.get(samples)
	for i := n - 1; i >= 0 && i > n-ringPairs; i-- {
		slot := ringStart + 2*int(i%ringPairs)
		if l.get(slot) <= at.UnixNano() {
			return l.get(slot + 1)
		}
	}
	return 0
}

// lost returns how long before the moment the count was still at least n: the
// time that was lost when n came back.
func (l *ledger) lost(before time.Time, n int64) time.Duration {
	count := l.get(samples)
	for i := count - 1; i >= 0 && i > count-ringPairs; i-- {
		slot := ringStart + 2*int(i%ringPairs)
		at := time.Unix(0, l.get(slot))
		if !at.After(before) && l.get(slot+1) <= n {
			return before.Sub(at)
		}
	}
	return 0
}
